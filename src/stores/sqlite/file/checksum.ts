/**
 * Each row has the CRC-32 of what it holds: SQLite notices damage to its own structures only, and serves a flipped
 * byte in a value as data. What identifies the row is part of it, so that a row in another's place is found as well.
 */
import { crc32 } from 'node:zlib';
import { defaultTenant } from '../../../domain/scope.ts';

export type Summed = string | number | null;

/** Stands for null, which no text of ours equals. */
const nothing = '\u0001';

/** Of a row's table and of its values, in an order that is always the same. */
export function checksumOf(table: string, ...values: readonly Summed[]): number {
  let text = table;
  for (const value of values) text += `\0${value ?? nothing}`;
  return crc32(text);
}

/** As the tenant goes into a checksum: the rows of the default one have those of before there were tenants. */
function ofTenant(tenant: string): readonly string[] {
  return tenant === defaultTenant ? [] : [tenant];
}

/** Of bytes; 0 where there are none. */
export function bytesChecksum(bytes: Uint8Array | null): number {
  return bytes === null ? 0 : crc32(bytes);
}

/** What of a row of `segments` its checksum is made of. The bytes have one of their own, so that a reader of the rest need not load them. */
export interface SummedSegment {
  readonly position: number;
  readonly execution_id: string;
  readonly first_sequence: number;
  readonly last_sequence: number;
  readonly data_checksum: number;
  readonly meta: string;
}

export function segmentChecksum(row: SummedSegment): number {
  const { position, execution_id, first_sequence, last_sequence, data_checksum, meta } = row;
  return checksumOf('segments', position, execution_id, first_sequence, last_sequence, data_checksum, meta);
}

/** The columns of `executions` that its checksum is made of, in their order. */
export const recordColumns =
  'execution_id, task_id, task_revision, status, created_at, record, tenant, line, waits_since, wakes_at';

/** Where an execution waits, as its row has it. */
export interface WaitingColumns {
  /** Null where it is not pending, and empty where it waits for no slot. */
  readonly line: string | null;
  readonly waitsSince: number | null;
  readonly wakesAt: number | null;
}

export const notPending: WaitingColumns = { line: null, waitsSince: null, wakesAt: null };
export const inNoLine: WaitingColumns = { line: '', waitsSince: 0, wakesAt: null };

export function recordChecksum(
  executionId: string,
  taskId: string,
  taskRevision: number,
  status: string,
  createdAt: number,
  json: string,
  tenant: string,
  { line, waitsSince, wakesAt }: WaitingColumns,
): number {
  const own = ofTenant(tenant);
  if (line === null || line === '') {
    return checksumOf('executions', executionId, taskId, taskRevision, status, createdAt, json, ...own);
  }
  const place = [line, waitsSince, wakesAt];
  return checksumOf(
    'executions',
    executionId,
    taskId,
    taskRevision,
    status,
    createdAt,
    json,
    ...own,
    ...place,
  );
}

export interface SummedInput {
  readonly invocation: string | null;
  readonly invocationSha256: string | null;
  readonly input: Uint8Array | null;
  readonly inputSha256: string | null;
}

export function inputChecksum(executionId: string, parts: SummedInput): number {
  const { invocation, invocationSha256, input, inputSha256 } = parts;
  const bytes = input === null ? null : bytesChecksum(input);
  return checksumOf('inputs', executionId, invocation, invocationSha256, bytes, inputSha256);
}

export function claimChecksum(tenant: string, invocationId: string, executionId: string): number {
  return checksumOf('claims', invocationId, executionId, ...ofTenant(tenant));
}

export function taskChecksum(taskId: string, revision: number, json: string): number {
  return checksumOf('tasks', taskId, revision, json);
}

export function nameChecksum(tenant: string, name: string, taskId: string): number {
  return checksumOf('task_names', name, taskId, ...ofTenant(tenant));
}

export function aliasChecksum(taskId: string, name: string, json: string): number {
  return checksumOf('task_aliases', taskId, name, json);
}

export function quotaChecksum(tenant: string, json: string): number {
  return checksumOf('quotas', tenant, json);
}

export function sideRowChecksum(
  kind: string,
  tenant: string,
  key: string,
  dueAt: number | null,
  value: string,
): number {
  return checksumOf('side_rows', kind, tenant, key, dueAt, value);
}

export function orderNodeChecksum(node: string, json: string): number {
  return checksumOf('order_nodes', node, json);
}

export function rateChecksum(meter: string, fullAt: number): number {
  return checksumOf('rates', meter, fullAt);
}

export function stagedChecksum(executionId: string): number {
  return checksumOf('staged', executionId);
}

export function floorChecksum(next: number, changes: number): number {
  return checksumOf('position_floor', next, changes);
}
