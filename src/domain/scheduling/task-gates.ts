/** Which gates an execution of a task has to pass: its keys, and the values that it had at admission. */
import { invalidArgument, quote } from '../errors.ts';
import type { ExecutionRecord, JsonValue } from '../execution.ts';
import { tenantOf } from '../scope.ts';
import type { ConcurrencyLimit, Limits, RateLimit, Task, TaskDefinition } from '../task.ts';
import type { ConcurrencyUse, GateUse } from './gate.ts';

export const mostValueBytes = 256;

/** A limit of a task with the value that one of its executions has for the key. */
export type ExecutionGate = (ConcurrencyLimit | RateLimit) & { readonly value: string };

/** What an attempt of an execution takes of what there is to hand out; absent is nothing. */
export interface Reserved {
  /** Bytes. */
  readonly memory?: number;
  /** Processor cores. */
  readonly cpu?: number;
}

const none: readonly never[] = [];

/** What attempts of a task reserve: their limits of memory and of processor. Undefined for a task without either. */
export function reservedBy({ memory, cpu }: Pick<Limits, 'memory' | 'cpu'>): Reserved | undefined {
  if (memory === undefined && cpu === undefined) return undefined;
  return { ...(memory !== undefined && { memory }), ...(cpu !== undefined && { cpu }) };
}

/** Whether anything but slots can hold executions of a task. */
export function isGated({ concurrency = none, rate = none }: Pick<TaskDefinition, 'concurrency' | 'rate'>) {
  return concurrency.length > 0 || rate.length > 0;
}

interface Values {
  readonly tenant: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly parameters: Readonly<Record<string, JsonValue>>;
}

/**
 * What an execution of the task has to pass, concurrency first. Throws invalid_argument, naming it, for a value that is
 * no short scalar.
 */
export function executionGates(
  { name, concurrency = none, rate = none }: Pick<TaskDefinition, 'name' | 'concurrency' | 'rate'>,
  values: Values,
): readonly ExecutionGate[] {
  return [...concurrency, ...rate].map((limit) => ({ ...limit, value: valueFor(limit.key, name, values) }));
}

/** As the order of runs takes them. */
export function gatesOf(
  record: Pick<ExecutionRecord, 'tenant' | 'taskId' | 'taskRevision' | 'gates' | 'reserves'>,
): readonly GateUse[] {
  const { taskId, taskRevision: version, gates, reserves } = record;
  if (gates === undefined && reserves === undefined) return none;
  const tenant = tenantOf(record);
  const keyed = (gates ?? none).map((gate) => {
    const rule = `${taskId}/${gate.key}`;
    const meter = isOfTask(gate.key) ? `${rule}=${gate.value}` : `${tenant}/${gate.key}`;
    return useOf(gate, { rule, meter, value: gate.value, version });
  });
  return reserves === undefined ? keyed : [...keyed, ...reservations(reserves, tenant)];
}

/** From what the tenant may have, and from what the node has. */
function reservations({ memory = 0, cpu = 0 }: Reserved, tenant: string): readonly GateUse[] {
  const of = { rule: tenant, meter: tenant, key: 'tenant', value: tenant };
  return [
    ...(memory > 0 ? [{ kind: 'quotaMemory' as const, ...of, memoryBytes: memory }] : none),
    { kind: 'resources', memoryBytes: memory, processors: cpu },
  ];
}

/** The limits of a revision of a task, for whatever values. */
export function rulesOf({
  taskId,
  revision: version,
  definition: { concurrency = none, rate = none },
}: Pick<Task, 'taskId' | 'revision' | 'definition'>): readonly GateUse[] {
  return [...concurrency, ...rate].map((limit) =>
    useOf(limit, { rule: `${taskId}/${limit.key}`, meter: '', value: '', version }),
  );
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
