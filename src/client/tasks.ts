import { create, fromJson, type JsonValue } from '@bufbuild/protobuf';
import { invalidArgument, quote } from '../domain/errors.ts';
import {
  type ArtifactJson,
  ArtifactSchema,
  type LimitsJson,
  type Task as Message,
  RuntimeKind,
  type TaskDefinitionJson,
  TaskDefinitionSchema,
  type TaskJson,
  TaskSchema,
} from '../server/gen/spearlet/task_pb.js';
import { messageToJson } from '../server/wire/json-response.ts';
import type { CallOptions } from './execution.ts';
import type { NodeCalls } from './node-calls.ts';

/** As docs/tasks.md has it in lowerCamelCase; durations are seconds, such as `1.5s`. */
export interface TaskDefinition extends Omit<TaskDefinitionJson, 'name' | 'runtime' | 'artifact' | 'limits'> {
  readonly name: string;
  readonly runtime: 'wasm' | 'docker' | 'process';
  /** The bytes of a component or module; or an image, a URL, or a path on the server. */
  readonly artifact: Uint8Array | Omit<ArtifactJson, 'content'>;
  readonly limits?: { readonly [Name in keyof LimitsJson]: LimitsJson[Name] | number };
}

/** What an update may change: docs/scheduling.md. */
export type TaskChanges = Pick<
  TaskDefinitionJson,
  | 'priority'
  | 'fairnessKey'
  | 'concurrency'
  | 'rate'
  | 'labels'
  | 'retry'
  | 'timeouts'
  | 'warm'
  | 'restartIntensity'
  | 'cache'
  | 'onEnd'
  | 'runsOn'
>;

/** A task as the server keeps it; 64-bit numbers are strings of digits, times are RFC 3339. */
export type Task = TaskJson;

export interface RegisterOptions extends CallOptions {
  /** Refuse where the name is taken. */
  readonly ifAbsent?: boolean;
}

export interface UpdateOptions extends CallOptions {
  /** Refuse where the task has another revision by now. */
  readonly expectedRevision?: number;
}

export interface ListTasksOptions extends CallOptions {
  /** Only tasks that have all of these. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** The tasks of a node. */
export class Tasks {
  readonly #calls: NodeCalls;

  /** @internal */
  constructor(calls: NodeCalls) {
    this.#calls = calls;
  }

  /** A task of the same definition stays as it is, another one of the name becomes its next revision. */
  async register(definition: TaskDefinition, options: RegisterOptions = {}): Promise<Task> {
    const { ifAbsent = false, signal } = options;
    const call = async () => {
      const { runtime, artifact, ...rest } = definition;
      const isContent = artifact instanceof Uint8Array;
      const message = messageOf({ ...rest, ...(!isContent && { artifact }) });
      message.runtime = runtimeOf(runtime);
      if (isContent) {
        message.artifact = create(ArtifactSchema, { source: { case: 'content', value: artifact } });
      }
      return this.#calls.tasks.registerTask(
        { definition: message, ifAbsent },
        { ...(signal !== undefined && { signal }) },
      );
    };
    // A second try of the first registration would find the name taken by it.
    const { task } = ifAbsent
      ? await this.#calls.once(call, signal)
      : await this.#calls.repeated(call, signal);
    return taskOf(task);
  }

  /** By name or id. */
  async get(task: string, { signal }: CallOptions = {}): Promise<Task> {
    const options = signal === undefined ? {} : { signal };
    const answer = await this.#calls.repeated(() => this.#calls.tasks.getTask({ task }, options), signal);
    return taskOf(answer.task);
  }

  /** By name, over as many calls as it takes. */
  async *list({ labels, signal }: ListTasksOptions = {}): AsyncGenerator<Task, void, undefined> {
    const options = signal === undefined ? {} : { signal };
    let pageToken = '';
    do {
      const request = { labels: { ...labels }, pageToken };
      const page = await this.#calls.repeated(() => this.#calls.tasks.listTasks(request, options), signal);
      for (const task of page.tasks) yield taskOf(task);
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
  }

  /** Changes what is named and leaves the rest; an `undefined` or `null` is unset, or has its default again. */
  async update(task: string, changes: TaskChanges, options: UpdateOptions = {}): Promise<Task> {
    const { expectedRevision, signal } = options;
    const call = async () =>
      this.#calls.tasks.updateTask(
        {
          task,
          definition: messageOf(changes),
          updateMask: { paths: Object.keys(changes).map(snakeCase) },
          ...(expectedRevision !== undefined && { expectedRevision }),
        },
        signal === undefined ? {} : { signal },
      );
    // A second try would find the revision that the first one made.
    const answer =
      expectedRevision === undefined
        ? await this.#calls.repeated(call, signal)
        : await this.#calls.once(call, signal);
    return taskOf(answer.task);
  }

  /** Executions that were accepted run to their end, or are asked to end with `cancelExecutions`. */
  async delete(
    task: string,
    { cancelExecutions = false, signal }: CallOptions & { cancelExecutions?: boolean } = {},
  ): Promise<void> {
    const options = signal === undefined ? {} : { signal };
    await this.#calls.once(() => this.#calls.tasks.deleteTask({ task, cancelExecutions }, options), signal);
  }
}

const runtimes: ReadonlyMap<string, RuntimeKind> = new Map([
  ['wasm', RuntimeKind.WASM],
  ['docker', RuntimeKind.DOCKER],
  ['process', RuntimeKind.PROCESS],
]);

function runtimeOf(name: string): RuntimeKind {
  const kind = runtimes.get(name);
  if (kind !== undefined) return kind;
  throw invalidArgument(
    'runtime',
    `is ${quote(String(name))}; allowed are ${[...runtimes.keys()].join(', ')}`,
  );
}

function messageOf(json: object) {
  const known = Object.entries(json).filter(([, value]) => value !== undefined);
  try {
    // What is no JSON of a definition is refused, with the name of the field.
    return fromJson(TaskDefinitionSchema, Object.fromEntries(known) as JsonValue);
  } catch (error) {
    throw invalidArgument('definition', error instanceof Error ? error.message : String(error));
  }
}

function taskOf(message: Message | undefined): Task {
  if (message === undefined) throw new Error('the server answered without the task');
  return messageToJson(TaskSchema, message) as Task;
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
