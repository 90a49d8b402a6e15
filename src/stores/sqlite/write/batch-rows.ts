/**
 * Batches and their members, as rows. A member's end is counted, and has its number in the log of the batch, in the
 * transaction that writes its record. Every call is within a transaction of its caller's.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Batch } from '../../../domain/batch/batch.ts';
import type { BatchMembership, ExecutionRecord } from '../../../domain/execution.ts';
import { tenantOf } from '../../../domain/scope.ts';
import type { MemberEnding } from '../../store.ts';
import { Floor } from '../file/positions.ts';
import { SingleLogs } from './single-logs.ts';

/** What a row of a member has beside its membership. */
export interface EncodedMember extends BatchMembership {
  readonly layer: number;
  /** JSON. */
  readonly follows: string;
}

/** How a member ended. */
export interface MemberEnd {
  readonly status: string;
  readonly errorCode: string | null;
  readonly endedAt: number;
}

/** Executions of a batch that are dropped in one transaction. */
const dropAtOnce = 500;

export class BatchRows {
  readonly #floor: Floor;
  readonly #logs: SingleLogs;
  readonly #owner: StatementSync;
  readonly #insert: StatementSync;
  readonly #replace: StatementSync;
  readonly #update: StatementSync;
  readonly #show: StatementSync;
  readonly #insertMember: StatementSync;
  readonly #hasEnded: StatementSync;
  readonly #endMember: StatementSync;
  readonly #count: Readonly<Record<string, StatementSync>>;
  readonly #staged: StatementSync;
  readonly #of: StatementSync;
  readonly #dropLabel: StatementSync;
  readonly #dropExecution: readonly StatementSync[];
  readonly #dropBatch: readonly StatementSync[];
  readonly #old: StatementSync;

