/** Schedules between messages and the domain. */
import { create, fromJson, type JsonValue, type MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs, type Timestamp, type Value, ValueSchema } from '@bufbuild/protobuf/wkt';
import { fieldsWithin, invalidArgument, quote } from '../../domain/errors.ts';
import type { ShownSchedule } from '../../domain/schedule/port.ts';
import {
  defaultCatchUpMs,
  type Firing,
  type FiringCause,
  type FiringResult,
  leastCatchUpMs,
  leastIntervalMs,
  mostJitterMs,
  type Overlap,
  overlaps,
  type ScheduleDraft,
  type ScheduledCall,
  type ScheduleRules,
  type SeenFiring,
  scheduleEvents,
  type Timing,
} from '../../domain/schedule/schedule.ts';
import { priorities } from '../../domain/scheduling/priority.ts';
import { tenantOf } from '../../domain/scope.ts';
import {
  type InvokeFunctionRequest,
  type InvokeFunctionRequestSchema,
  Priority,
} from '../gen/spearlet/function_pb.js';
import {
  type Firing as FiringMessage,
  FiringSchema,
  type ScheduleDefinition,
  ScheduleDefinitionSchema,
  type Schedule as ScheduleMessage,
  ScheduleOverlap,
  ScheduleSchema,
  FiringCause as WireCause,
  FiringResult as WireResult,
} from '../gen/spearlet/schedule_pb.js';
import { int32, int64, time } from './bounded.ts';
import { recordToWire } from './execution.ts';
import { delay, instant, metadata, positiveDuration, reference, text } from './fields.ts';
import { invocationFromWire, timeoutsFromWire } from './invocation.ts';
import { labelsFromWire } from './labels.ts';
import { priorityToWire, turnFrom } from './turn.ts';

const namePattern = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const mostCallBytes = 1024 * 1024;
const longestDescription = 1024;

/** What a definition says; `now` is where intervals count from that have no start. Throws invalid_argument. */
export function draftFromWire(definition: ScheduleDefinition | undefined, now: number): ScheduleDraft {
  if (definition === undefined) throw invalidArgument('definition', 'is required');
  const { invocation } = definition;
  if (invocation === undefined) throw invalidArgument('definition.invocation', 'is required');
  const startAt = instant('definition.start_at', definition.startAt);
  const endAt = instant('definition.end_at', definition.endAt);
  if (startAt !== undefined && endAt !== undefined && endAt < startAt) {
    throw invalidArgument('definition.end_at', 'is before start_at; allowed is the same time or a later one');
  }
  const jitterMs = delay('definition.jitter', definition.jitter) ?? 0;
  if (jitterMs > mostJitterMs) {
    throw invalidArgument('definition.jitter', `is ${jitterMs} ms; allowed is at most 1 day`);
  }
  return {
    name: scheduleName('definition.name', definition.name),
    task: reference('definition.invocation.task', invocation.task),
    // The second that it is made in has passed, also at its first millisecond.
    timing: timingFrom(definition, startAt ?? Math.floor(now) + 1),
    overlap: overlapFrom('definition.overlap', definition.overlap, 'skip'),
    catchUpMs: catchUpFrom(definition),
    jitterMs,
    ...(startAt !== undefined && { startAt }),
    ...(endAt !== undefined && { endAt }),
    description: text('definition.description', definition.description, longestDescription),
    call: fieldsWithin('definition.invocation', () => callFrom(invocation)),
  };
}

export function scheduleName(field: string, name: string): string {
  if (namePattern.test(name)) return name;
  throw invalidArgument(
    field,
    `is ${quote(name)}; allowed are 1 to 63 of a-z, 0-9, ".", "_" and "-", beginning with a letter or digit`,
  );
}

export function overlapFrom(field: string, value: ScheduleOverlap, usual: Overlap): Overlap {
  const found = value === ScheduleOverlap.UNSPECIFIED ? usual : overlaps[value - 1];
  if (found !== undefined) return found;
  throw invalidArgument(
    field,
    `${value} is none; allowed are SKIP (1), QUEUE (2), CANCEL_RUNNING (3) and ALLOW (4)`,
  );
}

