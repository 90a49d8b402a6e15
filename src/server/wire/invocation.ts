import { toJson } from '@bufbuild/protobuf';
import { type Value, ValueSchema } from '@bufbuild/protobuf/wkt';
import { invalidArgument } from '../../domain/errors.ts';
import type { Invocation, JsonValue } from '../../domain/execution.ts';
import type { Timeouts as TaskTimeouts } from '../../domain/task.ts';
import { mostInlineBytes } from '../../observers/output.ts';
import type { InvokeFunctionRequest, Timeouts } from '../gen/spearlet/function_pb.js';
import { argumentList, environment, positiveDuration, sorted, text } from './fields.ts';

const nothing = new Uint8Array();
const deepestValue = 100;

/** What a request asks to run; the function's name and parameters are not checked against the task yet. */
export function invocationFromWire(request: InvokeFunctionRequest): Invocation {
  return {
    functionName: text('function_name', request.functionName, 512),
    parameters: parametersFromWire(request.parameters),
    input: request.input.byteLength === 0 ? nothing : request.input,
    contentType: text('content_type', request.contentType, 256),
    args: argumentList('args', request.args),
    environment: environment('environment', request.environment),
    forceNewInstance: request.forceNewInstance,
  };
}

function parametersFromWire(parameters: Readonly<Record<string, Value>>): Record<string, JsonValue> {
  const values: Record<string, JsonValue> = {};
  for (const [name, value] of Object.entries(parameters)) {
    text('parameters', name, 512);
    checkDepth(name, value, 0);
    // toJson refuses NaN and infinities, which proto JSON's Value cannot carry either.
    if (hasNonFinite(value)) {
      throw invalidArgument(
        `parameters.${name}`,
        'has a number that is not finite; allowed are "NaN", "Infinity" and "-Infinity" as strings',
      );
    }
    values[name] = toJson(ValueSchema, value) as JsonValue;
  }
  return sorted(values) as Record<string, JsonValue>;
}

function checkDepth(name: string, value: Value, depth: number): void {
  if (depth > deepestValue) {
    throw invalidArgument(`parameters.${name}`, `is nested too deeply; allowed are ${deepestValue} levels`);
  }
  const { kind } = value;
  if (kind.case === undefined)
    throw invalidArgument(`parameters.${name}`, 'has no value; allowed is any JSON value');
  if (kind.case === 'listValue') for (const item of kind.value.values) checkDepth(name, item, depth + 1);
  if (kind.case === 'structValue') {
    for (const item of Object.values(kind.value.fields)) checkDepth(name, item, depth + 1);
  }
}

function hasNonFinite(value: Value): boolean {
  const { kind } = value;
  if (kind.case === 'numberValue') return !Number.isFinite(kind.value);
  if (kind.case === 'listValue') return kind.value.values.some(hasNonFinite);
  if (kind.case === 'structValue') return Object.values(kind.value.fields).some(hasNonFinite);
  return false;
}

/** Timeouts as a task says them. */
export function timeoutsFromWire(field: string, timeouts: Timeouts | undefined): TaskTimeouts {
  const queueMs = positiveDuration(`${field}.queue`, timeouts?.queue);
  const attemptMs = positiveDuration(`${field}.attempt`, timeouts?.attempt);
  const totalMs = positiveDuration(`${field}.total`, timeouts?.total);
  return {
    ...(queueMs !== undefined && { queueMs }),
    ...(attemptMs !== undefined && { attemptMs }),
    ...(totalMs !== undefined && { totalMs }),
  };
}

export function inlineBytes(value: number | undefined): number {
  if (value !== undefined && value > mostInlineBytes) {
    throw invalidArgument('max_inline_bytes', `is ${value}; allowed are ${mostInlineBytes}`);
  }
  return value ?? mostInlineBytes;
}
