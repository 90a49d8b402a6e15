import type { ExecutionRecord } from '../../domain/execution.ts';
import type { AdmissionRequest } from '../../domain/executions.ts';
import { recoveryOf, timersOf } from '../../domain/interruption.ts';
import { loosened } from '../../domain/loosened.ts';
import {
  type ExecutionGate,
  executionGates,
  isGated,
  type Reserved,
  scheduleGates,
} from '../../domain/scheduling/task-gates.ts';
import { tenantOf } from '../../domain/scope.ts';
import type { TaskDefinition } from '../../domain/task.ts';
import type { EndWebhook } from '../../domain/webhook.ts';
import type { ExecutionInput } from '../../machines/execution-context.ts';
import { totalDeadlineOf } from '../../machines/timers.ts';
import { functionIdentity } from '../function-identity.ts';

/** When a request is admitted, in milliseconds since the epoch. */
export interface AdmissionTime {
  /** As people read it. */
  readonly wall: number;
  /** As deadlines count. */
  readonly steady: number;
}

/** The record of an execution before anything has happened to it; `isBlocked` where it waits for what it follows. */
export function newRecord(
  request: AdmissionRequest,
  ids: { readonly executionId: string; readonly requestId: string },
  at: AdmissionTime,
  {
    reserves,
    placement,
    isAnswered = false,
    isBlocked = false,
  }: {
    readonly reserves?: Reserved | undefined;
    readonly placement?: string | undefined;
    /** It ends at once with a result that is there. */
    readonly isAnswered?: boolean;
    /** It waits for what it follows. */
    readonly isBlocked?: boolean;
  } = {},
): ExecutionRecord {
  const { task, alias, rerun, timeouts, labels, priority, fairnessKey, trace, dependsOn, cache, schedule } =
    request;
  const gates = isAnswered ? none : gatesFor(request);
  const allowed = loosenedOf(task.definition);
  const onEnd = webhooksOf(request);
  return {
    executionId: ids.executionId,
    taskId: task.taskId,
    taskName: task.definition.name,
    taskRevision: task.revision,
    functionName: request.invocation.functionName,
    mode: request.mode,
    invocationId: request.invocationId,
    payloadDigest: request.payloadDigest,
    requestId: ids.requestId,
    metadata: request.metadata,
    contentType: request.invocation.contentType,
    cancelOnDisconnect: request.cancelOnDisconnect,
    deadlines: {
      total: totalDeadlineOf({ now: at.steady, ...timeouts }),
      ...(request.startAfterMs > 0 && { startAt: at.steady + request.startAfterMs }),
      ...(timeouts.queueMs !== undefined && { queueMs: timeouts.queueMs }),
      ...(timeouts.attemptMs !== undefined && { attemptMs: timeouts.attemptMs }),
    },
    status: 'pending',
    state: '',
    attempt: 0,
    instanceId: '',
    createdAt: at.wall,
    queueTimeMs: 0,
    executionTimeMs: 0,
    lastSequence: 0,
    attemptSequence: 0,
    outputBytes: 0,
    outputEvents: 0,
    droppedBytes: 0,
    resourceUse: {},
    // Last: V8 makes what comes before the first of these in one step, and all after it field by field.
    ...(task.tenant !== undefined && { tenant: task.tenant }),
    ...(allowed.length > 0 && { loosened: allowed }),
    ...(labels !== undefined && { labels }),
    ...(priority !== undefined && { priority }),
    ...(fairnessKey !== undefined && { fairnessKey }),
    ...(gates.length > 0 && { gates }),
    ...(trace !== undefined && { trace }),
    ...(dependsOn !== undefined && { dependsOn, ...(isBlocked && { blocked: true }) }),
    ...(alias !== undefined && { alias }),
    ...(rerun !== undefined && { rerun }),
    ...(reserves !== undefined && { reserves }),
    ...(placement !== undefined && { placement }),
    ...(onEnd.length > 0 && { onEnd }),
    ...(request.onEnd !== undefined && request.onEnd.length > 0 && { ownWebhooks: request.onEnd.length }),
    ...(cache !== undefined && { cache: { key: cache.key, use: cache.bypass ? 'bypass' : 'miss' } as const }),
    ...(schedule !== undefined && { schedule: schedule.name }),
  };
}

const nobody: readonly EndWebhook[] = [];

/** Those of its task, and its own. */
function webhooksOf({ task, onEnd = nobody }: AdmissionRequest): readonly EndWebhook[] {
  const ofTask = task.definition.onEnd ?? nobody;
  return onEnd.length === 0 ? ofTask : [...ofTask, ...onEnd];
}

const none: readonly ExecutionGate[] = [];

/** Throws invalid_argument for a value that cannot be told apart by. */
function gatesFor({ task, metadata, invocation, schedule }: AdmissionRequest): readonly ExecutionGate[] {
  const { parameters } = invocation;
  const { definition } = task;
  const own = schedule === undefined ? none : scheduleGates(schedule.name, schedule.overlap);
  if (!isGated(definition)) return own;
  const identity = definition.restartIntensity === undefined ? '' : functionIdentity(definition);
  const ofTask = executionGates(definition, { tenant: tenantOf(task), metadata, parameters, identity });
  return own.length === 0 ? ofTask : [...ofTask, ...own];
}

const loosenedLines = new WeakMap<TaskDefinition, readonly string[]>();

/** Once for each definition: its executions share the lines. */
function loosenedOf(definition: TaskDefinition): readonly string[] {
  let lines = loosenedLines.get(definition);
  if (lines === undefined) {
    lines = loosened(definition);
    loosenedLines.set(definition, lines);
  }
  return lines;
}

/** What the chart of that execution starts from. */
export function chartInput(
  record: ExecutionRecord,
  request: AdmissionRequest,
  at: AdmissionTime,
): ExecutionInput {
  const { startAt, queueMs, attemptMs } = record.deadlines;
  return {
    executionId: record.executionId,
    now: at.steady,
    totalMs: request.timeouts.totalMs,
    ...(request.timeouts.totalFrom !== undefined && { totalFrom: request.timeouts.totalFrom }),
    graceMs: request.task.definition.graceMs,
    retry: request.task.definition.retry,
    ...interruptionOf(request.task.definition),
    ...(record.blocked === true && { isBlocked: true as const }),
    ...(startAt !== undefined && { startAt }),
    ...(queueMs !== undefined && { queueMs }),
    ...(attemptMs !== undefined && { attemptMs }),
  };
}

type Interruption = Pick<ExecutionInput, 'recovery' | 'timers'>;

const interruptions = new WeakMap<TaskDefinition, Interruption>();

/** Once for each definition: its executions share the objects. */
function interruptionOf(definition: TaskDefinition): Interruption {
  let known = interruptions.get(definition);
  if (known === undefined) {
    known = {
      recovery: recoveryOf(definition),
      ...(definition.timers !== undefined && { timers: timersOf(definition) }),
    };
    interruptions.set(definition, known);
  }
  return known;
}
