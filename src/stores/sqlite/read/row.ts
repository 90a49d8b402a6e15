import type { ExecutionRecord } from '../../../domain/execution.ts';
import type { Task } from '../../../domain/task.ts';
import { DamagedError } from '../../store.ts';
import {
  claimChecksum,
  inputChecksum,
  nameChecksum,
  notPending,
  recordChecksum,
  taskChecksum,
} from '../file/checksum.ts';

/** As SQLite gives it. What is damaged may have any type and value. */
export type Row = Readonly<Record<string, unknown>>;

export interface InputRow {
  readonly execution_id: string;
  readonly invocation: string | null;
  readonly invocation_sha256: string | null;
  readonly input: Uint8Array | null;
  readonly input_sha256: string | null;
  readonly checksum: number;
}

/** The record of a row of `executions` with all of its columns. Throws DamagedError where it is not as it was written. */
export function recordOf(row: Row): ExecutionRecord {
  const { execution_id: id, task_id, task_revision, status, created_at, record, tenant, checksum } = row;
  const { line, waits_since, wakes_at } = row;
  const expected = recordChecksum(
    String(id),
    String(task_id),
    Number(task_revision),
    String(status),
    Number(created_at),
    String(record),
    String(tenant),
    line === null
      ? notPending
      : { line: String(line), waitsSince: numberIn(waits_since), wakesAt: numberIn(wakes_at) },
  );
  return parsed(`the record of ${String(id)}`, record, checksum === expected);
}

/** The task of a row of `tasks` with all of its columns. Throws DamagedError where it is not as it was written. */
export function taskOf({ task_id: id, revision, task, checksum }: Row): Task {
  const expected = taskChecksum(String(id), Number(revision), String(task));
  return parsed(`the task of ${String(id)}`, task, checksum === expected);
}

/** Throws DamagedError where the row of `task_names` is not as it was written. */
export function assertName({ tenant, name, task_id, name_checksum }: Row): void {
  if (name_checksum === nameChecksum(String(tenant), String(name), String(task_id))) return;
  throw new DamagedError(`the name ${String(name)} of a task is damaged`);
}

/** Throws DamagedError where the row of `claims` is not as it was written. */
export function assertClaim({
  claim_tenant,
  invocation_id: key,
  claimed_by: owner,
  claim_checksum,
}: Row): void {
  if (claim_checksum === claimChecksum(String(claim_tenant), String(key), String(owner))) return;
  throw new DamagedError(`what says which execution has the invocation id ${String(key)} is damaged`);
}

/** Throws DamagedError where the row of `inputs` is not as it was written. */
export function assertInput(row: InputRow): void {
  const { execution_id: id, invocation, invocation_sha256, input, input_sha256, checksum } = row;
  const parts = { invocation, invocationSha256: invocation_sha256, input, inputSha256: input_sha256 };
  if (checksum === inputChecksum(id, parts)) return;
  throw new DamagedError(`the input of ${id} is damaged`);
}

/** Each that `read` gives, without those that are damaged: one of them must not hide the others. */
export function wholeOf<T>(rows: readonly Row[], read: (row: Row) => T): T[] {
  const whole: T[] = [];
  for (const row of rows) {
    try {
      whole.push(read(row));
    } catch (error) {
      if (!(error instanceof DamagedError)) throw error;
    }
  }
  return whole;
}

function numberIn(value: unknown): number | null {
  return value === null ? null : Number(value);
}

function parsed<T>(what: string, json: unknown, whole: boolean): T {
  if (!whole) throw new DamagedError(`${what} is damaged`);
  try {
    return JSON.parse(String(json)) as T;
  } catch (cause) {
    throw new DamagedError(`${what} is damaged`, { cause });
  }
}

/** It is a member of a batch that is not there yet. */
export function isHidden({ batch }: ExecutionRecord, hidden: ReadonlySet<string>): boolean {
  return batch !== undefined && hidden.has(batch.batchId);
}

/** Throws DamagedError for one that is hidden, so that lists leave it out and go on. */
export function shown(record: ExecutionRecord, hidden: ReadonlySet<string>): ExecutionRecord {
  if (isHidden(record, hidden)) throw new DamagedError(`${record.executionId} is not there yet`);
  return record;
}
