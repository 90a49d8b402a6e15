import { escapeIdentifier } from './identifier.ts';
import { type NamedType, writeFunction, writeParameters, writeType } from './type-text.ts';
import type { WitFunction, WitType } from './types.ts';

export { opaqueReason, printType } from './type-text.ts';

const rootPackage = 'root:component';

type Lines = readonly string[];

/**
 * A text like WIT with all the functions and every named type that they use; empty for no functions. `parseWit`
 * gives back the same functions, in the same order where those of one interface, and of one resource in it, stand
 * together. Two types of one name in one interface are kept apart through interfaces `types-1` and so on.
 */
export function printFunctions(functions: readonly WitFunction[]): string {
  if (functions.length === 0) return '';
  const shared = new SharedTypes();
  const worldTypes = new ScopeTypes(shared);
  const exports: Lines[] = [];
  const packages = new Map<string, Lines[]>();
  for (const [scope, members] of Map.groupBy(functions, scopeOf)) {
    if (scope === '') {
      exports.push(...members.map((fn) => [`export ${memberText(fn.name, fn, worldTypes)}`]));
      continue;
    }
    const body = interfaceBody(members, shared);
    const path = /^(?<pkg>.+)\/(?<id>[^/@]+)(?<version>@.+)?$/.exec(scope)?.groups;
    if (path === undefined) {
      exports.push(block(`export ${escapeIdentifier(scope)}: interface`, body));
      continue;
    }
    const { pkg = '', id = '', version = '' } = path;
    const name = pkg.split(':').map(escapeIdentifier).join(':');
    exports.push([`export ${name}/${escapeIdentifier(id)}${version};`]);
    const blocks = packages.get(name + version) ?? [];
    blocks.push(block(`interface ${escapeIdentifier(id)}`, body));
    packages.set(name + version, blocks);
  }
  const parts = [
    [`package ${rootPackage};`],
    ...shared.interfaces,
    block('world root', [...worldTypes.lines(), ...exports]),
    ...[...packages].map(([name, blocks]) => block(`package ${name}`, blocks)),
  ];
  return `${parts.map((part) => part.join('\n')).join('\n\n')}\n`;
}

function scopeOf(fn: WitFunction): string {
  return fn.name.slice(0, Math.max(0, fn.name.indexOf('#')));
}

function block(head: string, items: readonly Lines[]): Lines {
  return [`${head} {`, ...items.flat().map((line) => `  ${line}`), '}'];
}

const resourcePattern = /^\[(?<how>constructor|method|static)\](?<resource>[^.]+)(?:\.(?<method>.+))?$/;

function interfaceBody(members: readonly WitFunction[], shared: SharedTypes): Lines[] {
  const localName = (fn: WitFunction): string => fn.name.slice(fn.name.indexOf('#') + 1);
  const resourceOf = (fn: WitFunction): string => resourcePattern.exec(localName(fn))?.groups?.resource ?? '';
  const types = new ScopeTypes(
    shared,
    members.map(resourceOf).filter((name) => name !== ''),
  );
  const groups = Map.groupBy(members, (fn) =>
    resourceOf(fn) === '' ? localName(fn) : `[${resourceOf(fn)}]`,
  );
  const items = [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const resource = resourceOf(first);
    if (resource === '') return group.map((fn) => [memberText(localName(fn), fn, types)]);
    const methods = group.map((fn) => [methodText(localName(fn), fn, types)]);
    return [block(`resource ${escapeIdentifier(resource)}`, methods)];
  });
  return [...types.lines(), ...items];
}

function memberText(name: string, fn: WitFunction, types: ScopeTypes): string {
  return `${escapeIdentifier(name)}: ${writeFunction(fn, (type) => types.write(type))};`;
}

