import {
  type Batch,
  type BatchEnding,
  type BatchMember,
  type BatchState,
  isWanted,
  type MemberQuery,
} from '../../../domain/batch/batch.ts';
import type { ErrorCode } from '../../../domain/errors.ts';
import type { ExecutionRecord, ExecutionStatus } from '../../../domain/execution.ts';
import { LruMap } from '../../../domain/lru-map.ts';
import type { Readers } from '../engine/readers.ts';
import type { Row } from '../engine/session.ts';
import { restored, storable } from '../write/parameters.ts';
import { most } from './records.ts';

const states = `SELECT batch, ended, completed, failed, cancelled, timed_out, completed_at,
  (SELECT count(*) FROM executions x WHERE x.batch_id = batches.batch_id AND x.status = 'running') AS running
  FROM batches`;
const members = `SELECT m.member, m.name, m.execution_id, m.layer, m.follows, m.error_code, m.ended_at, m.sequence,
  coalesce(m.status, x.status) AS status, x.task_id FROM batch_members m LEFT JOIN executions x USING (execution_id)`;

const mostTaskNames = 1000;
/** More than a batch has members. */
const mostLayers = 0x7fff_ffff;

/** Reads batches and their members, each by its index. */
export class BatchReader {
  readonly #readers: Readers;
  readonly #me: number;
  /** By the id of the task. */
  readonly #taskNames = new LruMap<string, string>(mostTaskNames);

  /** @param me whose are those that have not ended */
  constructor(readers: Readers, me: number) {
    this.#readers = readers;
    this.#me = me;
  }

  async one(batchId: string): Promise<BatchState | undefined> {
    return (await this.#states('WHERE batch_id = $1', [batchId]))[0];
  }

  async byInvocation(tenant: string, invocationId: string): Promise<BatchState | undefined> {
    const values = [tenant, storable(invocationId)];
    return (await this.#states('WHERE tenant = $1 AND invocation_id = $2', values))[0];
  }

  list(tenant: string | undefined, beforeId: string, limit: number): Promise<BatchState[]> {
    const where = "WHERE ($1::text IS NULL OR tenant = $1) AND ($2 = '' OR batch_id < $2)";
    const values = [tenant ?? null, beforeId, most(limit)];
    return this.#states(`${where} ORDER BY batch_id DESC LIMIT $3`, values);
  }

  unfinished(): Promise<BatchState[]> {
    return this.#states('WHERE completed_at IS NULL AND owner = $1', [this.#me]);
  }

  async members(batchId: string, query: MemberQuery): Promise<BatchMember[]> {
    const { after, limit, statuses, firstLayer = 0, lastLayer = mostLayers, errorCodes = [] } = query;
    const wanted = `(cardinality($3::text[]) = 0 OR coalesce(m.status, x.status) = ANY ($3::text[]))
      AND m.layer BETWEEN $5 AND $6 AND (cardinality($7::text[]) = 0 OR m.error_code = ANY ($7::text[]))`;
    const where = `WHERE m.batch_id = $1 AND m.member > $2 AND ${wanted} ORDER BY m.member LIMIT $4`;
    const bounds = [Math.min(firstLayer, mostLayers), Math.min(lastLayer, mostLayers)];
    const found: BatchMember[] = [];
    for (let last = after; found.length < limit; ) {
      const rows = await this.#members(where, [
        ...[batchId, last, [...statuses], most(limit)],
        ...[...bounds, [...errorCodes]],
      ]);
      for (const member of rows) {
        last = member.member;
        if (found.length < limit && isWanted(member, query)) found.push(member);
      }
      if (rows.length < limit) break;
    }
    return found;
  }

  async endings(batchId: string, from: number, limit: number): Promise<BatchEnding[]> {
    const where = 'WHERE m.batch_id = $1 AND m.sequence >= $2 ORDER BY m.sequence LIMIT $3';
    return (await this.#members(where, [batchId, from, most(limit)])) as BatchEnding[];
  }

  async #states(where: string, values: readonly unknown[]): Promise<BatchState[]> {
    return (await this.#readers.read('cannot read batches', `${states} ${where}`, values)).map(stateOf);
  }

  async #members(where: string, values: readonly unknown[]): Promise<BatchMember[]> {
    const rows = await this.#readers.read('cannot read a batch', `${members} ${where}`, values);
    await this.#readNames(rows);
    return rows.map((row) => memberOf(row, this.#taskNames.get(String(row.task_id)) ?? ''));
  }

  /** Of tasks that no member was read of before: the record of one of theirs says it. */
  async #readNames(rows: readonly Row[]): Promise<void> {
    const unknown = new Map<string, string>();
    for (const { task_id: taskId, execution_id: executionId } of rows) {
      const key = taskId === null ? '' : String(taskId);
      if (key !== '' && this.#taskNames.get(key) === undefined) unknown.set(key, String(executionId));
    }
    if (unknown.size === 0) return;
    const records = await this.#readers.read(
      'cannot read a batch',
      'SELECT task_id, record FROM executions WHERE execution_id = ANY ($1::text[]) AND record IS NOT NULL',
      [[...unknown.values()]],
    );
    for (const { task_id: taskId, record } of records) {
      const { taskName } = JSON.parse(String(record)) as ExecutionRecord;
      this.#taskNames.set(String(taskId), taskName);
    }
  }
}

function stateOf(row: Row): BatchState {
  const { completed_at: at } = row;
  return {
    batch: JSON.parse(String(row.batch)) as Batch,
    counts: {
      ended: Number(row.ended),
      completed: Number(row.completed),
      failed: Number(row.failed),
      cancelled: Number(row.cancelled),
      timedOut: Number(row.timed_out),
      running: at === null ? Number(row.running) : 0,
      ...(at !== null && { completedAt: Number(at) }),
    },
  };
}

function memberOf(row: Row, taskName: string): BatchMember {
  const { status, error_code: errorCode, ended_at: endedAt, sequence } = row;
  return {
    member: Number(row.member),
    name: restored(String(row.name)),
    executionId: String(row.execution_id),
    layer: Number(row.layer),
    follows: JSON.parse(String(row.follows)) as number[],
    taskName,
    status: (status ?? undefined) as ExecutionStatus | undefined,
    ...(errorCode !== null && { errorCode: errorCode as ErrorCode }),
    ...(endedAt !== null && { endedAt: Number(endedAt) }),
    ...(sequence !== null && { sequence: Number(sequence) }),
  };
}
