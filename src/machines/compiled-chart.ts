/**
 * A chart as a table of what each event does in each state, worked out once. XState's interpreter works it out at each
 * event, which was a fifth of the processor time of a call (docs/performance.md).
 *
 * It is for charts of states within states with entry actions, transitions, guards by name, `assign` and actions by
 * name. A chart with anything else (parallel states, history, `always`, `after`, `invoke`, exit actions, wildcards)
 * is refused, so that none is run in another way than XState would. That both do the same is a property under test.
 */
import type { AnyMachineSnapshot, AnyStateMachine, AnyStateNode, StateValue } from 'xstate';
import { nameOf } from './state-node.ts';

type Scope = Parameters<AnyStateMachine['transition']>[2];
type Context = Readonly<Record<string, unknown>>;
interface Event {
  readonly type: string;
}

/** What actions, guards and their parameters are called with. */
interface ActionArgs {
  readonly context: Context;
  readonly event: Event;
}

type Implementation<Result> = (args: ActionArgs, params: unknown) => Result;

interface Step {
  readonly type: string;
  readonly params: unknown;
  /** A change of context, where it is one. */
  readonly assign: Implementation<Context> | undefined;
  readonly exec: Implementation<void>;
}

interface Transition {
  readonly guard: Implementation<boolean> | undefined;
  readonly guardParams: unknown;
  /** Those of the transition, then those of the states that it enters. */
  readonly steps: readonly Step[];
  /** The innermost state that it leads to; undefined for one that stays. */
  readonly target: AnyMachineSnapshot | undefined;
}

type Table = ReadonlyMap<AnyStateNode, ReadonlyMap<string, readonly Transition[]>>;

/** The same machine, run by its table. Throws an Error that names what a table cannot hold. */
export function compiled<Machine extends AnyStateMachine>(machine: Machine): Machine {
  const compiler = new Compiler(machine);
  const table = compiler.table();
  const first = compiler.initial();
  const contextOf: unknown = machine.config.context ?? {};

  return Object.assign(Object.create(machine) as Machine, {
    getInitialSnapshot(scope: Scope, input: unknown): AnyMachineSnapshot {
      const event = { type: 'xstate.init', input };
      const context = typeof contextOf === 'function' ? contextOf({ input, self: scope.self }) : contextOf;
      return taken(first, { ...first.target, context } as AnyMachineSnapshot, event, scope);
    },
    transition(snapshot: AnyMachineSnapshot, event: Event, scope: Scope): AnyMachineSnapshot {
      if (event.type.startsWith('xstate.')) return machine.transition(snapshot, event, scope);
      const leaf = snapshot._nodes.findLast(isInnermost);
      const transitions = leaf && table.get(leaf)?.get(event.type);
      if (transitions === undefined || snapshot.status !== 'active') return snapshot;
      const args = { context: snapshot.context as Context, event };
      for (const transition of transitions) {
        if (
          transition.guard === undefined ||
          transition.guard(args, paramsFor(transition.guardParams, args))
        ) {
          return taken(transition, snapshot, event, scope);
        }
      }
      return snapshot;
    },
  });
}

function taken(
  { steps, target }: Transition,
  snapshot: AnyMachineSnapshot,
  event: Event,
  scope: Scope,
): AnyMachineSnapshot {
  const before = snapshot.context as Context;
  let context = before;
  for (const { type, params, assign, exec } of steps) {
    const args = { context, event, self: scope.self, system: scope.system };
    if (assign !== undefined) context = { ...context, ...assign(args, paramsFor(params, args)) };
    else {
      // The types of XState want a snapshot's own event here.
      const action = { type, info: args, params: paramsFor(params, args), exec };
      scope.actionExecutor(action as unknown as Parameters<Scope['actionExecutor']>[0]);
    }
  }
  if (target !== undefined) return at(target, context);
  return context === before ? snapshot : at(snapshot, context);
}

/** A snapshot in the same state with another context; field by field, which takes V8 a fraction of a copy's time. */
function at(state: AnyMachineSnapshot, context: Context): AnyMachineSnapshot {
  return {
    status: state.status,
    output: state.output,
    error: state.error,
    machine: state.machine,
    context,
    _nodes: state._nodes,
    value: state.value,
    tags: state.tags,
    children: state.children,
    historyValue: state.historyValue,
    matches: state.matches,
    hasTag: state.hasTag,
    can: state.can,
    getMeta: state.getMeta,
    toJSON: state.toJSON,
  } as AnyMachineSnapshot;
}

function paramsFor(params: unknown, args: ActionArgs): unknown {
  return typeof params === 'function' ? params(args) : params;
}

class Compiler {
  readonly #machine: AnyStateMachine;

  constructor(machine: AnyStateMachine) {
    this.#machine = machine;
  }

