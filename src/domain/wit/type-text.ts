import { escapeIdentifier, identifierPattern, opaqueWords } from './identifier.ts';
import type { WitFunction, WitType } from './types.ts';

export type NamedType = Extract<WitType, { name: string }>;

/** The WIT text of a type; named types by their name. */
export function printType(type: WitType): string {
  return writeType(type, (named) => (named.kind === 'opaque' ? named.what : escapeIdentifier(named.name)));
}

/** The text of a type where `nameOf` says what a named type, or one whose definition is missing, is called. */
export function writeType(
  type: WitType,
  nameOf: (type: NamedType | Extract<WitType, { kind: 'opaque' }>) => string,
): string {
  const write = (inner: WitType): string => writeType(inner, nameOf);
  switch (type.kind) {
    case 'list':
      return type.length === undefined
        ? `list<${write(type.element)}>`
        : `list<${write(type.element)}, ${type.length}>`;
    case 'tuple':
      return `tuple<${type.elements.map(write).join(', ')}>`;
    case 'option':
      return `option<${write(type.some)}>`;
    case 'result':
      if (type.err !== undefined) return `result<${type.ok ? write(type.ok) : '_'}, ${write(type.err)}>`;
      return type.ok === undefined ? 'result' : `result<${write(type.ok)}>`;
    case 'record':
    case 'variant':
    case 'enum':
    case 'flags':
      return nameOf(type);
    case 'opaque':
      return isMissing(type.what) ? nameOf(type) : type.what;
    default:
      return type.kind;
  }
}

/** A signature after its name and colon, without the semicolon: `func(a: u32) -> u32`. */
export function writeFunction(fn: WitFunction, write: (type: WitType) => string): string {
  return `func${writeParameters(fn, write)}${fn.result === undefined ? '' : ` -> ${write(fn.result)}`}`;
}

export function writeParameters(fn: WitFunction, write: (type: WitType) => string): string {
  return `(${fn.parameters.map((field) => `${escapeIdentifier(field.name)}: ${write(field.type)}`).join(', ')})`;
}

const missingPattern = new RegExp(`^%?${identifierPattern.source}$`);

/** Whether an opaque type is one whose definition was not in the text, so that only its name is known. */
function isMissing(what: string): boolean {
  return missingPattern.test(what) && !opaqueWords.has(what);
}

/** One sentence that says why the function cannot be called; empty where it can. */
export function opaqueReason(fn: WitFunction): string {
  const local = fn.name.slice(fn.name.indexOf('#') + 1);
  if (local.startsWith('[')) return 'It belongs to a resource, which lives only inside the component.';
  for (const { name, type } of fn.parameters) {
    const what = findOpaque(type);
    if (what !== undefined) return `Its parameter ${name} holds ${explain(what)}.`;
  }
  const what = fn.result && findOpaque(fn.result);
  return what === undefined ? '' : `Its result holds ${explain(what)}.`;
}

function explain(what: string): string {
  const shown = what.length > 80 ? `${what.slice(0, 80)}…` : what;
  const word = /^[a-z-]+/.exec(what)?.[0];
  if (isMissing(what)) return `${shown}, a type that the component's text does not define`;
  if (word === 'stream' || word === 'future' || word === 'map')
    return `${shown}, and a ${word} cannot be written as JSON`;
  if (word === 'error-context') return 'an error-context, which cannot be written as JSON';
  return `${shown}, and a resource cannot be written as JSON`;
}

function findOpaque(type: WitType): string | undefined {
  if (type.kind === 'opaque') return type.what;
  for (const child of childrenOf(type)) {
    const what = findOpaque(child);
    if (what !== undefined) return what;
  }
  return undefined;
}

function childrenOf(type: WitType): readonly WitType[] {
  switch (type.kind) {
    case 'list':
      return [type.element];
    case 'option':
      return [type.some];
    case 'tuple':
      return type.elements;
    case 'record':
      return type.fields.map((field) => field.type);
    case 'variant':
      return type.cases.flatMap((each) => each.type ?? []);
    case 'result':
      return [type.ok, type.err].filter((each) => each !== undefined);
    default:
      return [];
  }
}
