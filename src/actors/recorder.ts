import type { EventBody } from '../domain/event.ts';
import type { ExecutionRecord, ExecutionStatus, Outcome } from '../domain/execution.ts';
import { contextPatch } from '../domain/patch.ts';
import { type ExecutionSnapshot, executionChartVersion, statePath } from '../machines/execution.ts';
import type { ExecutionEvent } from '../machines/execution-context.ts';
import type { LiveLog } from './live-log.ts';

/** The log's largest context patch; a larger one is left out rather than cut. */
const mostPatchBytes = 4096;

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
): EventBody {
  const patch = contextPatch(from?.context, to.context);
  return {
    kind: 'transition',
    from: path.from,
    to: path.to,
    eventType,
    reasonCode: to.context.cause?.code ?? '',
    contextPatch: patch.length > mostPatchBytes ? '' : patch,
    chartVersion: executionChartVersion,
  };
}

/** Writes a new execution's first event. */
export function recordAdmission(log: LiveLog, snapshot: ExecutionSnapshot, urgent: boolean): void {
  const to = statePath(snapshot);
  log.transition(
    { state: to, status: 'pending' },
    transitionBody(undefined, snapshot, { from: '', to }, 'admit'),
    urgent,
  );
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
  if (path.from === path.to && before.context.cause === after.context.cause) return;
  const changes: { -readonly [Key in keyof ExecutionRecord]?: ExecutionRecord[Key] } = {
    state: path.to,
    status: statusOf(path.to),
  };
  if (after.context.attempt !== before.context.attempt) {
    changes.attempt = after.context.attempt;
    if (watch.dispatched === undefined) {
      watch.dispatched = now.monotonic;
      changes.startedAt = Math.round(now.wall);
      changes.queueTimeMs = Math.round(now.monotonic - watch.admitted);
    }
  }
  if (after.status === 'done' && after.context.outcome !== null) {
    finish(log, changes, after.context.outcome, watch, now);
  } else {
    log.transition(changes, transitionBody(written, after, path, event.type), urgent);
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
): void {
  log.end(
    {
      ...changes,
      completedAt: Math.round(now.wall),
      ...(watch.dispatched === undefined
        ? { queueTimeMs: Math.round(now.monotonic - watch.admitted) }
        : { executionTimeMs: now.monotonic - watch.dispatched }),
    },
    outcome,
  );
}
