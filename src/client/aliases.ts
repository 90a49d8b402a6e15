import { type RevisionJson, RevisionSchema } from '../server/gen/spearlet/revision_pb.js';
import { type TaskAliasJson, TaskAliasSchema } from '../server/gen/spearlet/task_pb.js';
import { messageToJson } from '../server/wire/json-response.ts';
import type { CallOptions } from './execution.ts';
import type { NodeCalls } from './node-calls.ts';

/** A name for revisions of a task as the server keeps it; times are RFC 3339. */
export type Alias = TaskAliasJson;
/** A revision in the same form. */
export type Revision = RevisionJson;

export interface MoveAliasOptions extends CallOptions {
  /** Refuse with ABORTED where it was moved since; 0 where there is to be none yet. */
  readonly expectedVersion?: number;
}

/** The aliases and the revisions of tasks: docs/revisions.md. */
export class Aliases {
  readonly #calls: NodeCalls;

  /** @internal */
  constructor(calls: NodeCalls) {
    this.#calls = calls;
  }

  /** Moves an alias of a task, by name or id, or makes it. `to` is a revision, or percents that are 100 together by revision. */
  async set(
    task: string,
    alias: string,
    to: number | Readonly<Record<number, number>>,
    { expectedVersion, signal }: MoveAliasOptions = {},
  ): Promise<Alias> {
    const shares =
      typeof to === 'number'
        ? [{ revision: to, percent: 100 }]
        : Object.entries(to).map(([revision, percent]) => ({ revision: Number(revision), percent }));
    const request = { task, alias, shares, ...(expectedVersion !== undefined && { expectedVersion }) };
    const call = () => this.#calls.revisions.setAlias(request, callWith(signal));
    // A second try would find the version that the first one made.
    const { alias: moved } =
      expectedVersion === undefined
        ? await this.#calls.repeated(call, signal)
        : await this.#calls.once(call, signal);
    return aliasOf(moved);
  }

  /** Moves it to where it was before its last move, or to `revision`. It is sent once: a second try would move it back. */
  async rollback(
    task: string,
    {
      alias = 'live',
      revision = 0,
      expectedVersion,
      signal,
    }: MoveAliasOptions & {
      alias?: string;
      revision?: number;
    } = {},
  ): Promise<Alias> {
    const request = { task, alias, revision, ...(expectedVersion !== undefined && { expectedVersion }) };
    const call = () => this.#calls.revisions.rollbackAlias(request, callWith(signal));
    return aliasOf((await this.#calls.once(call, signal)).alias);
  }

  /** Resolves with whether there was one. */
  async delete(task: string, alias: string, options: MoveAliasOptions = {}): Promise<boolean> {
    const { expectedVersion, signal } = options;
    const request = { task, alias, ...(expectedVersion !== undefined && { expectedVersion }) };
    const call = () => this.#calls.revisions.deleteAlias(request, callWith(signal));
    return (await this.#calls.once(call, signal)).changed;
  }

  async list(task: string, { signal }: CallOptions = {}): Promise<Alias[]> {
    const call = () => this.#calls.revisions.listRevisions({ task, pageSize: 1 }, callWith(signal));
    return (await this.#calls.repeated(call, signal)).aliases.map(aliasOf);
  }

  /** The newest first, over as many calls as it takes. */
  async *revisions(task: string, { signal }: CallOptions = {}): AsyncGenerator<Revision, void, undefined> {
    let pageToken = '';
    do {
      const call = () => this.#calls.revisions.listRevisions({ task, pageToken }, callWith(signal));
      const page = await this.#calls.repeated(call, signal);
      for (const each of page.revisions) yield messageToJson(RevisionSchema, each) as Revision;
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
  }
}

function aliasOf(message: Parameters<typeof messageToJson<typeof TaskAliasSchema>>[1] | undefined): Alias {
  if (message === undefined) throw new Error('the server answered without the alias');
  return messageToJson(TaskAliasSchema, message) as Alias;
}

function callWith(signal: AbortSignal | undefined): CallOptions {
  return signal === undefined ? {} : { signal };
}
