/** An execution's machine, made again from the transitions in its log. */
import type { Snapshot } from 'xstate';
import type { RecoveryPolicy } from '../domain/interruption.ts';
import { type ExecutionSnapshot, executionChartVersion, executionMachine, statePath } from './execution.ts';
import type { ExecutionContext } from './execution-context.ts';
import { type MachineState, migrated, SnapshotIncompatible } from './migrations.ts';
import { contextFromStored, type StoredContext, storedContext } from './stored-context.ts';

/** A transition as the log has it. */
export interface LoggedChange {
  readonly to: string;
  /** A merge patch over the context before; empty where nothing changed. */
  readonly contextPatch: string;
  readonly chartVersion: number;
}

export interface Replayed {
  /** The version of this node's chart, whatever wrote the log. */
  readonly chartVersion: number;
  /** Path of the state, such as `running.backingOff`. */
  readonly state: string;
  readonly context: ExecutionContext;
}

/** A task of which nothing is known may have had effects. */
const cautious: RecoveryPolicy = { onInterrupt: 'fail', maxRecoveries: 0 };

/** What a context has even where nothing was ever set. */
const unset = {
  timers: null,
  totalFrom: null,
  queueMs: null,
  attemptMs: null,
  startMs: null,
  startAt: null,
  queueDeadline: null,
  attemptDeadline: null,
  retryAt: null,
  stopDeadline: null,
  stoppingSince: null,
  heldSince: null,
  blockedSince: null,
  pausedAttempt: null,
  cause: null,
  outcome: null,
};

const numbers = ['attempt', 'totalMs', 'totalDeadline', 'graceMs', 'lost', 'recoveries'] as const;

/**
 * `changes` are a log's transitions in order, from its first. `recovery` is what the task says, for a log from before
 * logs said so. Throws SnapshotIncompatible where another version wrote it, or they make no context.
 */
export function replay(changes: readonly LoggedChange[], recovery: RecoveryPolicy = cautious): Replayed {
  let at = beginning(changes);
  for (const change of changes) at = advanced(at, change, recovery);
  const { state, context } = migrated(at.machineState, at.version, recovery);
  const lacking = numbers.find((key) => !Number.isFinite(context[key]));
  if (lacking !== undefined) throw new SnapshotIncompatible(`its log gives no ${lacking}`);
  return {
    chartVersion: executionChartVersion,
    state,
    context: contextFromStored({ ...unset, ...context } as unknown as StoredContext),
  };
}

/** The state and the context after each change, as the version of the chart has them that wrote it. Throws as `replay` does. */
export function* machineStates(
  changes: readonly LoggedChange[],
  recovery: RecoveryPolicy = cautious,
): Generator<MachineState> {
  let at = beginning(changes);
  for (const change of changes) {
    at = advanced(at, change, recovery);
    yield at.machineState;
  }
}

/** How far a log has been followed. */
interface Position {
  readonly machineState: MachineState;
  /** Of the chart that wrote it. */
  readonly version: number;
}

function beginning(changes: readonly LoggedChange[]): Position {
  return {
    machineState: { state: '', context: {} },
    version: changes[0]?.chartVersion ?? executionChartVersion,
  };
}

function advanced(at: Position, change: LoggedChange, recovery: RecoveryPolicy): Position {
  const { to, contextPatch, chartVersion } = change;
  if (chartVersion < at.version) throw new SnapshotIncompatible('its chart versions run backwards');
  const { context } =
    chartVersion === at.version ? at.machineState : migrated(at.machineState, at.version, recovery);
  return { machineState: { state: to, context: patched(context, contextPatch) }, version: chartVersion };
}

function patched(
  context: Readonly<Record<string, unknown>>,
  patch: string,
): Readonly<Record<string, unknown>> {
  if (patch === '') return context;
  let changes: unknown;
  try {
    changes = JSON.parse(patch);
  } catch {
    throw new SnapshotIncompatible('a change of its context is not JSON');
  }
  if (typeof changes !== 'object' || changes === null || Array.isArray(changes)) {
    throw new SnapshotIncompatible('a change of its context is not an object');
  }
  return { ...context, ...changes };
}

/** The snapshot that an actor starts from. Throws SnapshotIncompatible where the chart has no such state. */
export function snapshotOf({ state, context }: Replayed): ExecutionSnapshot {
  let snapshot: ExecutionSnapshot | undefined;
  let cause: unknown;
  try {
    snapshot = executionMachine.resolveState({ value: stateValue(state), context }) as ExecutionSnapshot;
  } catch (error) {
    cause = error;
  }
  // XState completes a path that ends before an innermost state.
  if (snapshot !== undefined && statePath(snapshot) === state) return snapshot;
  throw new SnapshotIncompatible(`its state ${JSON.stringify(state)} is not one of this chart`, { cause });
}

/** The same as XState persists it, but for the context, which is as logs have it: plain JSON. Throws as `snapshotOf` does. */
export function persisted(replayed: Replayed): Snapshot<unknown> {
  const snapshot = executionMachine.getPersistedSnapshot(snapshotOf(replayed));
  return Object.assign(snapshot, { context: storedContext(replayed.context) });
}

/** `running.backingOff` as XState writes it. */
function stateValue(path: string): string | Record<string, string> {
  const dot = path.indexOf('.');
  return dot === -1 ? path : { [path.slice(0, dot)]: path.slice(dot + 1) };
}
