/**
 * The spans of an execution that has ended, made of its log alone:
 *
 *     the execution ─┬─ queue       each wait for its first slot
 *                    └─ attempt N   each try, until nothing of it is left
 *
 * The same log gives the same spans, with the same ids. Times are those of the log, in milliseconds.
 */
import type { NewEvent } from '../../domain/event.ts';
import type { ExecutionRecord, Outcome } from '../../domain/execution.ts';
import { tenantOf } from '../../domain/scope.ts';
import { attemptSpan, type ExecutionTrace, executionSpan, queueSpan } from '../../domain/trace.ts';
import {
  type Attributes,
  attributesOf,
  nanoseconds,
  type OtlpEvent,
  type OtlpSpan,
  remoteParentFlag,
  sampledFlags,
  spanKinds,
  statusError,
} from './otlp.ts';

type Transition = Extract<NewEvent, { kind: 'transition' }>;
type Refusal = Extract<NewEvent, { kind: 'refusal' }>;

/** A log without its output; of one that retention has cut, there is nothing but its end. */
export interface EndedLog {
  readonly transitions: readonly Transition[];
  readonly refusals: readonly Refusal[];
  /** The time of its result, in milliseconds since the epoch. */
  readonly lastTime: number;
}

/** Events of one span, as the OpenTelemetry specification bounds them by default. */
const mostEvents = 128;
const mostMessage = 1024;

export function executionSpans(
  record: ExecutionRecord,
  trace: ExecutionTrace,
  log: EndedLog,
): readonly OtlpSpan[] {
  const attempts = attemptsIn(record, log);
  return [
    wholeSpan(record, trace, log),
    ...waitsIn(log).map((wait) => waitSpan(record, trace, wait)),
    ...attempts.map((attempt) => spanOfAttempt(record, trace, attempt, log)),
  ];
}

function wholeSpan(record: ExecutionRecord, trace: ExecutionTrace, log: EndedLog): OtlpSpan {
  const { executionId, outcome } = record;
  const [admission] = log.transitions;
  const remote = trace.parentId === undefined ? 0 : remoteParentFlag;
  return {
    ...spanOf(trace, executionSpan(executionId), trace.parentId),
    flags: sampledFlags | remote,
    name: record.taskName,
    kind: record.mode === 'async' ? spanKinds.consumer : spanKinds.server,
    ...lasting(admission?.time ?? record.createdAt, log.lastTime),
    attributes: attributesOf({ ...ofExecution(record), 'spear.by': admission?.by }),
    ...boundedEvents(log.transitions.flatMap(stepOf)),
    ...failureOf(outcome),
  };
}

/** See https://opentelemetry.io/docs/specs/semconv/faas/faas-spans/. */
function ofExecution(record: ExecutionRecord): Attributes {
  const { executionId, outcome, resourceUse, gates, labels = {} } = record;
  return {
    'faas.name': record.taskName,
    'faas.version': String(record.taskRevision),
    'faas.invocation_id': executionId,
    // Called and answered, or not: gRPC and HTTP are the only ways here.
    'faas.trigger': record.mode === 'async' ? 'other' : 'http',
    'error.type': outcome === undefined || outcome.status === 'completed' ? undefined : outcome.code,
    'spear.execution.id': executionId,
    'spear.execution.mode': record.mode,
    'spear.execution.status': record.status,
    'spear.execution.attempts': record.attempt,
    'spear.execution.recoveries': record.recoveries,
    'spear.execution.exit_code': outcome?.exitCode,
    'spear.execution.output_bytes': record.outputBytes,
    'spear.execution.cpu_time_us': resourceUse.cpuTimeUs,
    'spear.execution.peak_memory_bytes': resourceUse.peakMemoryBytes,
    'spear.execution.origin_id': record.originId,
    'spear.tenant': tenantOf(record),
    'spear.task.id': record.taskId,
    'spear.task.name': record.taskName,
    'spear.function': record.functionName === '' ? undefined : record.functionName,
    'spear.invocation_id': record.invocationId === '' ? undefined : record.invocationId,
    'spear.priority': record.priority,
    'spear.fairness_key': record.fairnessKey,
    'spear.gates': gates?.map(({ key }) => key),
    ...Object.fromEntries(Object.entries(labels).map(([name, value]) => [`spear.label.${name}`, value])),
  };
}

interface Wait {
  readonly sequence: number;
  readonly from: number;
  readonly to: number;
}

function waitsIn({ transitions, lastTime }: EndedLog): Wait[] {
  return transitions.flatMap(({ to, sequence, time }, index) => {
    if (to !== 'pending.queued') return [];
    return [{ sequence, from: time, to: transitions[index + 1]?.time ?? lastTime }];
  });
}

function waitSpan(record: ExecutionRecord, trace: ExecutionTrace, { sequence, from, to }: Wait): OtlpSpan {
  const { executionId } = record;
  return {
    ...spanOf(trace, queueSpan(executionId, sequence), executionSpan(executionId)),
    name: 'queue',
    ...lasting(from, to),
    attributes: attributesOf({
      'spear.execution.id': executionId,
      'spear.priority': record.priority ?? 'normal',
      'spear.fairness_key': record.fairnessKey,
    }),
    events: [],
  };
}

