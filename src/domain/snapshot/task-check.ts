/** What a task may say, as registration has it: a snapshot is no way around those checks. */
import type {
  Artifact,
  ContainerSettings,
  FunctionSignature,
  Limits,
  RetryPolicy,
  Timeouts,
  TimerPolicies,
  WarmPolicy,
} from '../task.ts';
import {
  type Check,
  type Fields,
  instant,
  list,
  Mismatch,
  map,
  nullable,
  number,
  object,
  oneOf,
  optional,
  text,
  truth,
  whole,
} from './check.ts';
import type { RedactedDefinition, RedactedEnvironment, TaskPart } from './parts.ts';
import { digest, errorCode, label, taskIdCheck } from './record-check.ts';

const longestMs = 366 * 24 * 60 * 60 * 1000;
const mostBytes = 2 ** 40;
const mostArgumentBytes = 64 * 1024;
const mostArguments = 1024;
const path = text(4096);
const absolute = text(4096, /^\//);
const duration = number(0, longestMs);
const positive = number(1, longestMs);
const timer = oneOf('absolute', 'remaining', 'anew');

export const argumentsCheck: Check<string[]> = limited(list(text(mostArgumentBytes), mostArguments), (args) =>
  args.reduce((sum, each) => sum + Buffer.byteLength(each), 0),
);

/** Null stands for a value that was left out. */
export const environmentCheck: Check<RedactedEnvironment> = limited(
  map(nullable(text(mostArgumentBytes)), mostArguments, text(256, /^[^=]+$/)),
  (variables) =>
    Object.entries(variables).reduce(
      (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value ?? ''),
      0,
    ),
);

/** The sizes of all of it together count as well. */
function limited<T>(check: Check<T>, size: (found: T) => number): Check<T> {
  return (value, place) => {
    const found = check(value, place);
    const bytes = size(found);
    if (bytes <= mostArgumentBytes) return found;
    throw new Mismatch(place, `has ${bytes} bytes in all; allowed are ${mostArgumentBytes}`);
  };
}

type OfKind<Kind extends Artifact['kind']> = Extract<Artifact, { kind: Kind }>;

const artifacts: { readonly [Kind in Artifact['kind']]: Check<OfKind<Kind>> } = {
  wasm: object<OfKind<'wasm'>>({
    kind: oneOf('wasm'),
    sha256: digest,
    sizeBytes: whole(0, mostBytes),
    url: optional(path),
  }),
  process: object<OfKind<'process'>>({ kind: oneOf('process'), path: absolute, sha256: digest }),
  docker: object<OfKind<'docker'>>({ kind: oneOf('docker'), image: label, imageId: digest }),
};

const container = object<ContainerSettings>({
  command: argumentsCheck,
  pull: oneOf('missing', 'always', 'never'),
  network: text(64, /^[A-Za-z0-9][A-Za-z0-9_.-]*$/),
  writableRoot: truth,
  capabilities: list(text(40, /^(?!CAP_)[A-Z][A-Z_]*$/), 64),
  tmpfsSize: whole(64 * 1024, mostBytes),
  allowNewPrivileges: truth,
});

const timeouts = object<Timeouts>({
  queueMs: optional(positive),
  attemptMs: optional(positive),
  totalMs: optional(positive),
});

const limits = object<Limits>({
  memory: optional(whole(64 * 1024, mostBytes)),
  cpu: optional(number(0.01, 1024)),
  cpuTimeMs: optional(number(1000, longestMs)),
  processes: optional(whole(1, 1_000_000)),
  openFiles: optional(whole(16, 1_000_000)),
  fileSize: optional(whole(0, mostBytes)),
  maxOutputBytes: whole(0, mostBytes),
  maxOutputEvents: whole(1, 10_000_000),
});

export const retryCheck: Check<RetryPolicy> = object<RetryPolicy>({
  maxAttempts: whole(1, 1000),
  initialMs: duration,
  factor: number(1, 100),
  maxMs: duration,
  jitter: number(0, 1),
  on: list(errorCode, 64),
});

const warm = object<WarmPolicy>({
  min: whole(0, 1000),
  max: whole(0, 1000),
  idleTimeoutMs: positive,
  maxUses: optional(whole(1, 2 ** 32)),
  startAhead: truth,
});

const timers: Fields<Partial<TimerPolicies>> = {
  start: optional(timer),
  queue: optional(timer),
  attempt: optional(timer),
  total: optional(timer),
};

export const interruptPolicyCheck = oneOf('rerun', 'fail', 'reattachOrRerun', 'reattachOrFail');
export const maxRecoveriesCheck = whole(0, 1000);
export const timersCheck: Check<TimerPolicies> = object<TimerPolicies>({
  start: timer,
  queue: timer,
  attempt: timer,
  total: timer,
});

const definition = object<RedactedDefinition>({
  name: text(63, /^(?!task_|exec_)[a-z0-9][a-z0-9._-]*$/),
  description: text(1024),
  runtime: oneOf('wasm', 'docker', 'process'),
  artifact: (value, place) => {
    const kind = value !== null && typeof value === 'object' && 'kind' in value ? value.kind : undefined;
    return artifacts[oneOf('wasm', 'process', 'docker')(kind, `${place}.kind`)](value, place);
  },
  args: argumentsCheck,
  environment: environmentCheck,
  preopens: map(absolute, 1024, absolute),
  allowNetwork: truth,
  timeouts,
  graceMs: positive,
  limits,
  retry: retryCheck,
  instancePolicy: oneOf('fresh', 'reused'),
  user: text(129, /^([A-Za-z0-9_][A-Za-z0-9_.-]{0,63}(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,63})?)?$/),
  workingDirectory: text(4096, /^(\/|$)/),
  container: optional(container),
  warm,
  onInterrupt: optional(interruptPolicyCheck),
  maxRecoveries: optional(maxRecoveriesCheck),
  timers: optional(object(timers)),
});

const signature = object<FunctionSignature>({
  name: label,
  parameters: list(object({ name: label, type: text(64 * 1024) }), 1024),
  result: text(64 * 1024),
  reason: text(64 * 1024),
});

const task = object<TaskPart['task']>({
  taskId: taskIdCheck,
  revision: whole(1, 2 ** 31),
  definition,
  functions: list(signature, 100_000),
  wit: text(64 * 1024 * 1024),
  createdAt: instant,
  updatedAt: instant,
});

/** A task whose runtime, artifact and container belong together. */
export const taskCheck: Check<TaskPart['task']> = (value, place) => {
  const found = task(value, place);
  const { runtime, artifact, container: settings } = found.definition;
  if (artifact.kind !== runtime) {
    throw new Mismatch(`${place}.definition.artifact.kind`, `is ${artifact.kind}; allowed is ${runtime}`);
  }
  if ((settings !== undefined) !== (runtime === 'docker')) {
    throw new Mismatch(`${place}.definition.container`, 'is for docker tasks, and each of them has one');
  }
  return found;
};
