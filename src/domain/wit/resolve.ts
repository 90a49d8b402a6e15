import { escapeIdentifier, opaqueWords } from './identifier.ts';
import type { FunctionSyntax, NamedDefinition, PackageSyntax, TypeSyntax } from './syntax.ts';
import type { WitFunction, WitType } from './types.ts';

/** A value nests as deep as its type, so this bounds the recursion of everything that walks values too. */
const maxDepth = 100;
/** Counted with every named type written out, because that is how types are held. */
const maxNodes = 10_000;

type Primitive = Exclude<
  WitType['kind'],
  'list' | 'tuple' | 'option' | 'result' | 'record' | 'variant' | 'enum' | 'flags' | 'opaque'
>;

const primitives: ReadonlySet<string> = new Set<Primitive>([
  'bool',
  'u8',
  'u16',
  'u32',
  'u64',
  's8',
  's16',
  's32',
  's64',
  'f32',
  'f64',
  'char',
  'string',
]);

function isPrimitive(name: string): name is Primitive {
  return primitives.has(name);
}

/** Where a type name is looked up: an interface or a world, and the package around it. */
interface Scope {
  readonly types: Map<string, NamedDefinition>;
  readonly inPackage: PackageSyntax;
}

export interface InterfaceScope extends Scope {
  readonly functions: readonly FunctionSyntax[];
}

/** Resolves the names of one text. Throws an Error naming the line where a type is missing, cyclic or too large. */
export class Resolver {
  readonly #packages: readonly PackageSyntax[];
  readonly #resolved = new Map<NamedDefinition, WitType | 'in progress'>();
  readonly #measures = new Map<WitType, { depth: number; nodes: number }>();

  constructor(packages: readonly PackageSyntax[]) {
    this.#packages = packages;
  }

  /** The interface of that name as seen from a package; undefined where the text does not hold it. */
  findInterface(path: string, from: PackageSyntax): InterfaceScope | undefined {
    for (const candidate of path.includes('/') ? this.#packages : [from]) {
      for (const [id, body] of candidate.interfaces) {
        if (path === id || path === qualifiedName(candidate, id)) return { ...body, inPackage: candidate };
      }
    }
    return undefined;
  }

  function(scope: Scope, name: string, syntax: FunctionSyntax): WitFunction {
    return {
      name,
      parameters: syntax.parameters.map((field) => ({
        name: field.name,
        type: this.#type(scope, field.type, 0),
      })),
      result: syntax.result && this.#type(scope, syntax.result, 0),
    };
  }

  #type(scope: Scope, syntax: TypeSyntax, depth: number): WitType {
    if (depth > maxDepth) throw tooLarge(syntax.line);
    const { name, line } = syntax;
    const args = syntax.arguments;
    if (args === undefined) {
      if (!syntax.escaped && isPrimitive(name)) return { kind: name };
      if (!syntax.escaped && name === 'result') return { kind: 'result', ok: undefined, err: undefined };
      if (!syntax.escaped && opaqueWords.has(name)) return { kind: 'opaque', what: name };
      const definition = scope.types.get(name);
      if (definition === undefined) throw new Error(`line ${line}: expected a known type, found ${name}`);
      return this.#named(scope, definition, depth);
    }
    if (opaqueWords.has(name)) return { kind: 'opaque', what: textOf(syntax) };
    const inner = args.map((argument) => argument && this.#type(scope, argument, depth + 1));
    const type = generic(name, inner, syntax.length);
    if (type === undefined) throw new Error(`line ${line}: expected a known type, found ${textOf(syntax)}`);
    return this.#measured(type, inner, line);
  }

  #named(scope: Scope, named: NamedDefinition, depth: number): WitType {
    const known = this.#resolved.get(named);
    if (known === 'in progress') {
      throw new Error(`line ${named.line}: expected types without a cycle, ${named.name} contains itself`);
    }
    if (known !== undefined) return known;
    this.#resolved.set(named, 'in progress');
    const type = this.#definition(scope, named, depth);
    this.#resolved.set(named, type);
    return type;
  }

  #definition(scope: Scope, { name, definition, line }: NamedDefinition, depth: number): WitType {
    if (depth > maxDepth) throw tooLarge(line);
    switch (definition.kind) {
      case 'alias':
        return this.#type(scope, definition.type, depth + 1);
      case 'use': {
        const source = this.findInterface(definition.path, scope.inPackage);
        if (source === undefined) return { kind: 'opaque', what: escapeIdentifier(definition.name) };
        const target = source.types.get(definition.name);
        if (target !== undefined) return this.#named(source, target, depth + 1);
        throw new Error(`line ${line}: expected a type of ${definition.path}, found ${definition.name}`);
      }
      case 'record': {
        const fields = definition.fields.map((field) => ({
          name: field.name,
          type: this.#type(scope, field.type, depth + 1),
        }));
        return this.#measured(
          { kind: 'record', name, fields },
          fields.map((field) => field.type),
          line,
        );
      }
      case 'variant': {
        const cases = definition.cases.map((each) => ({
          name: each.name,
          type: each.type && this.#type(scope, each.type, depth + 1),
        }));
        return this.#measured(
          { kind: 'variant', name, cases },
          cases.map((each) => each.type),
          line,
        );
      }
      case 'enum':
        return { kind: 'enum', name, cases: definition.names };
      case 'flags':
        return { kind: 'flags', name, names: definition.names };
      case 'resource':
        return { kind: 'opaque', what: `own<${escapeIdentifier(name)}>` };
    }
  }

  #measured(type: WitType, children: readonly (WitType | undefined)[], line: number): WitType {
    const measure = { depth: 1, nodes: 1 };
    for (const child of children) {
      const { depth, nodes } = (child && this.#measures.get(child)) ?? { depth: 1, nodes: 1 };
      measure.depth = Math.max(measure.depth, depth + 1);
      measure.nodes += nodes;
    }
    if (measure.depth > maxDepth || measure.nodes > maxNodes) throw tooLarge(line);
    this.#measures.set(type, measure);
    return type;
  }
}

/** An interface's full name: `ns:pkg/iface@1.0.0`. */
export function qualifiedName(inPackage: PackageSyntax, id: string): string {
  return `${inPackage.name}/${id}${inPackage.version}`;
}

function generic(
  name: string,
  args: (WitType | undefined)[],
  length: number | undefined,
): WitType | undefined {
  const [first, second] = args;
  if (name === 'result' && args.length > 0 && args.length <= 2)
    return { kind: 'result', ok: first, err: second };
  const known = args.filter((argument) => argument !== undefined);
  if (known.length !== args.length) return undefined;
  if (name === 'tuple') return { kind: 'tuple', elements: known };
  if (first === undefined || args.length !== 1) return undefined;
  if (name === 'option') return { kind: 'option', some: first };
  if (name !== 'list') return undefined;
  return length === undefined ? { kind: 'list', element: first } : { kind: 'list', element: first, length };
}

/** A type as it was written, but for spaces. */
function textOf(syntax: TypeSyntax): string {
  const name = syntax.escaped ? escapeIdentifier(syntax.name) : syntax.name;
  if (syntax.arguments === undefined) return name;
  const args = syntax.arguments.map((argument) => (argument === undefined ? '_' : textOf(argument)));
  if (syntax.length !== undefined) args.push(`${syntax.length}`);
  return `${name}<${args.join(', ')}>`;
}

function tooLarge(line: number): Error {
  return new Error(
    `line ${line}: expected types of at most ${maxNodes} parts, nested at most ${maxDepth} deep`,
  );
}
