import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Batch, BatchEnding, BatchMember, BatchState, MemberQuery } from '../../domain/batch/batch.ts';
import type { BlockedState } from '../../domain/dependency.ts';
import type { LogEvent, NewEvent } from '../../domain/event.ts';
import type { ExecutionRecord, Invocation } from '../../domain/execution.ts';
import type { Labels } from '../../domain/labels.ts';
import type { Quota } from '../../domain/quota.ts';
import type { TaskAlias } from '../../domain/revisions/alias.ts';
import { type Scope, wholeNode } from '../../domain/scope.ts';
import type { DuePlace, SideRow, SideRowChange, SideRowId, SideRowQuery } from '../../domain/side-row.ts';
import type { Task } from '../../domain/task.ts';
import { type ArtifactFiles, openArtifacts } from '../artifacts.ts';
import { assertNumbered } from '../entry.ts';
import { SpaceReserve } from '../space-reserve.ts';
import {
  type BatchResult,
  type CommitEntry,
  type CommitResult,
  type EventQuery,
  type ExecutionFilter,
  type LogOutline,
  type MemberEnding,
  type NodeEvent,
  type OrderChanges,
  type Retained,
  type Retention,
  type Store,
  type StoreCounts,
  type StoredBytes,
  type StoredOrder,
  type StoredQuota,
  StoreError,
  type SuperviseResult,
  type WaitingAlarm,
  type WaitingExecution,
  type WaitingKey,
  type WaitingLineCount,
} from '../store.ts';
import { guardOpening, guardReading, guardSqlite } from './file/failure.ts';
import { assertNotEmptied, claimFolder, type DataFolder } from './file/folder.ts';
import { assertNothingLost, HighWater } from './file/high-water.ts';
import { LockFile } from './file/lock-file.ts';
import { nextPosition, progressOf } from './file/positions.ts';
import { closeDatabase } from './file/private-folder.ts';
import { type MigrationProgress, migrate } from './file/schema.ts';
import { busyTimeoutMs, settings, shortBusyTimeoutMs } from './file/settings.ts';
import { AliasRows } from './read/aliases.ts';
import { BatchReader } from './read/batches.ts';
import { Dependencies } from './read/dependencies.ts';
import { Log } from './read/log.ts';
import { OrderRows } from './read/order-rows.ts';
import { QuotaRows } from './read/quotas.ts';
import { ReadTurn } from './read/read-turn.ts';
import { Records } from './read/records.ts';
import { SideRows } from './read/side-rows.ts';
import { StoredBytesReader } from './read/stored-bytes.ts';
import { Tasks } from './read/tasks.ts';
import { WaitingLines } from './read/waiting-lines.ts';
import { Sweep } from './retention/sweep.ts';
import { freeBytes } from './retention/usage.ts';
import { batchParts, dropStagedBatches } from './write/batch-parts.ts';
import type { BatchPart } from './write/committer.ts';
import { type EncodedEntry, encodeEntry, encodeSegments } from './write/encoded-entry.ts';
import { Inputs, noRoom } from './write/inputs.ts';
import { dropLeftovers } from './write/staging.ts';
import { Writer } from './write/writer.ts';
import { Writes } from './write/writes.ts';

interface SqliteStoreOptions {
  readonly dataDir: string;
  /** Bytes on the disk that are kept for when it is full; 16 MiB where nothing is said. */
  readonly reserveBytes?: number;
  readonly migrating?: MigrationProgress;
}

const defaultReserveBytes = 16 * 1024 * 1024;

