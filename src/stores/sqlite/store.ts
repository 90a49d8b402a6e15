import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { LogEvent } from '../../domain/event.ts';
import type { ExecutionRecord, Invocation } from '../../domain/execution.ts';
import type { Task } from '../../domain/task.ts';
import { openArtifacts } from '../artifacts.ts';
import { assertNumbered } from '../entry.ts';
import {
  type CommitEntry,
  type CommitResult,
  type EventQuery,
  type ExecutionFilter,
  type NodeEvent,
  type Store,
  StoreError,
} from '../store.ts';
import { CommitPace } from './commit-pace.ts';
import { Committer } from './committer.ts';
import { type EncodedEntry, encodeEntry } from './encoded-entry.ts';
import { guardSqlite } from './failure.ts';
import { claimFolder, type DataFolder } from './folder.ts';
import { Inputs } from './inputs.ts';
import { Log } from './log.ts';
import { Records } from './records.ts';
import { migrate } from './schema.ts';
import { busyTimeoutMs, settings } from './settings.ts';
import { Tasks } from './tasks.ts';
import { Writer } from './writer.ts';

/**
 * Opens the store of a data folder: `spear.db` and its WAL, `lock.db`, and `blobs/` for large inputs.
 * Rejects with DataDirError where the folder is another server's or cannot be made or written, and with
 * StoreError where the database is damaged or was written by a newer Spear.
 */
export async function openSqliteStore(options: { readonly dataDir: string }): Promise<Store> {
  const { dataDir } = options;
  const folder = await claimFolder(dataDir);
  const path = join(dataDir, 'spear.db');
  let db: DatabaseSync | undefined;
  try {
    const files = await openArtifacts(join(dataDir, 'blobs'));
    const reader = guardSqlite(`cannot open the store in ${dataDir}`, () => {
      db = new DatabaseSync(path, { timeout: busyTimeoutMs });
      db.exec(settings);
      migrate(db);
      // The writer does it, so that no commit of this thread takes as long.
      db.exec('PRAGMA wal_autocheckpoint = 0');
      return db;
    });
    const writer = new Writer(path);
    await writer.ready();
    return new SqliteStore(folder, reader, writer, new Inputs(reader, files));
  } catch (error) {
    db?.close();
    folder.release();
    throw error;
  }
}

/** A commit of so few entries may run on the caller's thread, … */
const fewEntries = 2;
/** … none of which has more bytes than this. */
const smallBytes = 4096;
/** The writer copies the log into the database after so many of them: that takes long enough to be felt. */
const commitsPerCheckpoint = 200;

function isSmall({ segments, input }: EncodedEntry): boolean {
  const bytes = (part: Uint8Array | null | undefined): number => part?.byteLength ?? 0;
  return bytes(input?.input) <= smallBytes && segments.every(({ data }) => bytes(data) <= smallBytes);
}

/**
 * Reads on a connection of the caller's thread. Writes cross to the writer's, so that no sync of the disk blocks the
 * caller, but for a few small entries at a time where the disk is quick.
 */
class SqliteStore implements Store {
  readonly #folder: DataFolder;
  readonly #db: DatabaseSync;
  readonly #writer: Writer;
  readonly #committer: Committer;
  readonly #pace = new CommitPace();
  #sinceCheckpoint = 0;
  readonly #inputs: Inputs;
  readonly #log: Log;
  readonly #records: Records;
  readonly #tasks: Tasks;

  constructor(folder: DataFolder, db: DatabaseSync, writer: Writer, inputs: Inputs) {
    this.#folder = folder;
    this.#db = db;
    this.#inputs = inputs;
    this.#writer = writer;
    this.#committer = new Committer(db);
    this.#log = new Log(db);
    this.#records = new Records(db);
    this.#tasks = new Tasks(db);
  }

