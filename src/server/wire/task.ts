import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { invalidArgument, quote } from '../../domain/errors.ts';
import { loosened } from '../../domain/loosened.ts';
import type { Artifact, InstancePolicy, RetryPolicy, RuntimeKind, Task } from '../../domain/task.ts';
import type { TaskDraft } from '../../domain/tasks.ts';
import type {
  TaskDefinition as WireDefinition,
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
import { argumentList, delay, environment, most, positiveDuration, sorted, text } from './fields.ts';
import {
  containerFromWire,
  containerToWire,
  userFromWire,
  warmFromWire,
  warmToWire,
  workingDirectoryFromWire,
} from './instance-settings.ts';
import { interruptionFromWire, interruptionToWire } from './interruption.ts';
import { timeoutsFromWire } from './invocation.ts';
import { limitsFromWire, limitsToWire, within } from './limits.ts';

/** What a definition that says nothing gets. Sources: the contract's defaults. */
const defaults = {
  graceMs: 5000,
  retry: { maxAttempts: 1, initialMs: 200, factor: 2, maxMs: 30_000, jitter: 0.1 },
} as const;

const namePattern = /^[a-z0-9][a-z0-9._-]{0,62}$/;

export function draftFromWire(definition: WireDefinition | undefined): TaskDraft {
  if (definition === undefined) throw invalidArgument('definition', 'is required');
  const runtime = runtimeFromWire.get(definition.runtime);
  if (runtime === undefined) {
    throw invalidArgument(
      'definition.runtime',
      `${definition.runtime} is not known; allowed are WASM, DOCKER, PROCESS`,
    );
  }
  const container = containerFromWire(runtime, definition);
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
    user: userFromWire(definition.user),
    workingDirectory: workingDirectoryFromWire(definition.workingDirectory),
    ...(container !== undefined && { container }),
    warm: warmFromWire(runtime, definition.warm),
    ...interruptionFromWire(runtime, definition),
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

const sources = { wasm: ['content', 'url'], process: ['path'], docker: ['image'] } as const;

type WireSource = NonNullable<WireDefinition['artifact']>['source'];

function sourceFromWire(runtime: RuntimeKind, source: WireSource | undefined): TaskDraft['source'] {
  const wanted: readonly unknown[] = sources[runtime];
  if (source?.case === undefined || !wanted.includes(source.case)) {
    throw invalidArgument(
      'definition.artifact',
      `has ${source?.case ?? 'nothing'}; a ${runtime} task needs ${wanted.join(' or ')}`,
    );
  }
  switch (source.case) {
    case 'content':
      return { kind: 'content', content: source.value };
    case 'url':
      return { kind: 'url', url: text('definition.artifact.url', source.value, 4096) };
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

/** As a snapshot's task is checked. */
const mostPreopens = 1024;
const mostRetryCodes = 64;

function preopensFromWire(preopens: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  most('definition.preopens', Object.keys(preopens).length, mostPreopens);
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

function retryFromWire(retry: WireRetry | undefined): RetryPolicy {
  const field = 'definition.retry';
  most(`${field}.on`, retry?.on.length ?? 0, mostRetryCodes);
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
      limits: limitsToWire(definition.limits),
      retry: {
        maxAttempts: definition.retry.maxAttempts,
        initial: durationFromMs(definition.retry.initialMs),
        factor: definition.retry.factor,
        max: durationFromMs(definition.retry.maxMs),
        jitter: definition.retry.jitter,
        on: definition.retry.on.map((code) => errorCodeToWire[code]),
      },
      instancePolicy: policyToWire[definition.instancePolicy],
      user: definition.user,
      workingDirectory: definition.workingDirectory,
      ...(definition.container !== undefined && { container: containerToWire(definition.container) }),
      warm: warmToWire(definition.warm),
      ...interruptionToWire(definition),
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
    loosened: [...loosened(definition)],
  });
}

type WireArtifactInit = NonNullable<
  NonNullable<MessageInitShape<typeof TaskSchema>['definition']>['artifact']
>;

function artifactToWire(artifact: Artifact): WireArtifactInit {
  switch (artifact.kind) {
    case 'wasm':
      return {
        ...(artifact.url !== undefined && { source: { case: 'url' as const, value: artifact.url } }),
        sha256: artifact.sha256,
        sizeBytes: BigInt(artifact.sizeBytes),
      };
    case 'process':
      return { source: { case: 'path', value: artifact.path }, sha256: artifact.sha256 };
    case 'docker':
      return { source: { case: 'image', value: artifact.image }, sha256: artifact.imageId };
  }
}
