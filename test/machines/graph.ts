/** The execution chart as a graph: inputs that lead everywhere, what may happen in a state, and walks through it. */
import { getShortestPaths, getSimplePaths, type StatePath } from 'xstate/graph';
import { defaultTimers } from '../../src/domain/interruption.ts';
import {
  type ExecutionSnapshot,
  type executionMachine,
  machineFor,
  statePath,
} from '../../src/machines/execution.ts';
import type { ExecutionEvent, ExecutionInput } from '../../src/machines/execution-context.ts';
import {
  alarm,
  cancel,
  completed,
  detach,
  dispatch,
  inputWith,
  limit,
  lost,
  mayRunAgain,
  paused,
  reattached,
  restored,
  resume,
  runsOnce,
  stopped,
  suspend,
  t0,
  trapped,
  twoAttempts,
  unblocked,
} from './chart.ts';

/** Few lost attempts, or there would be no end of states. */
const recovery = { ...mayRunAgain, maxRecoveries: 1 };

export const inputs: Readonly<Record<string, Partial<ExecutionInput>>> = {
  'with everything set': { startAt: t0 + 50, queueMs: 300, attemptMs: 700, retry: twoAttempts, recovery },
  'with nothing set': { recovery },
  'with a total timeout nearer than everything else': {
    totalMs: 400,
    startAt: t0 + 350,
    queueMs: 300,
    attemptMs: 700,
    graceMs: 500,
    retry: { ...twoAttempts, initialMs: 10 },
    recovery,
  },
  'with attempts that may not run again': { startAt: t0 + 50, retry: twoAttempts, recovery: runsOnce },
  'after others': { isBlocked: true, startAt: t0 + 50, queueMs: 300, recovery },
  'after others, with nothing else set': { isBlocked: true, recovery },
  'with timers that stand still while it is held': {
    queueMs: 300,
    attemptMs: 700,
    retry: twoAttempts,
    recovery,
    timers: { ...defaultTimers, attempt: 'remaining', total: 'remaining' },
  },
};

/** The chart's state as far as it decides what comes next; instants only as set or not, so that there are few. */
export function serialize(snapshot: ExecutionSnapshot): string {
  const { context } = snapshot;
  return JSON.stringify([
    statePath(snapshot),
    context.attempt,
    context.lost,
    context.recoveries,
    context.retryAt === null,
    context.heldSince === null,
    context.blockedSince === null,
    context.pausedAttempt,
    context.cause?.code ?? '',
    context.outcome?.status ?? '',
  ]);
}

const maxAttempts = 3;

type Possible = (snapshot: ExecutionSnapshot) => ExecutionEvent[];

/** An instant that comes after those before it, and before the total deadline. */
function soonIn({ context }: ExecutionSnapshot): number {
  const began = context.stoppingSince ?? t0 + 60 + 1000 * context.attempt;
  return Math.min(began, context.totalDeadline - 1);
}

/** What could happen next, with the supervisor's word that a slot comes only to who asked for one. */
const withoutHolds: Possible = (snapshot) => {
  const { context } = snapshot;
  const state = statePath(snapshot);
  const soon = soonIn(snapshot);
  const events: ExecutionEvent[] = [cancel(soon), detach(soon), alarm(soon), alarm(context.totalDeadline)];
  for (const at of [
    context.startAt,
    context.queueDeadline,
    context.attemptDeadline,
    context.retryAt,
    context.stopDeadline,
  ]) {
    if (at !== null) events.push(alarm(at));
  }
  const asked = state === 'pending.queued' || (state === 'running.backingOff' && context.retryAt === null);
  if (context.blockedSince !== null) events.push(unblocked(soon), unblocked(soon, 'exec_1 has failed'));
  if (asked && context.attempt < maxAttempts) events.push(dispatch(soon));
  if (hasAttempt(snapshot)) events.push(completed(soon), trapped(soon), stopped(soon), limit(soon));
  return events;
};

const everything: Possible = (snapshot) => {
  const soon = soonIn(snapshot);
  const events = [...withoutHolds(snapshot), suspend(soon), resume(soon + 30)];
  if (statePath(snapshot) === 'running.attempting') events.push(paused(soon), reattached(soon), lost(soon));
  else if (snapshot.context.pausedAttempt !== null) events.push(reattached(soon), lost(soon));
  // A snapshot is read only where its attempt, left behind, is lost.
  else events.push(restored(soon + 30, soon, false), restored(soon + 30, soon, true));
  return events;
};

export function hasAttempt(snapshot: ExecutionSnapshot): boolean {
  const state = statePath(snapshot);
  return (
    state === 'running.attempting' ||
    state === 'running.stopping' ||
    (state === 'running.suspended' && snapshot.context.pausedAttempt !== null)
  );
}

export type Path = StatePath<ExecutionSnapshot, ExecutionEvent>;

export function shortestPaths(more: Partial<ExecutionInput>): readonly Path[] {
  return getShortestPaths(machineFor(inputWith(more)), traversal(more, everything)) as readonly Path[];
}

/** The events of a path; the graph puts XState's own first event before them. */
export function eventsOf(path: Path): ExecutionEvent[] {
  return path.steps.map((step) => step.event).filter((event) => !event.type.startsWith('xstate.'));
}

/** Every transition of the graph, each after a shortest path to where it begins. */
export function everyTransition(more: Partial<ExecutionInput>): ExecutionEvent[][] {
  return shortestPaths(more).flatMap((path) =>
    everything(path.state).map((event) => [...eventsOf(path), event]),
  );
}

/** Every way through the chart, of executions that are neither held nor restored: of the others there is no end. */
export function simplePaths(more: Partial<ExecutionInput>): ExecutionEvent[][] {
  const paths = getSimplePaths(machineFor(inputWith(more)), traversal(more, withoutHolds));
  return (paths as readonly Path[]).map(eventsOf);
}

/** What may come next in a walk, and what after it. */
export interface Fork {
  readonly event: ExecutionEvent;
  readonly next: readonly Fork[];
}

/** Walks as a tree: thousands begin alike, and the chart is pure, so that what they share needs to be gone once. */
export function treeOf(walks: readonly (readonly ExecutionEvent[])[]): readonly Fork[] {
  const byFirst = new Map<string, { readonly event: ExecutionEvent; readonly rests: ExecutionEvent[][] }>();
  for (const [event, ...rest] of walks) {
    if (event === undefined) continue;
    const key = JSON.stringify(event);
    const known = byFirst.get(key);
    if (known === undefined) byFirst.set(key, { event, rests: [rest] });
    else known.rests.push(rest);
  }
  return [...byFirst.values()].map(({ event, rests }) => ({ event, next: treeOf(rests) }));
}

function traversal(more: Partial<ExecutionInput>, events: Possible) {
  return { input: inputWith(more), events, serializeState: serialize };
}

/** The paths of the chart's innermost states. */
export function leavesOf(machine: typeof executionMachine): string[] {
  const leaves: string[] = [];
  const walk = (node: { path: string[]; states: object }): void => {
    const inner = Object.values(node.states) as (typeof node)[];
    if (inner.length === 0) leaves.push(node.path.join('.'));
    for (const child of inner) walk(child);
  };
  walk(machine.root);
  return leaves;
}
