import type { DatabaseSync, StatementSync } from 'node:sqlite';
import {
  type Batch,
  type BatchEnding,
  type BatchMember,
  type BatchState,
  isWanted,
  type MemberQuery,
} from '../../../domain/batch/batch.ts';
import type { ErrorCode } from '../../../domain/errors.ts';
import type { ExecutionStatus } from '../../../domain/execution.ts';
import { LruMap } from '../../../domain/lru-map.ts';
import { DamagedError } from '../../store.ts';
import type { Row } from './row.ts';

const stateColumns = 'batch_id, batch, ended, completed, failed, cancelled, timed_out, completed_at, members';
const memberColumns =
  'm.member, m.name, m.execution_id, m.layer, m.follows, m.status, m.error_code, m.ended_at, m.sequence';

const mostTaskNames = 1000;
/** More than a batch has members. */
const mostLayers = 0xffff_ffff;

/** Reads batches and their members, each by its index. */
export class BatchReader {
  readonly #one: StatementSync;
  readonly #byInvocation: StatementSync;
  readonly #list: StatementSync;
  readonly #unfinished: StatementSync;
  readonly #running: StatementSync;
  readonly #members: StatementSync;
  readonly #endings: StatementSync;
  readonly #taskName: StatementSync;
  /** By the id of the task. */
  readonly #taskNames = new LruMap<string, string>(mostTaskNames);

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
      `SELECT ${memberColumns}, e.status AS now, e.task_id FROM batch_members AS m
       LEFT JOIN executions AS e ON e.execution_id = m.execution_id
       WHERE m.batch_id = ? AND m.member > ? AND m.layer BETWEEN ? AND ? ORDER BY m.member LIMIT ?`,
    );
    this.#taskName = db.prepare(
      `SELECT CASE WHEN json_valid(record) THEN record ->> '$.taskName' END AS name
       FROM executions WHERE execution_id = ?`,
    );
    this.#endings = db.prepare(
      `SELECT ${memberColumns}, e.task_id FROM batch_members AS m
       LEFT JOIN executions AS e ON e.execution_id = m.execution_id
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

  members(batchId: string, query: MemberQuery): BatchMember[] {
    const { after, limit, firstLayer = 0, lastLayer = mostLayers } = query;
    const found: BatchMember[] = [];
    for (let last = after; found.length < limit; ) {
      const rows = this.#members.all(batchId, last, firstLayer, lastLayer, limit);
      for (const row of rows) {
        const member = this.#member(row);
        last = member.member;
        if (found.length < limit && isWanted(member, query)) found.push(member);
      }
      if (rows.length < limit) break;
    }
    return found;
  }

  endings(batchId: string, from: number, limit: number): BatchEnding[] {
    return this.#endings.all(batchId, from, limit).map((row) => this.#member(row) as BatchEnding);
  }

  #member(row: Row): BatchMember {
    return memberOf(row, row.task_id === null ? '' : this.#nameOf(row));
  }

  /** Read once for each task. */
  #nameOf({ task_id: taskId, execution_id: executionId }: Row): string {
    const known = this.#taskNames.get(String(taskId));
    if (known !== undefined) return known;
    const name = String(this.#taskName.get(String(executionId))?.name ?? '');
    if (name !== '') this.#taskNames.set(String(taskId), name);
    return name;
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

function memberOf(row: Row, taskName: string): BatchMember {
  const { status, now, error_code: errorCode, ended_at: endedAt, sequence } = row;
  const known = (status ?? now ?? undefined) as ExecutionStatus | undefined;
  return {
    member: Number(row.member),
    name: String(row.name),
    executionId: String(row.execution_id),
    layer: Number(row.layer),
    follows: JSON.parse(String(row.follows)) as number[],
    taskName,
    status: known,
    ...(errorCode !== null && { errorCode: errorCode as ErrorCode }),
    ...(endedAt !== null && { endedAt: Number(endedAt) }),
    ...(sequence !== null && { sequence: Number(sequence) }),
  };
}