  table(): Table {
    return new Map(this.#nodes(this.#machine.root).map((node) => [node, this.#events(node)]));
  }

  /** What is entered at the beginning, as a transition. */
  initial(): Transition {
    const { root } = this.#machine;
    const entered = [root, ...this.#descent(root)];
    return this.#transition(undefined, [], entered);
  }

  #nodes(node: AnyStateNode): AnyStateNode[] {
    this.#check(node);
    return [node, ...Object.values(node.states).flatMap((child: AnyStateNode) => this.#nodes(child))];
  }

  #check(node: AnyStateNode): void {
    const parts = {
      [`the ${node.type} state`]: node.type === 'parallel' || node.type === 'history',
      always: (node.always ?? []).length > 0,
      after: node.after.length > 0,
      invoke: node.invoke.length > 0,
      'exit actions': node.exit.length > 0,
      output: node.output !== undefined,
      onDone: node.config.onDone !== undefined,
      'a wildcard': [...node.transitions.keys()].some((type) => type.includes('*')),
    };
    for (const [part, found] of Object.entries(parts)) if (found) throw this.#refused(node, part);
  }

  /** By event: its own transitions before those of its ancestors. */
  #events(leaf: AnyStateNode): ReadonlyMap<string, readonly Transition[]> {
    const events = new Map<string, Transition[]>();
    for (let node: AnyStateNode | undefined = leaf; node !== undefined; node = node.parent) {
      for (const [type, definitions] of node.transitions) {
        const transitions = events.get(type) ?? [];
        for (const definition of definitions) {
          const entered = this.#entered(node, leaf, definition.target, definition.reenter);
          transitions.push(this.#transition(definition.guard, definition.actions, entered));
        }
        events.set(type, transitions);
      }
    }
    return events;
  }

  /** The states that a transition enters, from the outermost; undefined for one that stays. */
  #entered(
    source: AnyStateNode,
    leaf: AnyStateNode,
    targets: readonly AnyStateNode[] | undefined,
    reenter: boolean,
  ): readonly AnyStateNode[] | undefined {
    if (targets === undefined) return undefined;
    const [target, ...others] = targets;
    if (target === undefined || others.length > 0) throw this.#refused(source, 'several targets');
    const within = ancestors(target).includes(source);
    if (
      (within && reenter) ||
      ancestors(source).includes(target) ||
      (target === source && !(reenter && source === leaf))
    ) {
      throw this.#refused(source, 'a target that holds it, or that is entered anew within it');
    }
    // One from a state into it leaves only what is within.
    const stays = within ? [source, ...ancestors(source)] : ancestors(source);
    const way = [target, ...ancestors(target)].filter((node) => !stays.includes(node));
    return [...way.reverse(), ...this.#descent(target)];
  }

  /** The states that are entered with this one. */
  #descent(node: AnyStateNode): AnyStateNode[] {
    if (node.type !== 'compound') return [];
    const [child] = node.initial.target;
    if (child === undefined || node.initial.actions.length > 0) throw this.#refused(node, 'initial actions');
    return [child, ...this.#descent(child)];
  }

  #transition(
    guard: unknown,
    actions: readonly unknown[],
    entered: readonly AnyStateNode[] | undefined,
  ): Transition {
    const all = [...actions, ...(entered ?? []).flatMap((node) => node.entry)];
    const leaf = entered?.at(-1);
    return {
      guard: guard === undefined ? undefined : this.#guard(guard),
      guardParams: paramsOf(guard),
      steps: all.map((action) => this.#step(action)),
      target: leaf && this.#machine.resolveState({ value: valueAt(leaf), context: {} }),
    };
  }

  #guard(guard: unknown): Implementation<boolean> {
    const known: unknown = this.#machine.implementations.guards[nameOf(guard)];
    if (typeof known !== 'function' || 'check' in known)
      throw this.#refused(undefined, `the guard ${nameOf(guard)}`);
    return known as Implementation<boolean>;
  }

  #step(action: unknown): Step {
    const type = nameOf(action);
    const known: unknown = this.#machine.implementations.actions[type];
    if (typeof known !== 'function') throw this.#refused(undefined, `the action ${type}`);
    const params = paramsOf(action);
    const exec = known as Implementation<void>;
    if (!('resolve' in known)) return { type, params, assign: undefined, exec };
    const assignment = 'assignment' in known ? known.assignment : undefined;
    if (typeof assignment === 'function') {
      return { type, params, assign: assignment as Implementation<Context>, exec };
    }
    const constant =
      typeof assignment === 'object' && assignment !== null ? (assignment as Context) : undefined;
    if (constant === undefined || Object.values(constant).some((value) => typeof value === 'function')) {
      throw this.#refused(undefined, `the action ${type}`);
    }
    return { type, params, assign: () => constant, exec };
  }

  #refused(node: AnyStateNode | undefined, part: string): Error {
    const place = node === undefined ? '' : ` in ${node.id}`;
    return new Error(`a chart with ${part}${place} cannot be made a table`);
  }
}

function isInnermost({ type }: AnyStateNode): boolean {
  return type === 'atomic' || type === 'final';
}

/** From its parent to the chart itself. */
function ancestors({ parent }: AnyStateNode): AnyStateNode[] {
  return parent === undefined ? [] : [parent, ...ancestors(parent)];
}

/** The state value of an innermost state, as XState has it. */
function valueAt({ path }: AnyStateNode): StateValue {
  return path.reduceRight<StateValue>((value, key) => (value === '' ? key : { [key]: value }), '');
}

function paramsOf(part: unknown): unknown {
  return typeof part === 'object' && part !== null && 'params' in part ? part.params : undefined;
}