interface AttemptInLog {
  readonly number: number;
  readonly from: number;
  to: number;
  /** An error code; empty where it ended well, or for no fault of its own. */
  code: string;
  lost: boolean;
}

/** An attempt ends with the event that says so, or with the execution. One that stands still is under way. */
function attemptsIn({ outcome }: ExecutionRecord, { transitions, lastTime }: EndedLog): AttemptInLog[] {
  const attempts: AttemptInLog[] = [];
  let open: AttemptInLog | undefined;
  for (const { attempt, to, eventType, reasonCode, time } of transitions) {
    if (open !== undefined && (eventType === 'attemptEnded' || eventType === 'lost')) {
      Object.assign(open, { to: time, code: reasonCode, lost: eventType === 'lost' });
      open = undefined;
    }
    if (to !== 'running.attempting' || attempts.at(-1)?.number === attempt) continue;
    open = { number: attempt, from: time, to: lastTime, code: '', lost: false };
    attempts.push(open);
  }
  if (open !== undefined && outcome !== undefined && outcome.status !== 'completed') open.code = outcome.code;
  return attempts;
}

function spanOfAttempt(
  record: ExecutionRecord,
  trace: ExecutionTrace,
  { number, from, to, code, lost }: AttemptInLog,
  { refusals }: EndedLog,
): OtlpSpan {
  const { executionId, outcome } = record;
  const isLast = number === record.attempt;
  const failed = lost ? 'INSTANCE_LOST' : code;
  return {
    ...spanOf(trace, attemptSpan(executionId, number), executionSpan(executionId)),
    name: `attempt ${number}`,
    ...lasting(from, to),
    attributes: attributesOf({
      'faas.instance': isLast && record.instanceId !== '' ? record.instanceId : undefined,
      'error.type': failed === '' ? undefined : failed,
      'spear.execution.id': executionId,
      'spear.attempt': number,
    }),
    ...boundedEvents(refusals.filter(({ attempt }) => attempt === number).map(refusalEvent)),
    ...(failed !== '' && (isLast ? failureOf(outcome) : errorStatus(failed))),
  };
}

/** What is worth to be seen of a step: those that begin and end spans are seen by these. */
function stepOf({ eventType, to, attempt, reasonCode, time, by }: Transition): OtlpEvent[] {
  const name = stepNames[eventType] ?? '';
  if (name === '' || (eventType === 'attemptEnded' && to !== 'running.backingOff')) return [];
  if (eventType === 'alarm' && to !== 'running.stopping') return [];
  const attributes = {
    'spear.attempt': attempt,
    'error.type': reasonCode === '' ? undefined : reasonCode,
    'spear.by': by,
  };
  return [{ timeUnixNano: nanoseconds(time), name, attributes: attributesOf(attributes) }];
}

/** By the event of the chart. */
const stepNames: Readonly<Record<string, string>> = {
  attemptEnded: 'retry',
  lost: 'attempt lost',
  reattached: 'attempt followed again',
  suspend: 'suspend',
  paused: 'suspend',
  resume: 'resume',
  cancel: 'cancel',
  alarm: 'timeout',
  limit: 'limit',
  restored: 'restored',
};

function refusalEvent({ time, host, port, address, rule, more }: Refusal): OtlpEvent {
  const attributes =
    more > 0
      ? { 'spear.network.refused': more }
      : {
          'server.address': host,
          'server.port': port === 0 ? undefined : port,
          'network.peer.address': address === '' ? undefined : address,
          'spear.network.rule': rule,
        };
  return { timeUnixNano: nanoseconds(time), name: 'network refused', attributes: attributesOf(attributes) };
}

function spanOf({ traceId, state }: ExecutionTrace, spanId: string, parentSpanId: string | undefined) {
  return {
    traceId,
    spanId,
    ...(parentSpanId !== undefined && { parentSpanId }),
    ...(state !== undefined && { traceState: state }),
    flags: sampledFlags,
    kind: spanKinds.internal,
  };
}

function lasting(from: number, to: number) {
  return { startTimeUnixNano: nanoseconds(from), endTimeUnixNano: nanoseconds(Math.max(from, to)) };
}

function boundedEvents(events: readonly OtlpEvent[]): Pick<OtlpSpan, 'events' | 'droppedEventsCount'> {
  const dropped = events.length - mostEvents;
  return dropped > 0 ? { events: events.slice(0, mostEvents), droppedEventsCount: dropped } : { events };
}

function failureOf(outcome: Outcome | undefined): Pick<OtlpSpan, 'status'> | undefined {
  if (outcome === undefined || outcome.status === 'completed') return undefined;
  return errorStatus(`${outcome.code}: ${outcome.message}`);
}

function errorStatus(message: string): Pick<OtlpSpan, 'status'> {
  return { status: { code: statusError, message: message.slice(0, mostMessage).toWellFormed() } };
}
