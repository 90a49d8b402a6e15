import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { invalidArgument, quote } from '../../domain/errors.ts';
import type { Artifact, InstancePolicy, Limits, RetryPolicy, RuntimeKind, Task } from '../../domain/task.ts';
import type { TaskDraft } from '../../domain/tasks.ts';
import type {
  TaskDefinition as WireDefinition,
  Limits as WireLimits,
  RetryPolicy as WireRetry,
  Task as WireTask,
} from '../gen/spearlet/task_pb.js';
import { TaskSchema, InstancePolicy as WirePolicy } from '../gen/spearlet/task_pb.js';
import {
  errorCodeFromWire,
  errorCodeToWire,
  policyFromWire,
  policyToWire,
  runtimeFromWire,
  runtimeToWire,
} from './enums.ts';
import { argumentList, delay, environment, positiveDuration, sorted, text } from './fields.ts';
import { timeoutsFromWire } from './invocation.ts';

const mebibyte = 1024 * 1024;
/** What a definition that says nothing gets. Sources: the contract's defaults. */
const defaults = {
  graceMs: 5000,
  memory: 128 * mebibyte,
  maxOutputBytes: 64 * mebibyte,
  maxOutputEvents: 100_000,
  retry: { maxAttempts: 1, initialMs: 200, factor: 2, maxMs: 30_000, jitter: 0.1 },
} as const;

const namePattern = /^[a-z0-9][a-z0-9._-]{0,62}$/;
/** WebAssembly's 32-bit address space: no limit above it can be reached. */
const mostMemory = 4 * 1024 * mebibyte;
const leastMemory = 64 * 1024;

export function draftFromWire(definition: WireDefinition | undefined): TaskDraft {
  if (definition === undefined) throw invalidArgument('definition', 'is required');
  const runtime = runtimeFromWire.get(definition.runtime);
  if (runtime === undefined) {
    throw invalidArgument(
      'definition.runtime',
      `${definition.runtime} is not known; allowed are WASM, DOCKER, PROCESS`,
    );
  }
  return {
    name: taskName(definition.name),
    description: text('definition.description', definition.description, 1024),
    runtime,
    source: sourceFromWire(runtime, definition.artifact?.source),
    sha256: digest(definition.artifact?.sha256 ?? ''),
    args: argumentList('definition.args', definition.args),
    environment: environment('definition.environment', definition.environment),
    preopens: preopensFromWire(definition.preopens),
    allowNetwork: definition.allowNetwork,
    timeouts: timeoutsFromWire('definition.timeouts', definition.timeouts),
    graceMs: positiveDuration('definition.grace', definition.grace) ?? defaults.graceMs,
    limits: limitsFromWire(definition.limits),
    retry: retryFromWire(definition.retry),
    instancePolicy: instancePolicyFromWire(definition.instancePolicy),
  };
}

function taskName(name: string): string {
  if (!namePattern.test(name)) {
    throw invalidArgument(
      'definition.name',
      `${quote(name)} is not a name; allowed is [a-z0-9][a-z0-9._-]{0,62}`,
    );
  }
  if (name.startsWith('task_') || name.startsWith('exec_')) {
    throw invalidArgument(
      'definition.name',
      `${quote(name)} starts like an id; not allowed are task_… and exec_…`,
    );
  }
  return name;
}

type WireSource = NonNullable<WireDefinition['artifact']>['source'];

function sourceFromWire(runtime: RuntimeKind, source: WireSource | undefined): TaskDraft['source'] {
  const wanted = { wasm: 'content', process: 'path', docker: 'image' } as const;
  if (source?.case !== wanted[runtime]) {
    throw invalidArgument(
      'definition.artifact',
      `has ${source?.case ?? 'nothing'}; a ${runtime} task needs ${wanted[runtime]}`,
    );
  }
  switch (source.case) {
    case 'content':
      return { kind: 'content', content: source.value };
    case 'path':
      return { kind: 'path', path: text('definition.artifact.path', source.value, 4096) };
    case 'image':
      return { kind: 'image', image: text('definition.artifact.image', source.value, 512) };
  }
}

function digest(value: string): string {
  if (value !== '' && !/^[0-9a-f]{64}$/.test(value)) {
    throw invalidArgument(
      'definition.artifact.sha256',
      'is not a digest; allowed are 64 lower-case hex digits',
    );
  }
  return value;
}

function preopensFromWire(preopens: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [guest, host] of Object.entries(preopens)) {
    const field = `definition.preopens.${quote(guest)}`;
    if (!guest.startsWith('/'))
      throw invalidArgument(field, 'is not a guest path; allowed is an absolute one');
    if (!host.startsWith('/')) {
      throw invalidArgument(field, `${quote(host)} is not a host path; allowed is an absolute one`);
    }
    text(field, guest, 4096);
    text(field, host, 4096);
  }
  return sorted(preopens);
}