function timingFrom({ when, timezone }: ScheduleDefinition, anchor: number): Timing {
  const zone = text('definition.timezone', timezone, 64);
  switch (when.case) {
    case 'cron':
      return { kind: 'cron', cron: text('definition.cron', when.value, 256), timezone: zone || 'UTC' };
    case 'interval': {
      const everyMs = positiveDuration('definition.interval', when.value) ?? 0;
      if (everyMs < leastIntervalMs) {
        throw invalidArgument('definition.interval', `is ${everyMs} ms; allowed is 1 s or more`);
      }
      if (everyMs % 1000 !== 0) {
        throw invalidArgument('definition.interval', `is ${everyMs} ms; allowed are whole seconds`);
      }
      if (zone !== '') throw invalidArgument('definition.timezone', 'is for cron; an interval has none');
      // Instants are whole seconds, as those of cron are.
      return { kind: 'interval', everyMs, anchor: Math.ceil(anchor / 1000) * 1000 };
    }
    default:
      throw invalidArgument('definition.cron', 'is required, or interval');
  }
}

function catchUpFrom({ catchUp }: ScheduleDefinition): number {
  const ms = positiveDuration('definition.catch_up', catchUp) ?? defaultCatchUpMs;
  if (ms >= leastCatchUpMs) return ms;
  throw invalidArgument('definition.catch_up', `is ${ms} ms; allowed is 10 s or more`);
}

const refused = {
  execution_mode: ({ executionMode }) => executionMode !== 0,
  wait_budget: ({ waitBudget }) => waitBudget !== undefined,
  start_after: ({ startAfter }) => startAfter !== undefined,
  invocation_id: ({ invocationId }) => invocationId !== '',
  cancel_on_disconnect: ({ cancelOnDisconnect }) => cancelOnDisconnect,
  max_inline_bytes: ({ maxInlineBytes }) => maxInlineBytes !== undefined,
  dry_run: ({ dryRun }) => dryRun,
  depends_on: ({ dependsOn }) => dependsOn.length > 0,
  // Those of the task are told.
  on_end: ({ onEnd }) => onEnd.length > 0,
} satisfies Record<string, (invocation: InvokeFunctionRequest) => boolean>;

function callFrom(message: InvokeFunctionRequest): ScheduledCall {
  for (const [field, isSet] of Object.entries(refused)) {
    if (isSet(message))
      throw invalidArgument(field, 'is not for what comes again and again; a schedule has none');
  }
  const invocation = invocationFromWire(message);
  const bytes = invocation.input.byteLength + JSON.stringify(invocation.parameters).length;
  if (bytes > mostCallBytes) {
    throw invalidArgument('input', `has ${bytes} bytes with the parameters; allowed are ${mostCallBytes}`);
  }
  return {
    invocation,
    metadata: metadata('metadata', message.metadata),
    labels: labelsFromWire(message.labels),
    timeouts: timeoutsFromWire('timeouts', message.timeouts),
    ...statedTurn(message),
    ...(message.refuseIfLate && { refuseIfLate: true as const }),
    ...(message.bypassCache && { bypassCache: true as const }),
  };
}

/** Normal is said, too: the task may say another. */
function statedTurn(message: InvokeFunctionRequest): Pick<ScheduledCall, 'priority' | 'fairnessKey'> {
  turnFrom(message, {});
  const priority = priorities[message.priority - 1];
  const { fairnessKey } = message;
  return { ...(priority !== undefined && { priority }), ...(fairnessKey !== '' && { fairnessKey }) };
}

/** `call` is not there in lists; `variables` says whether values of the environment are shown. */
export function definitionToWire(
  rules: ScheduleRules,
  call: ScheduledCall | undefined,
  variables: boolean,
): ScheduleDefinition {
  const { timing, startAt, endAt } = rules;
  return create(ScheduleDefinitionSchema, {
    name: rules.name,
    invocation: call === undefined ? { task: rules.task } : invocationToWire(rules.task, call, variables),
    when:
      timing.kind === 'cron'
        ? { case: 'cron', value: timing.cron }
        : { case: 'interval', value: durationFromMs(timing.everyMs) },
    timezone: timing.kind === 'cron' ? timing.timezone : '',
    overlap: overlapToWire(rules.overlap),
    catchUp: durationFromMs(rules.catchUpMs),
    ...(rules.jitterMs > 0 && { jitter: durationFromMs(rules.jitterMs) }),
    ...(startAt !== undefined && { startAt: time(startAt) }),
    ...(endAt !== undefined && { endAt: time(endAt) }),
    description: rules.description,
  });
}

