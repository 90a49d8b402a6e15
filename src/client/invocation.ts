import { fromJson, type JsonValue, type MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs, ValueSchema } from '@bufbuild/protobuf/wkt';
import { invalidArgument } from '../domain/errors.ts';
import {
  DependencyCondition,
  DependencyPolicy,
  type DependencySchema,
  type InvokeFunctionRequestSchema,
} from '../server/gen/spearlet/function_pb.js';
import { type PriorityName, priorityValues } from './wire-names.ts';

/** @internal */
export type InvokeRequest = MessageInitShape<typeof InvokeFunctionRequestSchema>;

/** What an execution follows, and how. */
export interface Dependency {
  /** One of them. */
  readonly executionId?: string;
  readonly name?: string;
  /** Absent is COMPLETED. */
  readonly condition?: 'COMPLETED' | 'ENDED';
  /** Where it did not end so; absent is FAIL. */
  readonly onFailure?: 'FAIL' | 'RUN_ANYWAY';
  /** Its output is the standard input. */
  readonly asInput?: boolean;
  /** Its output is the parameter of that name. */
  readonly asParameter?: string;
}

/** What a function is called with, and how it is run. Absent is what the task says. */
export interface InvokeOptions {
  /** Standard input of a command; a text goes as UTF-8. */
  readonly input?: Uint8Array | string;
  /** Media type of `input`; kept with the execution. */
  readonly contentType?: string;
  /** The exported function, as written in WIT; absent for the default entry. */
  readonly function?: string;
  /** Parameters of a typed function by their WIT names. A bigint is an integer, bytes are a `list<u8>`. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** After the task's own. */
  readonly args?: readonly string[];
  /** Over the task's own. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Each may only shorten the task's. */
  readonly timeouts?: {
    readonly queueMs?: number;
    readonly attemptMs?: number;
    /** From admission to the end. */
    readonly totalMs?: number;
  };
  /** Delay before it may be queued. */
  readonly startAfterMs?: number;
  /**
   * Idempotency key, at most 256 bytes: the same one with the same payload joins the same execution. Absent: one is
   * made for each call, so that its retries run the function once.
   */
  readonly invocationId?: string;
  /** Notes of the caller, echoed in results. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** What it follows: it begins when these have ended. An id of an execution; in a batch also the name of a member. */
  readonly dependsOn?: readonly (string | Dependency)[];
  /** Run it also where an equal call's result is kept. */
  readonly bypassCache?: boolean;
  /** To list by. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly priority?: PriorityName;
  readonly fairnessKey?: string;
  /** Refuse it where it would likely not be over within its total timeout. */
  readonly refuseIfLate?: boolean;
  /** Never use an instance that ran something before. */
  readonly forceNewInstance?: boolean;
  /** Cancel it when the call of `invoke` breaks off, by `signal` or otherwise, and nobody else watches. */
  readonly cancelOnDisconnect?: boolean;
  /** Ends the wait of the call; the execution goes on. */
  readonly signal?: AbortSignal;
}

/** Throws a RequestError that names the field. @internal */
export function requestOf(task: string, invocationId: string, options: InvokeOptions): InvokeRequest {
  const { input, timeouts, startAfterMs, priority } = options;
  const duration = (field: string, ms: number | undefined) => {
    if (ms === undefined) return undefined;
    if (!Number.isFinite(ms) || ms < 0)
      throw invalidArgument(field, `is ${ms}; allowed are milliseconds from 0 on`);
    return durationFromMs(ms);
  };
  const parameters = Object.entries(options.parameters ?? {})
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, fromJson(ValueSchema, jsonOf(`parameters.${name}`, value))] as const);
  const queue = duration('timeouts.queueMs', timeouts?.queueMs);
  const attempt = duration('timeouts.attemptMs', timeouts?.attemptMs);
  const total = duration('timeouts.totalMs', timeouts?.totalMs);
  const startAfter = duration('startAfterMs', startAfterMs);
  return {
    task,
    invocationId,
    functionName: options.function ?? '',
    parameters: Object.fromEntries(parameters),
    ...(input !== undefined && {
      input: typeof input === 'string' ? new TextEncoder().encode(input) : input,
    }),
    contentType: options.contentType ?? '',
    args: [...(options.args ?? [])],
    environment: { ...options.environment },
    timeouts: {
      ...(queue !== undefined && { queue }),
      ...(attempt !== undefined && { attempt }),
      ...(total !== undefined && { total }),
    },
    ...(startAfter !== undefined && { startAfter }),
    dependsOn: (options.dependsOn ?? []).map(dependencyOf),
    bypassCache: options.bypassCache === true,
    metadata: { ...options.metadata },
    labels: { ...options.labels },
    ...(priority !== undefined && { priority: priorityValues[priority] }),
    fairnessKey: options.fairnessKey ?? '',
    refuseIfLate: options.refuseIfLate === true,
    cancelOnDisconnect: options.cancelOnDisconnect === true,
    forceNewInstance: options.forceNewInstance === true,
  };
}

function dependencyOf(given: string | Dependency): MessageInitShape<typeof DependencySchema> {
  if (typeof given === 'string') return given.startsWith('exec_') ? { executionId: given } : { name: given };
  const { executionId = '', name = '', condition, onFailure, asInput = false, asParameter = '' } = given;
  return {
    ...{ executionId, name, asInput, asParameter },
    ...(condition !== undefined && { condition: DependencyCondition[condition] }),
    ...(onFailure !== undefined && { onFailure: DependencyPolicy[onFailure] }),
  };
}

/** A value in the form of docs/tasks.md: 64-bit integers as digits, bytes as base64, what JSON lacks by its name. */
function jsonOf(field: string, value: unknown): JsonValue {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'bigint':
      // Digits are for 64-bit integers alone; a number is an integer of any width.
      return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
    case 'object':
      if (value === null) return null;
      if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
      if (Array.isArray(value)) return value.map((each, index) => jsonOf(`${field}[${index}]`, each));
      return Object.fromEntries(
        Object.entries(value)
          .filter(([, each]) => each !== undefined)
          .map(([name, each]) => [name, jsonOf(`${field}.${name}`, each)]),
      );
    default:
      throw invalidArgument(field, `is a ${typeof value}; allowed is what JSON has, bigints and bytes`);
  }
}