  async commit(entries: readonly CommitEntry[]): Promise<CommitResult[]> {
    for (const entry of entries) assertNumbered(entry);
    const prepared = this.#inputs.prepare(entries);
    const inputs = prepared instanceof Promise ? await prepared : prepared;
    const encoded = entries.map((entry, index) => encodeEntry(entry, inputs?.[index]));
    if (this.#mayCommitHere(encoded)) return this.#commitHere(encoded);
    const floor = this.#committer.nextPosition;
    const results = await this.#writer.send('cannot commit', { kind: 'commit', entries: encoded, floor });
    return [...results];
  }

  async execution(executionId: string): Promise<ExecutionRecord | undefined> {
    return this.#use('cannot read an execution', () => this.#records.get(executionId));
  }

  async executionByInvocation(invocationId: string): Promise<ExecutionRecord | undefined> {
    return this.#use('cannot read an execution', () => this.#records.byInvocation(invocationId));
  }

  async input(executionId: string): Promise<Invocation | undefined> {
    return this.#use('cannot read an input', () =>
      this.#records.has(executionId) ? this.#inputs.load(executionId) : undefined,
    );
  }

  async snapshot(executionId: string): Promise<string | undefined> {
    return this.#use('cannot read a snapshot', () => this.#records.snapshot(executionId));
  }

  async executions(filter: ExecutionFilter): Promise<ExecutionRecord[]> {
    return this.#use('cannot list executions', () => this.#records.list(filter));
  }

  async unfinished(afterId: string, limit: number): Promise<ExecutionRecord[]> {
    return this.#use('cannot list executions', () => this.#records.unfinished(afterId, limit));
  }

  async events(executionId: string, query: EventQuery): Promise<LogEvent[]> {
    return this.#use('cannot read a log', () => this.#log.events(executionId, query));
  }

  async eventsFromPosition(from: number, limit: number): Promise<NodeEvent[]> {
    return this.#use('cannot read the logs', () => this.#log.fromPosition(from, limit));
  }

  async saveTask(task: Task): Promise<void> {
    await this.#writer.send('cannot save a task', { kind: 'saveTask', task });
  }

  async deleteTask(taskId: string): Promise<void> {
    await this.#writer.send('cannot delete a task', { kind: 'deleteTask', taskId });
  }

  async taskByName(name: string): Promise<Task | undefined> {
    return this.#use('cannot read a task', () => this.#tasks.byName(name));
  }

  async taskById(taskId: string): Promise<Task | undefined> {
    return this.#use('cannot read a task', () => this.#tasks.byId(taskId));
  }

  async taskRevision(taskId: string, revision: number): Promise<Task | undefined> {
    return this.#use('cannot read a task', () => this.#tasks.revision(taskId, revision));
  }

  async tasks(afterName: string, limit: number): Promise<Task[]> {
    return this.#use('cannot list tasks', () => this.#tasks.list(afterName, limit));
  }

  async close(): Promise<void> {
    if (!this.#db.isOpen) return;
    try {
      guardSqlite('cannot close the store', () => this.#db.close());
      await this.#writer.close();
    } finally {
      this.#folder.release();
    }
  }

  #mayCommitHere(entries: readonly EncodedEntry[]): boolean {
    return entries.length <= fewEntries && this.#writer.idle && entries.every(isSmall) && this.#pace.allows();
  }

  /** Two thread hops cost more than a quick sync of the disk, where hardly anything waits for this thread. */
  #commitHere(entries: readonly EncodedEntry[]): CommitResult[] {
    const start = performance.now();
    const results = this.#use('cannot commit', () =>
      this.#committer.commit(entries, this.#writer.nextPosition),
    );
    this.#pace.took(performance.now() - start);
    if (++this.#sinceCheckpoint >= commitsPerCheckpoint) {
      this.#sinceCheckpoint = 0;
      this.#writer.checkpoint();
    }
    return results;
  }

  #use<T>(what: string, work: () => T): T {
    if (!this.#db.isOpen) throw new StoreError(`${what}: the store is closed`);
    return guardSqlite(what, work);
  }
}