function overlapToWire(overlap: Overlap): ScheduleOverlap {
  return overlaps.indexOf(overlap) + 1;
}

function invocationToWire(
  task: string,
  { invocation, timeouts, ...call }: ScheduledCall,
  variables: boolean,
): MessageInitShape<typeof InvokeFunctionRequestSchema> {
  const { queueMs, attemptMs, totalMs } = timeouts;
  const environment = Object.entries(invocation.environment).map(([name, value]) => [
    name,
    variables ? value : '',
  ]);
  return {
    task,
    functionName: invocation.functionName,
    parameters: parametersToWire(invocation.parameters),
    input: invocation.input,
    contentType: invocation.contentType,
    args: [...invocation.args],
    environment: Object.fromEntries(environment),
    forceNewInstance: invocation.forceNewInstance,
    metadata: call.metadata,
    labels: call.labels,
    priority: call.priority === undefined ? Priority.UNSPECIFIED : priorityToWire(call.priority),
    fairnessKey: call.fairnessKey ?? '',
    refuseIfLate: call.refuseIfLate ?? false,
    bypassCache: call.bypassCache ?? false,
    ...(Object.keys(timeouts).length > 0 && {
      timeouts: {
        ...(queueMs !== undefined && { queue: durationFromMs(queueMs) }),
        ...(attemptMs !== undefined && { attempt: durationFromMs(attemptMs) }),
        ...(totalMs !== undefined && { total: durationFromMs(totalMs) }),
      },
    }),
  };
}

function parametersToWire(parameters: ScheduledCall['invocation']['parameters']): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [name, fromJson(ValueSchema, value as JsonValue)]),
  );
}

export function scheduleToWire(shown: ShownSchedule, now: number, variables: boolean): ScheduleMessage {
  const { schedule, call, last, failedInARow } = shown;
  const { pause, next, counts } = schedule;
  return create(ScheduleSchema, {
    definition: definitionToWire(schedule.rules, call, variables),
    revision: schedule.revision,
    tenant: tenantOf(schedule),
    createdAt: time(schedule.createdAt),
    updatedAt: time(schedule.updatedAt),
    principal: schedule.owner.name,
    state: schedule.state,
    ...(pause !== undefined && { pauseReason: pause.reason, pausedAt: time(pause.at), pausedBy: pause.by }),
    ...(next !== undefined && { next: time(next) }),
    fired: int64(counts.fired),
    skipped: int64(counts.skipped),
    missed: int64(counts.missed),
    refused: int64(counts.refused),
    refusedInARow: int32(schedule.refusedInARow),
    failedInARow: int32(failedInARow),
    ...(last !== undefined && { last: firingToWire(last, now) }),
    allowedEvents: [...scheduleEvents(schedule.state)],
  });
}

const causes: Readonly<Record<FiringCause, WireCause>> = {
  clock: WireCause.CLOCK,
  trigger: WireCause.TRIGGER,
  backfill: WireCause.BACKFILL,
};

const results: Readonly<Record<FiringResult, WireResult>> = {
  fired: WireResult.FIRED,
  skipped: WireResult.SKIPPED,
  missed: WireResult.MISSED,
  refused: WireResult.REFUSED,
  repeated: WireResult.REPEATED,
};

export function firingToWire({ firing, record }: SeenFiring, now: number): FiringMessage {
  const { missed } = firing;
  return create(FiringSchema, {
    sequence: int64(firing.sequence),
    instant: time(firing.instant),
    at: time(firing.at),
    cause: causes[firing.cause],
    result: results[firing.result],
    executionId: firing.executionId ?? '',
    reason: firing.reason ?? '',
    message: (firing.message ?? '').toWellFormed(),
    ...(missed !== undefined && { until: time(missed.until), count: missed.count, more: missed.more }),
    ...(record !== undefined && { execution: recordToWire(record, now) }),
  });
}

/** Of a dry run: nothing has become of it. */
export function plannedFiringToWire({
  instant: at,
  cause,
}: Pick<Firing, 'instant' | 'cause'>): FiringMessage {
  return create(FiringSchema, { instant: time(at), cause: causes[cause] });
}

export function timesToWire(instants: readonly number[]): Timestamp[] {
  return instants.map(time);
}