function limitsFromWire(limits: WireLimits | undefined): Limits {
  return {
    memory: bounded('definition.limits.memory', limits?.memory, leastMemory, mostMemory) ?? defaults.memory,
    maxOutputBytes:
      bounded('definition.limits.max_output_bytes', limits?.maxOutputBytes, 0, 2 ** 40) ??
      defaults.maxOutputBytes,
    maxOutputEvents:
      bounded('definition.limits.max_output_events', limits?.maxOutputEvents, 1, 10_000_000) ??
      defaults.maxOutputEvents,
  };
}

function bounded(field: string, value: bigint | undefined, least: number, most: number): number | undefined {
  if (value === undefined) return undefined;
  if (value < BigInt(least) || value > BigInt(most)) {
    throw invalidArgument(field, `is ${value}; allowed is ${least} to ${most}`);
  }
  return Number(value);
}

function within(field: string, value: number, least: number, most: number): number {
  if (!(value >= least && value <= most)) {
    throw invalidArgument(field, `is ${value}; allowed is ${least} to ${most}`);
  }
  return value;
}

function retryFromWire(retry: WireRetry | undefined): RetryPolicy {
  const field = 'definition.retry';
  const initialMs = delay(`${field}.initial`, retry?.initial) ?? defaults.retry.initialMs;
  return {
    maxAttempts: within(`${field}.max_attempts`, retry?.maxAttempts ?? defaults.retry.maxAttempts, 1, 1000),
    initialMs,
    factor: within(`${field}.factor`, retry?.factor ?? defaults.retry.factor, 1, 100),
    maxMs: Math.max(initialMs, delay(`${field}.max`, retry?.max) ?? defaults.retry.maxMs),
    jitter: within(`${field}.jitter`, retry?.jitter ?? defaults.retry.jitter, 0, 1),
    on: (retry?.on ?? []).map((code, index) => {
      const known = errorCodeFromWire.get(code);
      if (known === undefined) throw invalidArgument(`${field}.on[${index}]`, `${code} is not an error code`);
      return known;
    }),
  };
}

function instancePolicyFromWire(policy: WirePolicy): InstancePolicy {
  if (policy === WirePolicy.UNSPECIFIED) return 'fresh';
  const known = policyFromWire.get(policy);
  if (known === undefined) {
    throw invalidArgument('definition.instance_policy', `${policy} is not known; allowed are FRESH, REUSED`);
  }
  return known;
}

export function taskToWire(task: Task): WireTask {
  const { definition } = task;
  const { queueMs, attemptMs, totalMs } = definition.timeouts;
  return create(TaskSchema, {
    taskId: task.taskId,
    revision: task.revision,
    definition: {
      name: definition.name,
      description: definition.description,
      runtime: runtimeToWire[definition.runtime],
      artifact: artifactToWire(definition.artifact),
      args: [...definition.args],
      environment: definition.environment,
      preopens: definition.preopens,
      allowNetwork: definition.allowNetwork,
      timeouts: {
        ...(queueMs !== undefined && { queue: durationFromMs(queueMs) }),
        ...(attemptMs !== undefined && { attempt: durationFromMs(attemptMs) }),
        ...(totalMs !== undefined && { total: durationFromMs(totalMs) }),
      },
      grace: durationFromMs(definition.graceMs),
      limits: {
        memory: BigInt(definition.limits.memory),
        maxOutputBytes: BigInt(definition.limits.maxOutputBytes),
        maxOutputEvents: BigInt(definition.limits.maxOutputEvents),
      },
      retry: {
        maxAttempts: definition.retry.maxAttempts,
        initial: durationFromMs(definition.retry.initialMs),
        factor: definition.retry.factor,
        max: durationFromMs(definition.retry.maxMs),
        jitter: definition.retry.jitter,
        on: definition.retry.on.map((code) => errorCodeToWire[code]),
      },
      instancePolicy: policyToWire[definition.instancePolicy],
    },
    functions: task.functions.map((signature) => ({
      name: signature.name,
      parameters: signature.parameters.map(({ name, type }) => ({ name, type })),
      result: signature.result,
      callable: signature.reason === '',
      reason: signature.reason,
    })),
    createdAt: timestampFromMs(task.createdAt),
    updatedAt: timestampFromMs(task.updatedAt),
    wit: task.wit,
  });
}

type WireArtifactInit = NonNullable<
  NonNullable<MessageInitShape<typeof TaskSchema>['definition']>['artifact']
>;

function artifactToWire(artifact: Artifact): WireArtifactInit {
  switch (artifact.kind) {
    case 'wasm':
      return { sha256: artifact.sha256, sizeBytes: BigInt(artifact.sizeBytes) };
    case 'process':
      return { source: { case: 'path', value: artifact.path }, sha256: artifact.sha256 };
    case 'docker':
      return { source: { case: 'image', value: artifact.image } };
  }
}
