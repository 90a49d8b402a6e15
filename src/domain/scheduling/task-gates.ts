/** Which gates an execution of a task has to pass: its keys, and the values that it had at admission. */
import { invalidArgument, quote } from '../errors.ts';
import type { ExecutionRecord, JsonValue } from '../execution.ts';
import type { Overlap } from '../schedule/schedule.ts';
import { tenantOf } from '../scope.ts';
import type {
  ConcurrencyLimit,
  Limits,
  RateLimit,
  RestartIntensity,
  Task,
  TaskDefinition,
  WhenFull,
} from '../task.ts';
import type { ConcurrencyUse, GateUse, QuarantineUse } from './gate.ts';

export const mostValueBytes = 256;

/** A limit of a task with the value that one of its executions has for the key. */
export type ExecutionGate = (ConcurrencyLimit | RateLimit | FailureLimit) & { readonly value: string };

/** The restart intensity of a task; its value names what the task runs. */
interface FailureLimit extends Omit<RestartIntensity, 'whenQuarantined'> {
  readonly key: string;
}

/** What an attempt of an execution takes of what there is to hand out; absent is nothing. */
export interface Reserved {
  /** Bytes. */
  readonly memory?: number;
  /** Processor cores. */
  readonly cpu?: number;
}

const none: readonly never[] = [];
/** What the keys of schedules begin with. */
const ofSchedules = 'schedule.';

/** What attempts of a task reserve: their limits of memory and of processor. Undefined for a task without either. */
export function reservedBy({ memory, cpu }: Pick<Limits, 'memory' | 'cpu'>): Reserved | undefined {
  if (memory === undefined && cpu === undefined) return undefined;
  return { ...(memory !== undefined && { memory }), ...(cpu !== undefined && { cpu }) };
}

/** Whether anything but slots can hold executions of a task. */
export function isGated({ concurrency = none, rate = none, restartIntensity }: Limiting) {
  return concurrency.length > 0 || rate.length > 0 || restartIntensity !== undefined;
}

type Limiting = Pick<TaskDefinition, 'concurrency' | 'rate' | 'restartIntensity'>;

interface Values {
  readonly tenant: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly parameters: Readonly<Record<string, JsonValue>>;
  /** The same for definitions that run the same in the same way. */
  readonly identity: string;
}

/**
 * What an execution of the task has to pass, a quarantine first. Throws invalid_argument, naming it, for a value that is
 * no short scalar.
 */
export function executionGates(
  { name, concurrency = none, rate = none, restartIntensity }: Pick<TaskDefinition, 'name'> & Limiting,
  values: Values,
): readonly ExecutionGate[] {
  return [
    ...(restartIntensity === undefined ? none : [failureLimit(restartIntensity, values.identity)]),
    ...[...concurrency, ...rate].map((limit) => ({ ...limit, value: valueFor(limit.key, name, values) })),
  ];
}

const fullOf: Readonly<Record<Exclude<Overlap, 'allow'>, WhenFull>> = {
  skip: 'refuse',
  queue: 'queue',
  cancelRunning: 'cancelRunning',
};

/** One execution of a schedule at a time, whatever its task is by then; none where several may run. */
export function scheduleGates(name: string, overlap: Overlap): readonly ExecutionGate[] {
  if (overlap === 'allow') return none;
  return [{ key: scheduleKey(name), limit: 1, whenFull: fullOf[overlap], value: '' }];
}

/** No task can have such a key. */
export function scheduleKey(name: string): string {
  return `${ofSchedules}${name}`;
}

function failureLimit({ failures, withinMs }: RestartIntensity, value: string): ExecutionGate {
  return { key: 'task', value, failures, withinMs };
}

/** The gate of a task's quarantine, by what it runs; undefined where it is never quarantined. */
export function quarantineOf(
  {
    taskId,
    revision,
    definition: { name, restartIntensity },
  }: Pick<Task, 'taskId' | 'revision' | 'definition'>,
  identity: string,
): QuarantineUse | undefined {
  if (restartIntensity === undefined) return undefined;
  return quarantineUse({ taskId, taskName: name, taskRevision: revision }, restartIntensity, identity);
}

/** Each of what a task has run has its own: one that was mended does not wait for what it has replaced. */
function quarantineUse(
  { taskId, taskName, taskRevision }: Pick<ExecutionRecord, 'taskId' | 'taskName' | 'taskRevision'>,
  { failures, withinMs }: RestartIntensity,
  identity: string,
): QuarantineUse {
  const rule = `${taskId}/task`;
  const what = { rule, meter: `${rule}=${identity}`, key: 'task', value: taskName, version: taskRevision };
  return { kind: 'quarantine', ...what, failures, withinMs };
}

