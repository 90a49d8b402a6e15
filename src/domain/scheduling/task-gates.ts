/** Which gates an execution of a task has to pass: its keys, and the values that it had at admission. */
import { invalidArgument, quote } from '../errors.ts';
import type { ExecutionRecord, Invocation } from '../execution.ts';
import { tenantOf } from '../scope.ts';
import type { Task, TaskDefinition, WhenFull } from '../task.ts';
import type { GateUse } from './gate.ts';

export const mostValueBytes = 256;

const none: readonly never[] = [];

type Gated = Pick<TaskDefinition, 'concurrency' | 'rate'>;

/** Whether anything but slots can hold executions of a task. */
export function isGated({ concurrency = none, rate = none }: Gated): boolean {
  return concurrency.length > 0 || rate.length > 0;
}

/**
 * The values that an invocation gives to the keys of its task, where the task has any that read parameters: those are
 * not in the record. Throws invalid_argument, naming the parameter, for one that is no short scalar.
 */
export function keyValuesOf(
  { concurrency = none, rate = none }: Gated,
  { parameters }: Pick<Invocation, 'parameters'>,
): Readonly<Record<string, string>> | undefined {
  const values: Record<string, string> = {};
  for (const { key } of [...concurrency, ...rate]) {
    const name = after('parameters.', key);
    if (name === undefined) continue;
    const value = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    if (value !== null && typeof value === 'object') {
      const is = Array.isArray(value) ? 'a list' : 'an object';
      throw invalidArgument(
        `parameters.${name}`,
        `is ${is}, and the task limits executions by it; allowed is a text, a number, true or false`,
      );
    }
    const text = value === undefined || value === null ? '' : String(value);
    if (Buffer.byteLength(text) > mostValueBytes) {
      throw invalidArgument(
        `parameters.${name}`,
        `has ${Buffer.byteLength(text)} bytes, and the task limits executions by it; allowed are ${mostValueBytes}`,
      );
    }
    values[key] = text;
  }
  return Object.keys(values).length === 0 ? undefined : values;
}

/** In the order of the definition, concurrency first. */
export function gatesOf(task: Task, record: ExecutionRecord): readonly GateUse[] {
  const { concurrency = none, rate = none } = task.definition;
  if (concurrency.length === 0 && rate.length === 0) return none;
  const version = task.revision;
  return [
    ...concurrency.map(
      ({ key, limit }): GateUse => ({ kind: 'concurrency', ...measured(task, record, key), version, limit }),
    ),
    ...rate.map(
      ({ key, units, perMs, burst = 1 }): GateUse => ({
        kind: 'rate',
        ...measured(task, record, key),
        version,
        units,
        perMs,
        burst,
      }),
    ),
  ];
}

/** What is to happen while a value of a key is taken as often as it may be. */
export function whenFullOf({ concurrency = none }: Gated, use: GateUse): WhenFull {
  if (use.kind !== 'concurrency') return 'queue';
  return concurrency.find(({ key }) => key === use.key)?.whenFull ?? 'queue';
}

/** `metadata.user "a"`, as people are told of it. */
export function keyWords({ key, value }: { readonly key: string; readonly value: string }): string {
  return value === '' || key === value ? key : `${key} ${quote(value)}`;
}

function measured(task: Task, record: ExecutionRecord, key: string) {
  const { taskId } = task;
  const rule = `${taskId}/${key}`;
  const tenant = tenantOf(record);
  if (key === 'task') return { rule, meter: rule, key, value: task.definition.name };
  if (key === 'tenant') return { rule, meter: `${tenant}/`, key, value: tenant };
  const name = after('metadata.', key);
  if (name === undefined && after('parameters.', key) === undefined) {
    return { rule, meter: `${tenant}/${key}`, key, value: '' };
  }
  const value = name === undefined ? (record.keyValues?.[key] ?? '') : (record.metadata[name] ?? '');
  return { rule, meter: `${rule}=${value}`, key, value };
}

function after(start: string, key: string): string | undefined {
  return key.startsWith(start) ? key.slice(start.length) : undefined;
}
