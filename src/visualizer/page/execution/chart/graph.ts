/**
 * A machine's definition as a graph: states with their hierarchy, and the ways between them. Pure.
 *
 * Read leniently: targets as XState writes them (`#execution.running`, `.stopped`, a sibling's name, alone or in a list),
 * transitions as a name, an object or a list.
 */
import type { Json } from '../../wire.ts';

export interface ChartState {
  /** Such as `running.backingOff`. */
  readonly path: string;
  readonly name: string;
  /** Path of the state around it; empty at the top. */
  readonly parent: string;
  /** Paths, in the order of the definition. */
  readonly children: readonly string[];
  readonly isFinal: boolean;
}

/** A transition that the definition allows. */
export interface Allowed {
  readonly event: string;
  readonly guard: string;
}

/** All transitions from one state to another. */
export interface Way {
  /** A leaf or a state around others; empty for the whole machine. */
  readonly from: string;
  /** Always a leaf; the same as `from` for what stays. */
  readonly to: string;
  readonly allowed: readonly Allowed[];
}

export interface Graph {
  readonly states: ReadonlyMap<string, ChartState>;
  /** Top-level paths, in the order of the definition. */
  readonly top: readonly string[];
  /** The leaf in which it begins. */
  readonly initial: string;
  readonly ways: readonly Way[];
}

interface Node {
  readonly path: string;
  readonly definition: Definition;
}

type Definition = { readonly [name: string]: Json };

export function graphOf(definition: Definition): Graph {
  const states = new Map<string, ChartState>();
  const nodes: Node[] = [{ path: '', definition }];
  const top = collect(definition, '', states, nodes);
  const initials = new Map(nodes.map((node) => [node.path, initialOf(node)]));
  const leafOf = (path: string): string => {
    let leaf = path;
    for (let depth = 0; depth < 32; depth += 1) {
      const children = leaf === '' ? top : (states.get(leaf)?.children ?? []);
      if (children.length === 0) return leaf;
      const initial = initials.get(leaf) ?? '';
      leaf = children.includes(initial) ? initial : (children[0] ?? leaf);
    }
    return leaf;
  };
  const id = typeof definition.id === 'string' ? definition.id : '';
  return { states, top, initial: leafOf(''), ways: waysOf(nodes, id, states, leafOf) };
}

function collect(
  definition: Definition,
  parent: string,
  states: Map<string, ChartState>,
  nodes: Node[],
): readonly string[] {
  const children = objectOf(definition.states);
  return Object.entries(children).map(([name, json]) => {
    const child = objectOf(json);
    const path = parent === '' ? name : `${parent}.${name}`;
    nodes.push({ path, definition: child });
    // Before its children: the order of the map is the order of the definition.
    states.set(path, { path, name, parent, children: [], isFinal: child.type === 'final' });
    const grandchildren = collect(child, path, states, nodes);
    states.set(path, { path, name, parent, children: grandchildren, isFinal: child.type === 'final' });
    return path;
  });
}

function initialOf({ path, definition }: Node): string {
  const { initial } = definition;
  const named = typeof initial === 'string' ? initial : targetsOf(objectOf(initial))[0];
  if (named === undefined) return '';
  const name = named.slice(named.lastIndexOf('.') + 1).replace(/^#/, '');
  return path === '' ? name : `${path}.${name}`;
}

function waysOf(
  nodes: readonly Node[],
  id: string,
  states: ReadonlyMap<string, ChartState>,
  leafOf: (path: string) => string,
): readonly Way[] {
  const ways = new Map<string, { from: string; to: string; allowed: Allowed[] }>();
  for (const { path, definition } of nodes) {
    for (const [event, json] of Object.entries(objectOf(definition.on))) {
      for (const each of transitionsOf(json)) {
        const target = targetsOf(each)[0];
        const resolved = target === undefined ? path : resolve(target, path, id, states);
        if (resolved === undefined || (target === undefined && path === '')) continue;
        const to = target === undefined ? path : leafOf(resolved);
        const key = `${path}→${to}`;
        const way = ways.get(key) ?? { from: path, to, allowed: [] };
        way.allowed.push({ event, guard: guardOf(each.guard) });
        ways.set(key, way);
      }
    }
  }
  return [...ways.values()];
}

function transitionsOf(json: Json | undefined): readonly Definition[] {
  const list = Array.isArray(json) ? (json as readonly Json[]) : [json ?? null];
  return list.map((each) => (typeof each === 'string' ? { target: each } : objectOf(each)));
}

function targetsOf(transition: Definition): readonly string[] {
  const { target } = transition;
  if (typeof target === 'string') return [target];
  return Array.isArray(target) ? (target as readonly Json[]).filter((each) => typeof each === 'string') : [];
}

/** The path that a target means, seen from the state whose transition it is. */
function resolve(
  target: string,
  from: string,
  id: string,
  states: ReadonlyMap<string, ChartState>,
): string | undefined {
  const rooted = id !== '' && (target === `#${id}` || target.startsWith(`#${id}.`));
  const parent = states.get(from)?.parent ?? '';
  const candidates = rooted
    ? [target.slice(id.length + 2)]
    : target.startsWith('#')
      ? [target.slice(1), target.slice(target.indexOf('.') + 1)]
      : target.startsWith('.')
        ? [from === '' ? target.slice(1) : `${from}${target}`]
        : [parent === '' ? target : `${parent}.${target}`, target];
  return candidates.find((path) => states.has(path));
}

function guardOf(json: Json | undefined): string {
  if (typeof json === 'string') return json;
  const type = objectOf(json).type;
  return typeof type === 'string' ? type : '';
}

function objectOf(json: Json | undefined): Definition {
  return typeof json === 'object' && json !== null && !Array.isArray(json) ? (json as Definition) : {};
}
