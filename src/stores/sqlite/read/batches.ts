import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Batch, BatchEnding, BatchMember, BatchState } from '../../../domain/batch/batch.ts';
import type { ErrorCode } from '../../../domain/errors.ts';
import type { ExecutionStatus } from '../../../domain/execution.ts';
import { DamagedError, type MemberQuery } from '../../store.ts';
import type { Row } from './row.ts';

const stateColumns = 'batch_id, batch, ended, completed, failed, cancelled, timed_out, completed_at, members';
const memberColumns =
  'm.member, m.name, m.execution_id, m.layer, m.follows, m.status, m.error_code, m.ended_at, m.sequence';

/** Reads batches and their members, each by its index. */
export class BatchReader {
  readonly #one: StatementSync;
  readonly #byInvocation: StatementSync;
  readonly #list: StatementSync;
  readonly #unfinished: StatementSync;
  readonly #running: StatementSync;
  readonly #members: StatementSync;
  readonly #endings: StatementSync;

  constructor(db: DatabaseSync) {
    this.#one = db.prepare(`SELECT ${stateColumns} FROM batches WHERE batch_id = ? AND staged = 0`);
    this.#byInvocation = db.prepare(
      `SELECT ${stateColumns} FROM batches WHERE tenant = ? AND invocation_id = ? AND staged = 0`,
    );
    this.#list = db.prepare(
      `SELECT ${stateColumns} FROM batches
       WHERE (?1 IS NULL OR tenant = ?1) AND (?2 = '' OR batch_id < ?2) AND staged = 0
       ORDER BY batch_id DESC LIMIT ?3`,
    );
    this.#unfinished = db.prepare(
      `SELECT ${stateColumns} FROM batches WHERE completed_at IS NULL AND staged = 0`,
    );
    this.#running = db.prepare(
      `SELECT count(*) AS count FROM executions WHERE batch_id = ? AND status = 'running'`,
    );
    this.#members = db.prepare(
      `SELECT ${memberColumns}, e.status AS now FROM batch_members AS m
       LEFT JOIN executions AS e ON e.execution_id = m.execution_id
       WHERE m.batch_id = ? AND m.member > ? ORDER BY m.member LIMIT ?`,
    );
    this.#endings = db.prepare(
      `SELECT ${memberColumns} FROM batch_members AS m
       WHERE m.batch_id = ? AND m.sequence >= ? ORDER BY m.sequence LIMIT ?`,
    );
  }

  one(batchId: string): BatchState | undefined {
    const row = this.#one.get(batchId);
    return row === undefined ? undefined : this.#state(row);
  }

  byInvocation(tenant: string, invocationId: string): BatchState | undefined {
    const row = this.#byInvocation.get(tenant, invocationId);
    return row === undefined ? undefined : this.#state(row);
  }

  list(tenant: string | undefined, beforeId: string, limit: number): BatchState[] {
    return this.#list.all(tenant ?? null, beforeId, limit).map((row) => this.#state(row));
  }

  unfinished(): BatchState[] {
    return this.#unfinished.all().map((row) => this.#state(row));
  }

  members(batchId: string, { after, limit, statuses }: MemberQuery): BatchMember[] {
    const found: BatchMember[] = [];
    for (let last = after; found.length < limit; ) {
      const rows = this.#members.all(batchId, last, limit);
      for (const row of rows) {
        const member = memberOf(row);
        last = member.member;
        const isWanted = statuses.length === 0 || (member.status && statuses.includes(member.status));
        if (isWanted && found.length < limit) found.push(member);
      }
      if (rows.length < limit) break;
    }
    return found;
  }

  endings(batchId: string, from: number, limit: number): BatchEnding[] {
    return this.#endings.all(batchId, from, limit).map((row) => memberOf(row) as BatchEnding);
  }

  #state(row: Row): BatchState {
    const batch = batchOf(row);
    const { ended, completed, failed, cancelled, timed_out: timedOut, completed_at: at } = row;
    const isOver = Number(ended) >= batch.members;
    return {
      batch,
      counts: {
        ended: Number(ended),
        completed: Number(completed),
        failed: Number(failed),
        cancelled: Number(cancelled),
        timedOut: Number(timedOut),
        running: isOver ? 0 : Number(this.#running.get(batch.batchId)?.count),
        ...(at !== null && { completedAt: Number(at) }),
      },
    };
  }
}

function batchOf({ batch_id: id, batch }: Row): Batch {
  try {
    return JSON.parse(String(batch)) as Batch;
  } catch (cause) {
    throw new DamagedError(`the batch ${String(id)} is damaged`, { cause });
  }
}

function memberOf(row: Row): BatchMember {
  const { status, now, error_code: errorCode, ended_at: endedAt, sequence } = row;
  const known = (status ?? now ?? undefined) as ExecutionStatus | undefined;
  return {
    member: Number(row.member),
    name: String(row.name),
    executionId: String(row.execution_id),
    layer: Number(row.layer),
    follows: JSON.parse(String(row.follows)) as number[],
    status: known,
    ...(errorCode !== null && { errorCode: errorCode as ErrorCode }),
    ...(endedAt !== null && { endedAt: Number(endedAt) }),
    ...(sequence !== null && { sequence: Number(sequence) }),
  };
}