/**
 * Opens the store of a data folder: `spear.db` and its WAL, `lock.db`, `high-water`, `ballast`, and `blobs/` for large
 * inputs.
 * Rejects with DataDirError where the folder is another server's or cannot be made or written, and with
 * StoreError where the database is damaged, was emptied, lacks what was acknowledged or was written by a newer Spear.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { dataDir, reserveBytes = defaultReserveBytes, migrating = () => {} } = options;
  const folder = await claimFolder(dataDir);
  const path = join(dataDir, 'spear.db');
  let db: DatabaseSync | undefined;
  let highWater: HighWater | undefined;
  try {
    assertNotEmptied(dataDir);
    assertNothingLost(dataDir);
    const blobs = await openArtifacts(join(dataDir, 'blobs'));
    const reader = guardOpening(path, () => {
      db = new DatabaseSync(path, { timeout: busyTimeoutMs });
      // Before there is a log: SQLite gives that the mode of the database.
      closeDatabase(dataDir);
      db.exec(settings);
      migrate(db, migrating);
      dropLeftovers(db);
      dropStagedBatches(db);
      // The writer does it, so that no commit of this thread takes as long.
      db.exec('PRAGMA wal_autocheckpoint = 0');
      db.exec(`PRAGMA busy_timeout = ${shortBusyTimeoutMs}`);
      return db;
    });
    const writer = new Writer(path);
    await writer.ready();
    highWater = new HighWater(dataDir);
    highWater.write(progressOf(reader));
    const reserve = new SpaceReserve(join(dataDir, 'ballast'), reserveBytes);
    return new SqliteStore({
      dataDir,
      folder,
      db: reader,
      writer,
      blobs,
      reserve,
      lockFile: new LockFile(path),
      highWater,
    });
  } catch (error) {
    db?.close();
    highWater?.close();
    folder.release();
    throw error;
  }
}

/** Reads on a connection of the caller's thread; how it writes, `Writes` knows. */
class SqliteStore implements Store {
  readonly #folder: DataFolder;
  readonly #db: DatabaseSync;
  readonly #writes: Writes;
  readonly #blobs: ArtifactFiles;
  readonly #reserve: SpaceReserve;
  readonly #sweep: Sweep;
  /** Logs that wait for their record. */
  readonly #staged = new Set<string>();
  /** Batches that are being staged: their members are not there for readers. */
  readonly #hidden = new Set<string>();
  readonly #inputs: Inputs;
  readonly #log: Log;
  readonly #readTurn = new ReadTurn();
  readonly #records: Records;
  readonly #batches: BatchReader;
  readonly #waiting: WaitingLines;
  readonly #dependencies: Dependencies;
  readonly #quotas: QuotaRows;
  readonly #order: OrderRows;
  readonly #sideRows: SideRows;
  readonly #tasks: Tasks;
  readonly #aliases: AliasRows;
  readonly #stored: StoredBytesReader;

