import type { Batch, BatchEnding, BatchMember, BatchState } from '../../../domain/batch/batch.ts';
import type { ErrorCode } from '../../../domain/errors.ts';
import type { ExecutionStatus } from '../../../domain/execution.ts';
import type { MemberQuery } from '../../store.ts';
import type { Readers } from '../engine/readers.ts';
import type { Row } from '../engine/session.ts';
import { restored, storable } from '../write/parameters.ts';
import { most } from './records.ts';

const states = `SELECT batch, ended, completed, failed, cancelled, timed_out, completed_at,
  (SELECT count(*) FROM executions x WHERE x.batch_id = batches.batch_id AND x.status = 'running') AS running
  FROM batches`;
const members = `SELECT m.member, m.name, m.execution_id, m.layer, m.follows, m.error_code, m.ended_at, m.sequence,
  coalesce(m.status, x.status) AS status FROM batch_members m LEFT JOIN executions x USING (execution_id)`;

/** Reads batches and their members, each by its index. */
export class BatchReader {
  readonly #readers: Readers;

  constructor(readers: Readers) {
    this.#readers = readers;
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
    return this.#states('WHERE completed_at IS NULL', []);
  }

  members(batchId: string, { after, limit, statuses }: MemberQuery): Promise<BatchMember[]> {
    const wanted = '(cardinality($3::text[]) = 0 OR coalesce(m.status, x.status) = ANY ($3::text[]))';
    const where = `WHERE m.batch_id = $1 AND m.member > $2 AND ${wanted} ORDER BY m.member LIMIT $4`;
    return this.#members(where, [batchId, after, [...statuses], most(limit)]);
  }

  async endings(batchId: string, from: number, limit: number): Promise<BatchEnding[]> {
    const where = 'WHERE m.batch_id = $1 AND m.sequence >= $2 ORDER BY m.sequence LIMIT $3';
    return (await this.#members(where, [batchId, from, most(limit)])) as BatchEnding[];
  }

  async #states(where: string, values: readonly unknown[]): Promise<BatchState[]> {
    return (await this.#readers.read('cannot read batches', `${states} ${where}`, values)).map(stateOf);
  }

  async #members(where: string, values: readonly unknown[]): Promise<BatchMember[]> {
    return (await this.#readers.read('cannot read a batch', `${members} ${where}`, values)).map(memberOf);
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

function memberOf(row: Row): BatchMember {
  const { status, error_code: errorCode, ended_at: endedAt, sequence } = row;
  return {
    member: Number(row.member),
    name: restored(String(row.name)),
    executionId: String(row.execution_id),
    layer: Number(row.layer),
    follows: JSON.parse(String(row.follows)) as number[],
    status: (status ?? undefined) as ExecutionStatus | undefined,
    ...(errorCode !== null && { errorCode: errorCode as ErrorCode }),
    ...(endedAt !== null && { endedAt: Number(endedAt) }),
    ...(sequence !== null && { sequence: Number(sequence) }),
  };
}