function methodText(name: string, fn: WitFunction, types: ScopeTypes): string {
  const { how, resource = '', method = '' } = resourcePattern.exec(name)?.groups ?? {};
  const write = (type: WitType): string => types.write(type);
  if (how === 'static') return `${escapeIdentifier(method)}: static ${writeFunction(fn, write)};`;
  if (how === 'method') {
    const [, ...parameters] = fn.parameters;
    return `${escapeIdentifier(method)}: ${writeFunction({ ...fn, parameters }, write)};`;
  }
  const { result } = fn;
  const plain = result?.kind === 'opaque' && result.what === `own<${escapeIdentifier(resource)}>`;
  const returned = plain || result === undefined ? '' : ` -> ${write(result)}`;
  return `constructor${writeParameters(fn, write)}${returned};`;
}

type Named = NamedType | Extract<WitType, { kind: 'opaque' }>;

/** Types that cannot stand where they are used, because another of their name does. */
class SharedTypes {
  readonly interfaces: Lines[] = [];
  readonly #paths = new Map<string, string>();
  readonly #keys = new Map<WitType, string>();
  #count = 0;

  /** Equal for types that are written the same. */
  keyOf(type: Named): string {
    const known = this.#keys.get(type);
    if (known !== undefined) return known;
    const key = JSON.stringify(type);
    this.#keys.set(type, key);
    return key;
  }

  /** The interface that holds the type under its own name. */
  pathOf(type: Named): string {
    const key = this.keyOf(type);
    const known = this.#paths.get(key);
    if (known !== undefined) return known;
    this.#count += 1;
    const id = `types-${this.#count}`;
    const path = `${rootPackage}/${id}`;
    this.#paths.set(key, path);
    const types = new ScopeTypes(this);
    types.write(type);
    this.interfaces.push(block(`interface ${id}`, types.lines()));
    return path;
  }
}

/** The named types of one interface or world, collected as they are referred to. */
class ScopeTypes {
  readonly #shared: SharedTypes;
  readonly #uses: string[] = [];
  readonly #definitions: Lines[] = [];
  readonly #taken: Set<string>;
  readonly #names = new Map<string, string>();

  constructor(shared: SharedTypes, taken: readonly string[] = []) {
    this.#shared = shared;
    this.#taken = new Set(taken);
  }

  lines(): Lines[] {
    return [this.#uses, ...this.#definitions];
  }

  write(type: WitType): string {
    return writeType(type, (named) => this.#nameOf(named));
  }

  #nameOf(type: Named): string {
    const key = this.#shared.keyOf(type);
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const name = type.kind === 'opaque' ? type.what.replace(/^%/, '') : type.name;
    const local = this.#claim(name);
    this.#names.set(key, escapeIdentifier(local));
    if (local !== name) {
      const path = this.#shared.pathOf(type);
      this.#uses.push(`use ${path}.{${escapeIdentifier(name)} as ${escapeIdentifier(local)}};`);
    } else if (type.kind === 'opaque') {
      this.#uses.push(`use unknown:types/missing.{${escapeIdentifier(name)}};`);
    } else {
      this.#definitions.push(this.#define(type));
    }
    return escapeIdentifier(local);
  }

  #claim(name: string): string {
    let local = name;
    for (let count = 2; this.#taken.has(local); count += 1) local = `${name}-n${count}`;
    this.#taken.add(local);
    return local;
  }

  #define(type: NamedType): Lines {
    return block(
      `${type.kind} ${escapeIdentifier(type.name)}`,
      this.#members(type).map((member) => [`${member},`]),
    );
  }

  #members(type: NamedType): string[] {
    switch (type.kind) {
      case 'record':
        return type.fields.map((field) => `${escapeIdentifier(field.name)}: ${this.write(field.type)}`);
      case 'variant':
        return type.cases.map(
          (each) =>
            escapeIdentifier(each.name) + (each.type === undefined ? '' : `(${this.write(each.type)})`),
        );
      case 'enum':
        return type.cases.map(escapeIdentifier);
      case 'flags':
        return type.names.map(escapeIdentifier);
    }
  }
}