  constructor(db: DatabaseSync) {
    this.#floor = new Floor(db);
    this.#logs = new SingleLogs(db);
    this.#owner = db.prepare('SELECT batch_id FROM batches WHERE tenant = ? AND invocation_id = ?');
    this.#insert = db.prepare(
      `INSERT INTO batches (batch_id, tenant, invocation_id, members, staged, batch) VALUES (?, ?, ?, ?, ?, ?)`,
    );
    this.#update = db.prepare('UPDATE batches SET batch = ? WHERE batch_id = ?');
    this.#replace = db.prepare('UPDATE batches SET batch = ? WHERE batch_id = ? AND batch = ?');
    this.#show = db.prepare('UPDATE batches SET staged = 0 WHERE batch_id = ?');
    this.#insertMember = db.prepare(
      `INSERT INTO batch_members (batch_id, member, execution_id, name, layer, follows) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (batch_id, member) DO UPDATE SET execution_id = excluded.execution_id`,
    );
    this.#hasEnded = db.prepare(
      'SELECT 1 FROM batch_members WHERE batch_id = ? AND member = ? AND sequence IS NOT NULL',
    );
    this.#endMember = db.prepare(
      `UPDATE batch_members SET status = ?3, error_code = ?4, ended_at = ?5,
         sequence = (SELECT ended FROM batches WHERE batch_id = ?1)
       WHERE batch_id = ?1 AND member = ?2`,
    );
    this.#count = Object.fromEntries(
      [
        ['completed', 'completed'],
        ['failed', 'failed'],
        ['cancelled', 'cancelled'],
        ['timedOut', 'timed_out'],
      ].map(([status, column]) => [
        status,
        db.prepare(
          `UPDATE batches SET ended = ended + 1, ${column} = ${column} + 1,
             completed_at = CASE WHEN ended + 1 >= members THEN ?2 END WHERE batch_id = ?1`,
        ),
      ]),
    );
    this.#staged = db.prepare('SELECT batch_id FROM batches WHERE staged = 1');
    this.#of = db.prepare('SELECT execution_id, tenant, record FROM executions WHERE batch_id = ? LIMIT ?');
    this.#dropLabel = db.prepare(
      'DELETE FROM execution_labels WHERE tenant = ? AND key = ? AND value = ? AND execution_id = ?',
    );
    this.#dropExecution = [
      'inputs WHERE execution_id = ?',
      'blocked WHERE execution_id = ?',
      'dependencies WHERE dependant_id = ?',
      'executions WHERE execution_id = ?',
    ].map((rows) => db.prepare(`DELETE FROM ${rows}`));
    this.#dropBatch = ['batch_members', 'batches'].map((table) =>
      db.prepare(`DELETE FROM ${table} WHERE batch_id = ?`),
    );
    this.#old = db.prepare(
      'SELECT batch_id FROM batches WHERE completed_at < ? ORDER BY completed_at LIMIT 1',
    );
  }

  /** The batch that has the invocation id; undefined for none. */
  ownerOf({ invocationId, ...batch }: Batch): string | undefined {
    if (invocationId === '') return undefined;
    return this.#owner.get(tenantOf(batch), invocationId)?.batch_id as string | undefined;
  }

  /** A staged one is not there for readers before it is shown. */
  insert(batch: Batch, staged: boolean): void {
    const { batchId, invocationId, members } = batch;
    const json = JSON.stringify(batch);
    this.#insert.run(batchId, tenantOf(batch), invocationId || null, members, Number(staged), json);
  }

  show(batchId: string): void {
    this.#show.run(batchId);
  }

  save(batch: Batch): void {
    this.#update.run(JSON.stringify(batch), batch.batchId);
  }

  /** The execution of a member has its row, in place of that which the member had before. */
  join(executionId: string, { batchId, member, name = '', layer, follows }: EncodedMember): void {
    this.#insertMember.run(batchId, member, executionId, name, layer, follows);
  }

  end({ batchId, member }: BatchMembership, { status, errorCode, endedAt }: MemberEnd): void {
    this.#count[status]?.run(batchId, endedAt);
    this.#endMember.run(batchId, member, status, errorCode, endedAt);
  }

  /** What is said of a batch, and ends of its members that are not counted yet. False where it is not as `before`. */
  supervise(before: Batch, batch: Batch, endings: readonly MemberEnding[]): boolean {
    const { batchId } = batch;
    const { changes } = this.#replace.run(JSON.stringify(batch), batchId, JSON.stringify(before));
    if (changes === 0) return false;
    for (const { member, end } of endings) {
      if (this.#hasEnded.get(batchId, member) !== undefined) continue;
      const { status, errorCode = null, endedAt } = end;
      this.end({ batchId, member }, { status, errorCode, endedAt });
    }
    return true;
  }

  /** Deletes what was staged of a batch, as much of it as one step may; true where nothing is left. */
  drop(batchId: string): boolean {
    const executions = this.#of.all(batchId, dropAtOnce);
    if (executions.length > 0) this.#floor.raise();
    for (const { execution_id: id, tenant, record } of executions) {
      const { labels = {} } = JSON.parse(String(record)) as Pick<ExecutionRecord, 'labels'>;
      for (const [key, value] of Object.entries(labels)) {
        this.#dropLabel.run(String(tenant), key, value, String(id));
      }
      this.#logs.deleteLog(String(id));
      for (const statement of this.#dropExecution) statement.run(String(id));
    }
    if (executions.length === dropAtOnce) return false;
    for (const statement of this.#dropBatch) statement.run(batchId);
    return true;
  }

  /** Those that an earlier run staged and did not show. */
  leftovers(): string[] {
    return this.#staged.all().map(({ batch_id: id }) => String(id));
  }

  /** Forgets a batch all of whose members ended before; its executions stay. False where there is none. */
  forgetOld(endedBefore: number): boolean {
    const found = this.#old.get(endedBefore)?.batch_id as string | undefined;
    if (found === undefined) return false;
    for (const statement of this.#dropBatch) statement.run(found);
    return true;
  }
}
