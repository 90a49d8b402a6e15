/** A task as a snapshot carries it: no way around the checks of a registration. */
import {
  type Check,
  instant,
  list,
  Mismatch,
  nullable,
  object,
  optional,
  text,
  whole,
} from '../schema/check.ts';
import { definitionFields } from '../schema/task-definition.ts';
import { environment, environmentValue, label, mostCount, taskId } from '../schema/values.ts';
import type { FunctionSignature } from '../task.ts';
import type { RedactedDefinition, RedactedEnvironment, TaskPart } from './parts.ts';

const mostTypeBytes = 64 * 1024;
const mostWitBytes = 64 * 1024 * 1024;

/** Null stands for a value that was left out. */
export const redactedEnvironment: Check<RedactedEnvironment> = environment(nullable(environmentValue));

const signature = object<FunctionSignature>({
  name: label,
  parameters: list(object({ name: label, type: text(mostTypeBytes) }), 1024),
  result: text(mostTypeBytes),
  reason: text(mostTypeBytes),
});

const task = object<TaskPart['task']>({
  taskId,
  tenant: optional(label),
  revision: whole(1, mostCount),
  definition: object<RedactedDefinition>({ ...definitionFields, environment: redactedEnvironment }),
  functions: list(signature, 100_000),
  wit: text(mostWitBytes),
  createdAt: instant,
  updatedAt: instant,
});

/** A task whose runtime, artifact and container belong together. */
export const taskCheck: Check<TaskPart['task']> = (value, place) => {
  const found = task(value, place);
  const { runtime, artifact, container: settings, network, allowNetwork } = found.definition;
  if (artifact.kind !== runtime) {
    throw new Mismatch(`${place}.definition.artifact.kind`, `is ${artifact.kind}; allowed is ${runtime}`);
  }
  if ((settings !== undefined) !== (runtime === 'docker')) {
    throw new Mismatch(`${place}.definition.container`, 'is for docker tasks, and each of them has one');
  }
  if (network !== undefined && (runtime === 'process' || !allowNetwork)) {
    throw new Mismatch(`${place}.definition.network`, 'is for wasm and docker tasks that have a network');
  }
  return found;
};
