/** A definition as registration takes it, and a task as callers see it. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { CacheSavings } from '../../domain/cache.ts';
import { invalidArgument, quote } from '../../domain/errors.ts';
import { loosened } from '../../domain/loosened.ts';
import { fits } from '../../domain/schema/check.ts';
import { inOrder, withDefaults } from '../../domain/schema/said.ts';
import { taskDefinition } from '../../domain/schema/task-definition.ts';
import { digest, label, mostPathBytes } from '../../domain/schema/values.ts';
import { tenantOf } from '../../domain/scope.ts';
import type { Artifact, RuntimeKind, Task, TaskDefinition } from '../../domain/task.ts';
import type { TaskDraft, TaskQuarantine } from '../../domain/tasks.ts';
import { originOf } from '../../domain/webhook.ts';
import type { TaskDefinition as WireDefinition, Task as WireTask } from '../gen/spearlet/task_pb.js';
import { TaskSchema } from '../gen/spearlet/task_pb.js';
import { definitionMessage } from './definition-message.ts';
import { text } from './fields.ts';
import { containerOf, networkFrom, secretsFrom, warmOf } from './instance-settings.ts';
import { changedInterruption, completeInterruption } from './interruption.ts';
import { namesOf } from './variables.ts';

type Plain = Omit<TaskDraft, 'source' | 'sha256'>;

/** Throws invalid_argument with the field and what is allowed. */
export function draftFromWire(definition: WireDefinition | undefined): TaskDraft {
  if (definition === undefined) throw invalidArgument('definition', 'is required');
  const settings = settingsFromWire(definition);
  return {
    ...settings,
    source: sourceFromWire(settings.runtime, definition.artifact?.source),
    sha256: digestFromWire(definition.artifact?.sha256 ?? ''),
  };
}

/** All but the artifact. Throws invalid_argument with the field and what is allowed. */
export function settingsFromWire(definition: WireDefinition): Plain {
  const said = definitionMessage.read(definition, 'definition');
  // The schema has a default for each field that is not set here, or refuses a message without it.
  const filled = withDefaults<TaskDefinition>(taskDefinition.form, said) as Omit<TaskDefinition, 'artifact'>;
  const { runtime, retry } = filled;
  checkKeysOnce('definition.concurrency', said.concurrency);
  checkKeysOnce('definition.rate', said.rate);
  return inOrder<Plain>(taskDefinition.form, {
    ...filled,
    limits: said.limits ?? {},
    retry: { ...retry, maxMs: Math.max(retry.initialMs, retry.maxMs) },
    ...networkFrom(runtime, said),
    ...secretsFrom(said),
    container: containerOf(runtime, said),
    warm: warmOf(runtime, definition.warm !== undefined, filled.warm),
    ...changedInterruption(runtime, filled),
  });
}

/** Of two limits of one key only the lower would ever hold. */
function checkKeysOnce(path: string, limits: readonly { readonly key: string }[] = []): void {
  const keys = new Set<string>();
  for (const [index, { key }] of limits.entries()) {
    if (keys.has(key)) {
      throw invalidArgument(`${path}[${index}].key`, `is ${quote(key)} again; allowed is each key once`);
    }
    keys.add(key);
  }
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
      return { kind: 'url', url: text('definition.artifact.url', source.value, mostPathBytes) };
    case 'path':
      return { kind: 'path', path: text('definition.artifact.path', source.value, mostPathBytes) };
    case 'image':
      return { kind: 'image', image: text('definition.artifact.image', source.value, label.form.most) };
  }
}

function digestFromWire(value: string): string {
  if (value !== '' && !fits(digest.form, value)) {
    throw invalidArgument(
      'definition.artifact.sha256',
      `is not a digest; allowed are ${digest.form.words?.allowed}`,
    );
  }
  return value;
}

/** What is known of a task besides what it says. */
export interface TaskState {
  readonly quarantine?: TaskQuarantine | undefined;
  readonly savings?: CacheSavings | undefined;
}

/** @param withValues whether the values of variables are in it, or their names alone */
export function taskToWire(
  task: Task,
  withValues: boolean,
  { quarantine, savings }: TaskState = {},
): WireTask {
  const { definition } = task;
  const environment = withValues ? definition.environment : namesOf(definition.environment);
  return create(TaskSchema, {
    taskId: task.taskId,
    tenant: tenantOf(task),
    revision: task.revision,
    definition: {
      ...definitionMessage.write({
        ...definition,
        environment,
        ...shownWebhooks(definition, withValues),
        ...completeInterruption(definition),
      }),
      artifact: artifactToWire(definition.artifact),
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
    ...(quarantine !== undefined && { quarantine: quarantineToWire(quarantine) }),
    ...(savings !== undefined && { cacheSavings: savingsToWire(savings) }),
  });
}

/** A URL may be all that its receiver asks for. */
function shownWebhooks({ onEnd }: TaskDefinition, withUrls: boolean): Pick<TaskDefinition, 'onEnd'> {
  if (onEnd === undefined) return {};
  return { onEnd: withUrls ? onEnd : onEnd.map((each) => ({ ...each, url: originOf(each.url) })) };
}

function savingsToWire({ hits, misses, shared, entries, bytes, savedMs, savedCpuMs }: CacheSavings) {
  return {
    ...{ hits: BigInt(hits), misses: BigInt(misses), shared: BigInt(shared) },
    ...{ entries: BigInt(entries), bytes: BigInt(bytes) },
    savedTime: durationFromMs(Math.round(savedMs)),
    savedCpuTime: durationFromMs(Math.round(savedCpuMs)),
  };
}

function quarantineToWire({ since, nextProbeAt, ...rest }: TaskQuarantine) {
  return {
    ...rest,
    since: timestampFromMs(since),
    ...(nextProbeAt !== undefined && { nextProbeAt: timestampFromMs(nextProbeAt) }),
  };
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