/** As the order of runs takes them. */
export function gatesOf(
  record: Pick<
    ExecutionRecord,
    'tenant' | 'taskId' | 'taskName' | 'taskRevision' | 'gates' | 'reserves' | 'placement'
  >,
): readonly GateUse[] {
  const { taskId, taskRevision: version, gates, reserves, placement } = record;
  if (gates === undefined && reserves === undefined && placement === undefined) return none;
  const tenant = tenantOf(record);
  const keyed = (gates ?? none).map((gate): GateUse => {
    if ('failures' in gate) return quarantineUse(record, gate, gate.value);
    const rule = `${gate.key.startsWith(ofSchedules) ? tenant : taskId}/${gate.key}`;
    const meter = isOfTask(gate.key) ? `${rule}=${gate.value}` : `${tenant}/${gate.key}`;
    return useOf(gate, { rule, meter, value: gate.value, version });
  });
  if (placement !== undefined) {
    keyed.push({ kind: 'place', rule: 'place', meter: placement, key: 'runs_on', value: placement });
  }
  return reserves === undefined ? keyed : [...keyed, ...reservations(reserves, tenant, placement)];
}

/** From what the tenant may have, and from what the node has. */
function reservations(
  { memory = 0, cpu = 0 }: Reserved,
  tenant: string,
  placement: string | undefined,
): readonly GateUse[] {
  const of = { rule: tenant, meter: tenant, key: 'tenant', value: tenant };
  return [
    ...(memory > 0 ? [{ kind: 'quotaMemory' as const, ...of, memoryBytes: memory }] : none),
    {
      ...{ kind: 'resources' as const, memoryBytes: memory, processors: cpu },
      ...(placement !== undefined && { placement }),
    },
  ];
}

/** The limits of a revision of a task, for whatever values. */
export function rulesOf({
  taskId,
  revision: version,
  definition,
}: Pick<Task, 'taskId' | 'revision' | 'definition'>): readonly GateUse[] {
  const { concurrency = none, rate = none } = definition;
  const quarantine = quarantineOf({ taskId, revision: version, definition }, '');
  return [
    ...(quarantine === undefined ? none : [quarantine]),
    ...[...concurrency, ...rate].map((limit) =>
      useOf(limit, { rule: `${taskId}/${limit.key}`, meter: '', value: '', version }),
    ),
  ];
}

function useOf(
  limit: ConcurrencyLimit | RateLimit,
  of: Omit<ConcurrencyUse, 'kind' | 'key' | 'limit'>,
): GateUse {
  const { key } = limit;
  if (!('units' in limit)) return { kind: 'concurrency', key, ...of, limit: limit.limit };
  const { units, perMs, burst = 1 } = limit;
  return { kind: 'rate', key, ...of, units, perMs, burst };
}

/** What is to happen to others of its value hangs on those that wait: all of them have to be known. */
export function hasToBeKnown({ gates }: Pick<ExecutionRecord, 'gates'>): boolean {
  if (gates === undefined) return false;
  return gates.some((gate) => 'whenFull' in gate && gate.whenFull !== undefined && gate.whenFull !== 'queue');
}

/** `metadata.user "a"`, as people are told of it. */
export function keyWords({ key, value }: { readonly key: string; readonly value: string }): string {
  return value === '' ? key : `${key} ${quote(value)}`;
}

/** It tells executions apart within the task; any other is one for all tasks of the tenant that have it. */
function isOfTask(key: string): boolean {
  return key === 'task' || key.includes('.');
}

function valueFor(key: string, task: string, { tenant, metadata, parameters }: Values): string {
  if (key === 'task') return task;
  if (key === 'tenant') return tenant;
  const name = key.slice(key.indexOf('.') + 1);
  if (key.startsWith('metadata.')) {
    return short(key, Object.hasOwn(metadata, name) ? (metadata[name] ?? '') : '');
  }
  if (!key.startsWith('parameters.') || !Object.hasOwn(parameters, name)) return '';
  const value = parameters[name] ?? '';
  if (typeof value !== 'object') return short(key, String(value));
  const is = Array.isArray(value) ? 'a list' : 'an object';
  throw invalidArgument(
    key,
    `is ${is}, and the task limits executions by it; allowed is a text, a number, true or false`,
  );
}

function short(key: string, value: string): string {
  const bytes = Buffer.byteLength(value);
  if (bytes <= mostValueBytes) return value;
  throw invalidArgument(
    key,
    `has ${bytes} bytes, and the task limits executions by it; allowed are ${mostValueBytes}`,
  );
}
