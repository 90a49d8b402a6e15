import { breakpointReason } from '../../domain/breakpoint.ts';
import type { EventBody } from '../../domain/event.ts';
import type { ExecutionRecord, ExecutionStatus, Outcome } from '../../domain/execution.ts';
import { contextPatch } from '../../domain/patch.ts';
import { retryBudgetReason } from '../../domain/retry-budget.ts';
import { storableOutcome } from '../../domain/storable.ts';
import { type ExecutionSnapshot, executionChartVersion, statePath } from '../../machines/execution.ts';
import type { ExecutionEvent } from '../../machines/execution-context.ts';
import { storedContext } from '../../machines/stored-context.ts';
import type { LiveLog } from './live-log.ts';

/** The log's largest context patch. */
const mostPatchBytes = 4096;
/** What stays of the only text of any length in a context, where a patch would be larger. */
const keptMessageLength = 200;

/** Monotonic instants of one execution, from which its durations come. */
export interface Stopwatch {
  readonly admitted: number;
  dispatched: number | undefined;
}

function statusOf(path: string): ExecutionStatus {
  const dot = path.indexOf('.');
  return (dot === -1 ? path : path.slice(0, dot)) as ExecutionStatus;
}

function transitionBody(
  from: ExecutionSnapshot | undefined,
  to: ExecutionSnapshot,
  path: { readonly from: string; readonly to: string },
  eventType: string,
  reasonCode: string,
): EventBody {
  const before = from?.context;
  // Its options are in the first patch, and never change.
  const after = before === undefined ? storedContext(to.context) : to.context;
  let patch = contextPatch(before, after);
  const { cause } = after;
  if (cause !== null && Buffer.byteLength(patch) > mostPatchBytes) {
    const short = { ...cause, message: cause.message.slice(0, keptMessageLength) };
    patch = contextPatch(before, { ...after, cause: short });
  }
  return {
    kind: 'transition',
    from: path.from,
    to: path.to,
    eventType,
    reasonCode,
    contextPatch: patch,
    chartVersion: executionChartVersion,
  };
}

/** What a transition comes from: the error that ends the execution or ended the attempt before a retry, or who holds it. */
function reasonOf(
  { context: before }: ExecutionSnapshot,
  { context: after }: ExecutionSnapshot,
  event: ExecutionEvent,
): string {
  if (after.cause !== null) return after.cause.code;
  if (event.type === 'suspend' && event.byBreakpoint === true) return breakpointReason;
  if (event.type !== 'attemptEnded') return '';
  if (event.overBudget === 'hold') return retryBudgetReason;
  return before.cause?.code ?? (event.end.kind === 'failed' ? event.end.code : '');
}

/** Writes a new execution's first event. */
export function recordAdmission(
  log: LiveLog,
  snapshot: ExecutionSnapshot,
  urgent: boolean,
  by: string | undefined,
): void {
  const to = statePath(snapshot);
  log.transition(
    { state: to, status: 'pending' },
    transitionBody(undefined, snapshot, { from: '', to }, 'admit', ''),
    urgent,
    by,
  );
}

/** An event is in the log where the machine could not be made again without it, or where people look for it. */
function isLogged(before: ExecutionSnapshot, after: ExecutionSnapshot, event: ExecutionEvent): boolean {
  return (
    event.type === 'restored' ||
    event.type === 'reattached' ||
    before.context.cause !== after.context.cause ||
    before.context.heldSince !== after.context.heldSince ||
    before.context.pausedAttempt !== after.context.pausedAttempt ||
    before.context.blockedSince !== after.context.blockedSince
  );
}

/** Writes that the instants of an execution that comes from another node are this one's now. */
export function recordShift(log: LiveLog, before: ExecutionSnapshot, after: ExecutionSnapshot): void {
  const path = statePath(after);
  log.transition(
    { ...movedDeadlines(log.record, before, after) },
    transitionBody(before, after, { from: path, to: path }, 'restored', ''),
    false,
  );
}

/** The deadlines that a record tells, where they have moved. */
function movedDeadlines(
  { deadlines }: ExecutionRecord,
  { context: before }: ExecutionSnapshot,
  { context: after }: ExecutionSnapshot,
): Pick<ExecutionRecord, 'deadlines'> | undefined {
  const startMoved = before.startAt !== null && after.startAt !== null && before.startAt !== after.startAt;
  if (before.totalDeadline === after.totalDeadline && !startMoved) return undefined;
  return {
    deadlines: {
      ...deadlines,
      total: after.totalDeadline,
      ...(startMoved && after.startAt !== null && { startAt: after.startAt }),
    },
  };
}

/** Writes what an event did to an execution: a transition, the result, or nothing where the state is the same. */
export function recordChange(
  log: LiveLog,
  before: ExecutionSnapshot,
  after: ExecutionSnapshot,
  event: ExecutionEvent,
  watch: Stopwatch,
  now: { readonly wall: number; readonly monotonic: number },
  urgent: boolean,
  written: ExecutionSnapshot,
): void {
  const path = { from: statePath(before), to: statePath(after) };
  if (path.from === path.to && !isLogged(before, after, event)) return;
  const by = 'by' in event ? event.by : undefined;
  const changes: { -readonly [Key in keyof ExecutionRecord]?: ExecutionRecord[Key] } = {
    state: path.to,
    status: statusOf(path.to),
    ...movedDeadlines(log.record, before, after),
    ...(before.context.blockedSince !== null && after.context.blockedSince === null && { blocked: false }),
    ...(after.context.recoveries > before.context.recoveries && { recoveries: after.context.recoveries }),
  };
  if (event.type === 'suspend' && event.passes !== undefined) changes.passes = event.passes;
  if (after.context.attempt !== before.context.attempt) {
    changes.attempt = after.context.attempt;
    if (log.record.passes !== undefined) changes.passes = '';
    if (watch.dispatched === undefined) {
      watch.dispatched = now.monotonic;
      changes.startedAt = Math.round(now.wall);
      changes.queueTimeMs = Math.round(now.monotonic - watch.admitted);
    }
  }
  if (after.status === 'done' && after.context.outcome !== null) {
    finish(log, changes, after.context.outcome, watch, now, by);
  } else {
    log.transition(
      changes,
      transitionBody(written, after, path, event.type, reasonOf(before, after, event)),
      urgent,
      by,
    );
  }
}

/** Ends an execution whose chart cannot say how: a bug of ours. */
export function recordFailure(
  log: LiveLog,
  message: string,
  watch: Stopwatch,
  now: { readonly wall: number; readonly monotonic: number },
): void {
  const outcome: Outcome = { status: 'failed', code: 'INTERNAL', message };
  finish(log, { state: 'failed', status: 'failed' }, outcome, watch, now);
}

function finish(
  log: LiveLog,
  changes: Partial<ExecutionRecord>,
  outcome: Outcome,
  watch: Stopwatch,
  now: { readonly wall: number; readonly monotonic: number },
  by?: string,
): void {
  log.end(
    {
      ...changes,
      // A clock can be set back.
      completedAt: Math.max(Math.round(now.wall), log.record.startedAt ?? log.record.createdAt),
      ...(watch.dispatched === undefined
        ? { queueTimeMs: Math.round(now.monotonic - watch.admitted) }
        : { executionTimeMs: now.monotonic - watch.dispatched }),
    },
    storableOutcome(outcome),
    by,
  );
}
