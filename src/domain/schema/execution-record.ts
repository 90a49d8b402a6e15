/** What an execution's record may say where one comes from elsewhere. */
import { breakpointStates } from '../breakpoint.ts';
import type { CacheUse } from '../cache.ts';
import { type Dependency, mostDependencies } from '../dependency.ts';
import type {
  BatchMembership,
  Deadlines,
  ExecutionRecord,
  Outcome,
  Rerun,
  ResourceUse,
  Termination,
} from '../execution.ts';
import { executionStatuses } from '../execution.ts';
import type { Reserved } from '../scheduling/task-gates.ts';
import { type ExecutionTrace, mostTraceState } from '../trace.ts';
import { mostWebhooks } from '../webhook.ts';
import {
  type Check,
  instant,
  list,
  Mismatch,
  map,
  object,
  oneOf,
  optional,
  text,
  truth,
  whole,
} from './check.ts';
import { executionGates } from './task-gates.ts';
import { webhooks } from './task-webhooks.ts';
import {
  errorCode,
  executionId,
  fairnessKey,
  label,
  labels,
  measured,
  mostCount,
  priority,
  statePath,
  taskId,
} from './values.ts';

const mostOutput = 4 * 1024 * 1024;

const deadlines = object<Deadlines>({
  startAt: optional(instant),
  total: instant,
  queueMs: optional(measured),
  attemptMs: optional(measured),
});

const resourceUse = object<ResourceUse>({
  cpuTimeUs: optional(measured),
  peakMemoryBytes: optional(measured),
});

const reserves = object<Reserved>({ memory: optional(measured), cpu: optional(measured) });

const outputParameter = object<{ readonly parameter: string }>({ parameter: label });

const dependency = object<Dependency>({
  executionId,
  name: optional(label),
  condition: optional(oneOf('ended')),
  onFailure: optional(oneOf('runAnyway')),
  output: optional<'input' | { readonly parameter: string }>((value, path) =>
    value === 'input' ? value : outputParameter(value, path),
  ),
});

const termination = object<Termination>({ rung: label, tookMs: measured });

const trace = object<ExecutionTrace>({
  traceId: text(32, /^[0-9a-f]{32}$/),
  parentId: optional(text(16, /^[0-9a-f]{16}$/)),
  sampled: truth,
  state: optional(text(mostTraceState, /^[\x20-\x7e]*$/)),
  spans: optional(truth),
});

const cache = object<CacheUse>({
  key: optional(text(64, /^[0-9a-f]{64}$/)),
  use: oneOf('miss', 'hit', 'shared', 'bypass'),
  from: optional(executionId),
  fromAt: optional(instant),
});

type Completed = Extract<Outcome, { status: 'completed' }>;
type Failed = Exclude<Outcome, Completed>;

const completed = object<Completed>({
  status: oneOf('completed'),
  exitCode: optional(whole(-mostCount, 2 ** 32)),
  output: optional(text(mostOutput)),
});

const failed = object<Failed>({
  status: oneOf('failed', 'timedOut', 'cancelled'),
  code: errorCode,
  message: text(mostOutput),
  exitCode: optional(whole(-mostCount, 2 ** 32)),
  output: optional(text(mostOutput)),
  termination: optional(termination),
});

export const outcomeCheck: Check<Outcome> = (value, path) => {
  const { status } = object<{ status: string }>({ status: label })(
    value !== null && typeof value === 'object' && 'status' in value ? { status: value.status } : value,
    path,
  );
  return status === 'completed' ? completed(value, path) : failed(value, path);
};

const record = object<ExecutionRecord>({
  executionId,
  // Where it was; where it goes on it belongs to who restores it.
  tenant: optional(label),
  taskId,
  taskName: label,
  taskRevision: whole(1, mostCount),
  functionName: label,
  mode: oneOf('sync', 'async', 'stream'),
  invocationId: text(256),
  payloadDigest: text(64, /^([0-9a-f]{64})?$/),
  requestId: label,
  metadata: map(text(8192), 64, text(8192)),
  contentType: label,
  cancelOnDisconnect: truth,
  deadlines,
  status: oneOf(...executionStatuses),
  state: statePath,
  attempt: whole(0, mostCount),
  instanceId: label,
  createdAt: instant,
  startedAt: optional(instant),
  completedAt: optional(instant),
  queueTimeMs: measured,
  executionTimeMs: measured,
  lastSequence: whole(1),
  attemptSequence: whole(0),
  outputBytes: whole(0),
  outputEvents: whole(0),
  droppedBytes: whole(0),
  resourceUse,
  loosened: optional(list(text(8192), 2048)),
  recoveries: optional(whole(0, mostCount)),
  inputDelivered: optional(whole(0, mostCount)),
  oldestSequence: optional(whole(1, 1)),
  originId: optional(executionId),
  restoredAt: optional(instant),
  alias: optional(label),
  rerun: optional(object<Rerun>({ of: executionId, id: label })),
  labels: optional(labels),
  priority: optional(priority),
  fairnessKey: optional(fairnessKey),
  gates: optional(executionGates),
  trace: optional(trace),
  schedule: optional(label),
  cache: optional(cache),
  onEnd: optional(webhooks),
  ownWebhooks: optional(whole(1, mostWebhooks)),
  // As it was; where it goes on, the task's limits there say it.
  reserves: optional(reserves),
  placement: optional(text(32 * 1024)),
  passes: optional(oneOf(...breakpointStates, '')),
  // Of the node where it was; a restore leaves them out.
  dependsOn: optional(list(dependency, mostDependencies)),
  blocked: optional(truth),
  batch: optional(
    object<BatchMembership>({
      batchId: label,
      member: whole(0, mostCount),
      name: optional(label),
      supervised: optional(truth),
    }),
  ),
  outcome: optional(outcomeCheck),
});

/** A record whose fields fit together: one that has ended says how and when, and no other does. */
export const recordCheck: Check<ExecutionRecord> = (value, path) => {
  const found = record(value, path);
  const { status, state, outcome, completedAt, attemptSequence, lastSequence } = found;
  const ended = outcome !== undefined;
  if (ended !== (completedAt !== undefined) || (outcome?.status ?? status) !== status) {
    throw new Mismatch(`${path}.outcome`, 'does not fit the status');
  }
  if (!ended && status !== 'pending' && status !== 'running') {
    throw new Mismatch(`${path}.outcome`, 'is missing, although it has ended');
  }
  if (state.split('.', 1)[0] !== status) throw new Mismatch(`${path}.state`, 'does not fit the status');
  if (attemptSequence > lastSequence) {
    throw new Mismatch(`${path}.attemptSequence`, 'is beyond the end of the log');
  }
  return found;
};