  constructor(parts: {
    readonly dataDir: string;
    readonly folder: DataFolder;
    readonly db: DatabaseSync;
    readonly writer: Writer;
    readonly blobs: ArtifactFiles;
    readonly reserve: SpaceReserve;
    readonly lockFile: LockFile;
    readonly highWater: HighWater;
  }) {
    const { dataDir, folder, db, writer, blobs, reserve, lockFile, highWater } = parts;
    this.#folder = folder;
    this.#db = db;
    this.#writes = new Writes(db, writer, reserve, lockFile, highWater);
    this.#blobs = blobs;
    this.#reserve = reserve;
    this.#inputs = new Inputs(db, blobs);
    this.#log = new Log(db, this.#hidden);
    this.#records = new Records(db, this.#hidden);
    this.#batches = new BatchReader(db);
    this.#waiting = new WaitingLines(db, this.#hidden);
    this.#dependencies = new Dependencies(db);
    this.#quotas = new QuotaRows(db);
    this.#order = new OrderRows(db);
    this.#sideRows = new SideRows(db);
    this.#tasks = new Tasks(db);
    this.#aliases = new AliasRows(db);
    this.#stored = new StoredBytesReader(db, join(dataDir, 'blobs'));
    this.#sweep = new Sweep({
      dataDir,
      blobs,
      inputs: this.#inputs,
      tasks: this.#tasks,
      deleteRevision: (revision) =>
        this.#writes.send('cannot delete a revision', { kind: 'deleteRevision', revision }),
    });
  }

  get lowSpace(): boolean {
    if (!this.#reserve.missing || !this.#db.isOpen) return false;
    try {
      return freeBytes(this.#db) < this.#reserve.bytes;
    } catch {
      // A database that cannot be asked has no room that is known of.
      return true;
    }
  }

  async commit(entries: readonly CommitEntry[]): Promise<CommitResult[]> {
    for (const entry of entries) assertNumbered(entry);
    const prepared = this.#inputs.prepare(entries);
    const inputs = prepared instanceof Promise ? await this.#noticing(prepared) : prepared;
    try {
      const refused = new Set<number>();
      const encoded: EncodedEntry[] = [];
      for (const [index, entry] of entries.entries()) {
        const input = inputs?.[index];
        if (input === noRoom) refused.add(index);
        else encoded.push(encodeEntry(entry, input, this.#staged.has(entry.executionId)));
      }
      const results = refused.size > 0 && encoded.length === 0 ? [] : await this.#writes.commit(encoded);
      if (this.#staged.size > 0) this.#unmark(encoded, results);
      if (refused.size === 0) return [...results];
      const written = results.values();
      return entries.map((_, index) =>
        refused.has(index) ? { ok: false, conflict: 'space' } : (written.next().value as CommitResult),
      );
    } finally {
      this.#inputs.settled(inputs);
    }
  }

  async stage(executionId: string, events: readonly NewEvent[]): Promise<void> {
    const last = (events[0]?.sequence ?? 1) - 1;
    assertNumbered({ executionId, expectedLastSequence: last, events });
    // What room is left is for what was accepted.
    if (this.lowSpace) throw new StoreError('cannot stage a log: the disk is full');
    const segments = encodeSegments(events, last);
    const { floor } = this.#writes;
    this.#staged.add(executionId);
    const staged = await this.#writes.send('cannot stage a log', {
      kind: 'stage',
      executionId,
      segments,
      floor,
    });
    if (staged) return;
    this.#staged.delete(executionId);
    throw new StoreError(`cannot stage a log: there is an execution ${executionId}`);
  }

  async unstage(executionId: string): Promise<void> {
    await this.#writes.send('cannot unstage a log', { kind: 'unstage', executionId });
    this.#staged.delete(executionId);
  }

  async delete(executionId: string): Promise<boolean> {
    for (;;) {
      const removed = await this.#writes.send('cannot delete an execution', { kind: 'delete', executionId });
      await this.#removeFiles(removed.files);
      if (removed.done) return removed.found;
    }
  }

  async retain({ endedBefore, maxBytes, ...times }: Retention): Promise<Retained> {
    await this.#reserve.restore();
    const fileBytes = await this.#blobs.totalBytes();
    const target = { endedBefore, maxBytes, fileBytes };
    const step = await this.#writes.send('cannot delete what is old', { kind: 'retain', target });
    await this.#removeFiles(step.files);
    const { deletedExecutions, deletedLogs, shortened } = step;
    const more = step.more || (await this.#sweep.step(times));
    return { deletedExecutions, deletedLogs, ...(shortened.length > 0 && { shortened }), more };
  }

  async execution(executionId: string): Promise<ExecutionRecord | undefined> {
    return this.#use('cannot read an execution', () => this.#records.get(executionId));
  }

  async executionByInvocation(tenant: string, invocationId: string): Promise<ExecutionRecord | undefined> {
    return this.#use('cannot read an execution', () => this.#records.byInvocation(tenant, invocationId));
  }

  async input(executionId: string): Promise<Invocation | undefined> {
    return this.#use('cannot read an input', () =>
      this.#records.has(executionId) ? this.#inputs.load(executionId) : undefined,
    );
  }

  async executions(filter: ExecutionFilter): Promise<ExecutionRecord[]> {
    return this.#list('cannot list executions', () => this.#records.list(filter));
  }

  async unfinished(afterId: string, limit: number): Promise<ExecutionRecord[]> {
    return this.#use('cannot list executions', () => this.#records.unfinished(afterId, limit));
  }

  async waitingLines(): Promise<WaitingLineCount[]> {
    return this.#use('cannot list what waits', () => this.#waiting.lines());
  }

  async waiting(line: string, after: WaitingKey | undefined, limit: number): Promise<WaitingExecution[]> {
    return this.#use('cannot list what waits', () => this.#waiting.line(line, after, limit));
  }

  async waitingBetween(line: string, after: WaitingKey, before: WaitingKey, limit: number): Promise<number> {
    return this.#use('cannot count what waits', () => this.#waiting.between(line, after, before, limit));
  }

  async waitingExecution(executionId: string): Promise<WaitingExecution | undefined> {
    return this.#use('cannot read an execution', () => this.#waiting.one(executionId));
  }

  async waking(after: WaitingAlarm | undefined, limit: number): Promise<WaitingAlarm[]> {
    return this.#use('cannot list alarms', () => this.#waiting.alarms(after, limit));
  }

  async hasDependencies(): Promise<boolean> {
    return this.#use('cannot read what waits', () => this.#dependencies.any());
  }

  async blocked(executionId: string): Promise<BlockedState | undefined> {
    return this.#use('cannot read what waits', () => this.#dependencies.blocked(executionId));
  }

  async released(afterId: string, limit: number): Promise<string[]> {
    return this.#list('cannot list what waits', () => this.#dependencies.released(afterId, limit));
  }

  async dependants(executionId: string, afterId: string, limit: number): Promise<string[]> {
    return this.#list('cannot list what waits', () =>
      this.#dependencies.dependants(executionId, afterId, limit),
    );
  }

  async events(executionId: string, query: EventQuery): Promise<LogEvent[]> {
    await this.#readTurn.begin();
    const page = this.#use('cannot read a log', () => this.#log.events(executionId, query));
    this.#readTurn.spend(page);
    return page;
  }

  async outline(executionId: string): Promise<LogOutline> {
    return this.#use('cannot read a log', () => this.#log.outline(executionId));
  }

  async eventsFromPosition(from: number, limit: number): Promise<NodeEvent[]> {
    return this.#use('cannot read the logs', () => this.#log.fromPosition(from, limit));
  }

  async changedSince(from: number, limit: number): Promise<string[] | undefined> {
    return this.#use('cannot read the logs', () => this.#log.changedSince(from, limit));
  }

  async lastPosition(): Promise<number> {
    return this.#use('cannot read the logs', () => nextPosition(this.#db) - 1);
  }

  async counts(scope: Scope = wholeNode): Promise<StoreCounts> {
    return this.#use('cannot count', () => ({
      executions: this.#records.counts(scope),
      tasks: this.#tasks.named(scope),
    }));
  }

  async admitBatch(batch: Batch, entries: readonly CommitEntry[]): Promise<BatchResult> {
    for (const entry of entries) assertNumbered(entry);
    if (this.lowSpace) return { ok: false, conflict: 'space' };
    const parts = batchParts(entries);
    const positions: number[] = [];
    const isStaged = parts.length > 1;
    if (isStaged) this.#hidden.add(batch.batchId);
    try {
      for (const [index, part] of parts.entries()) {
        const result = await this.#commitPart(batch, part, {
          isFirst: index === 0,
          isLast: index === parts.length - 1,
        });
        if (!result.ok) {
          if (index > 0) await this.#dropBatch(batch.batchId);
          return result;
        }
        positions.push(...result.positions);
      }
      return { ok: true, positions };
    } catch (error) {
      if (isStaged) await this.#dropBatch(batch.batchId).catch(() => undefined);
      throw error;
    } finally {
      this.#hidden.delete(batch.batchId);
    }
  }

  #commitPart(batch: Batch, entries: readonly CommitEntry[], part: BatchPart): Promise<BatchResult> {
    return this.#encoded(entries, (encoded) => {
      const { floor } = this.#writes;
      const request = { kind: 'commitBatch', batch, entries: encoded, part, floor } as const;
      return this.#writes.send('cannot commit a batch', request);
    });
  }

  superviseBatch(
    before: Batch,
    batch: Batch,
    entries: readonly CommitEntry[],
    endings: readonly MemberEnding[],
  ): Promise<SuperviseResult> {
    for (const entry of entries) assertNumbered(entry);
    return this.#encoded(entries, (encoded) => {
      const { floor } = this.#writes;
      const request = { kind: 'superviseBatch', before, batch, entries: encoded, endings, floor } as const;
      return this.#writes.send('cannot commit a batch', request);
    });
  }

  async #encoded<Result extends { readonly ok: boolean }>(
    entries: readonly CommitEntry[],
    send: (encoded: readonly EncodedEntry[]) => Promise<Result>,
  ): Promise<Result | { readonly ok: false; readonly conflict: 'space' }> {
    const prepared = this.#inputs.prepare(entries);
    const inputs = prepared instanceof Promise ? await this.#noticing(prepared) : prepared;
    try {
      if (inputs?.some((input) => input === noRoom)) return { ok: false, conflict: 'space' };
      const encoded = entries.map((entry, index) => {
        const input = inputs?.[index];
        return encodeEntry(entry, input === noRoom ? undefined : input, false);
      });
      return await send(encoded);
    } finally {
      this.#inputs.settled(inputs);
    }
  }

  async #dropBatch(batchId: string): Promise<void> {
    while (!(await this.#writes.send('cannot drop a batch', { kind: 'dropBatch', batchId })));
  }

  async saveBatch(batch: Batch): Promise<void> {
    await this.#writes.send('cannot save a batch', { kind: 'saveBatch', batch });
  }

  async batch(batchId: string): Promise<BatchState | undefined> {
    if (this.#readTurn.isOver) await this.#readTurn.begin();
    this.#readTurn.spendRows(1);
    return this.#use('cannot read a batch', () => this.#batches.one(batchId));
  }

  async batchByInvocation(tenant: string, invocationId: string): Promise<BatchState | undefined> {
    return this.#use('cannot read a batch', () => this.#batches.byInvocation(tenant, invocationId));
  }

  async batches(tenant: string | undefined, beforeId: string, limit: number): Promise<BatchState[]> {
    return this.#list('cannot list batches', () => this.#batches.list(tenant, beforeId, limit));
  }

  async unfinishedBatches(): Promise<BatchState[]> {
    return this.#use('cannot list batches', () => this.#batches.unfinished());
  }

  async batchMembers(batchId: string, query: MemberQuery): Promise<BatchMember[]> {
    return this.#list('cannot read a batch', () => this.#batches.members(batchId, query));
  }

  async batchEndings(batchId: string, from: number, limit: number): Promise<BatchEnding[]> {
    return this.#list('cannot read a batch', () => this.#batches.endings(batchId, from, limit));
  }

  async saveTask(task: Task): Promise<void> {
    await this.#writes.send('cannot save a task', { kind: 'saveTask', task });
  }

  async saveRevision(task: Task): Promise<void> {
    await this.#writes.send('cannot save a task', { kind: 'saveRevision', task });
  }

  async deleteTask(taskId: string): Promise<void> {
    await this.#writes.send('cannot delete a task', { kind: 'deleteTask', taskId });
  }

  async taskByName(tenant: string, name: string): Promise<Task | undefined> {
    return this.#use('cannot read a task', () => this.#tasks.byName(tenant, name));
  }

  async taskById(taskId: string): Promise<Task | undefined> {
    return this.#use('cannot read a task', () => this.#tasks.byId(taskId));
  }

  async taskRevision(taskId: string, revision: number): Promise<Task | undefined> {
    return this.#use('cannot read a task', () => this.#tasks.revision(taskId, revision));
  }

  async taskRevisions(taskId: string, before: number, limit: number): Promise<Task[]> {
    return this.#use('cannot read a task', () => this.#tasks.revisions(taskId, before, limit));
  }

  async deleteRevision(taskId: string, revision: number): Promise<boolean> {
    return this.#writes.send('cannot delete a revision', {
      kind: 'dropRevision',
      revision: { taskId, revision },
    });
  }

  async taskAliases(taskId: string): Promise<TaskAlias[]> {
    return this.#use('cannot read the aliases of a task', () => this.#aliases.of(taskId));
  }

  async saveAlias(taskId: string, name: string, alias: TaskAlias | undefined): Promise<void> {
    await this.#writes.send('cannot save an alias', { kind: 'saveAlias', taskId, name, alias });
  }

  async tasks(tenant: string, afterName: string, limit: number, labels?: Labels): Promise<Task[]> {
    return this.#use('cannot list tasks', () => this.#tasks.list(tenant, afterName, limit, labels));
  }

  async taskTenants(): Promise<string[]> {
    return this.#use('cannot list tenants', () => this.#tasks.tenants());
  }

  async hasArtifact(tenant: string, sha256: string): Promise<boolean> {
    return this.#use('cannot read a task', () => this.#tasks.hasArtifact(tenant, sha256));
  }

  async order(): Promise<StoredOrder> {
    return this.#use('cannot read the order of runs', () => this.#order.all());
  }

  async saveOrder(changes: OrderChanges): Promise<number> {
    return this.#writes.send('cannot save the order of runs', { kind: 'saveOrder', changes });
  }

  async storedBytes(tenant: string, afterId: string, limit: number): Promise<StoredBytes> {
    const { files, ...page } = this.#use('cannot count', () => this.#stored.page(tenant, afterId, limit));
    const artifacts = afterId === '' ? this.#use('cannot count', () => this.#stored.artifacts(tenant)) : 0;
    return { bytes: page.bytes + artifacts + (await this.#stored.files(files)), last: page.last };
  }

  async quotas(): Promise<StoredQuota[]> {
    return this.#use('cannot read the quotas', () => this.#quotas.all());
  }

  async saveQuota(tenant: string, quota: Quota | undefined): Promise<void> {
    await this.#writes.send('cannot save a quota', { kind: 'saveQuota', tenant, quota });
  }

  async saveRows(rows: readonly SideRowChange[]): Promise<void> {
    await this.#writes.send('cannot save rows', { kind: 'saveRows', rows });
  }

  async row(id: SideRowId): Promise<SideRow | undefined> {
    if (this.#readTurn.isOver) await this.#readTurn.begin();
    this.#readTurn.spendRows(1);
    return this.#use('cannot read a row', () => this.#sideRows.one(id));
  }

  async rows(query: SideRowQuery): Promise<SideRow[]> {
    return this.#list('cannot read rows', () => this.#sideRows.list(query));
  }

  async dueRows(kind: string, until: number, limit: number, after?: DuePlace): Promise<SideRow[]> {
    return this.#list('cannot read rows', () => this.#sideRows.due(kind, until, limit, after));
  }

  async countRows(kind: string, tenant?: string): Promise<number> {
    return this.#use('cannot count', () => this.#sideRows.count(kind, tenant));
  }

  async close(): Promise<void> {
    if (!this.#db.isOpen) return;
    try {
      guardSqlite('cannot close the store', () => this.#db.close());
      await this.#writes.close();
    } finally {
      this.#folder.release();
    }
  }

  /** Files fill a disk, too. */
  async #noticing<T>(writing: Promise<T>): Promise<T> {
    try {
      return await writing;
    } catch (error) {
      throw this.#writes.noticed(error);
    }
  }

  /** What has a record now is an execution like any other. */
  #unmark(entries: readonly EncodedEntry[], results: readonly CommitResult[]): void {
    for (const [index, { executionId, record }] of entries.entries()) {
      if (record !== undefined && results[index]?.ok === true) this.#staged.delete(executionId);
    }
  }

  async #removeFiles(digests: readonly string[]): Promise<void> {
    for (const sha256 of digests) {
      const named = this.#use('cannot see what is in use', () => this.#inputs.names(sha256));
      if (!named) await this.#blobs.remove(sha256, Number.POSITIVE_INFINITY);
    }
  }

  async #list<T>(what: string, work: () => T[]): Promise<T[]> {
    await this.#readTurn.begin();
    const found = this.#use(what, work);
    // What finds nothing has looked, too.
    this.#readTurn.spendRows(found.length + 1);
    return found;
  }

  #use<T>(what: string, work: () => T): T {
    if (!this.#db.isOpen) throw new StoreError(`${what}: the store is closed`);
    return guardReading(what, work);
  }
}
