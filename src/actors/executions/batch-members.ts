/** The members of a batch as the store takes them: no actor is made for them, as what waits is a row. */
import type { BatchRequest } from '../../domain/batch/batch.ts';
import { invalidArgument } from '../../domain/errors.ts';
import type { BatchMembership, ExecutionRecord } from '../../domain/execution.ts';
import type { AdmissionRequest } from '../../domain/executions.ts';
import { contextPatch } from '../../domain/patch.ts';
import { leafOf, lineOf, restingLineOf } from '../../domain/scheduling/line.ts';
import { hasToBeKnown, type Reserved } from '../../domain/scheduling/task-gates.ts';
import type { Task } from '../../domain/task.ts';
import { executionChartVersion, firstContext, firstState } from '../../machines/execution.ts';
import { storedContext } from '../../machines/stored-context.ts';
import { alarmOf } from '../../machines/timers.ts';
import type { CommitEntry } from '../../stores/store.ts';
import type { IdSource } from '../ids.ts';
import { type AdmissionTime, chartInput, newRecord } from './new-execution.ts';
import { toStore } from './recovery/stored-invocation.ts';

export interface MembersHost {
  readonly ids: IdSource;
  /** What attempts of the task take of what is counted; undefined where nothing is. */
  reserves(task: Task): Reserved | undefined;
  placement(task: Task): string | undefined;
}

/** Members that are made in one turn of the event loop. */
const atOnce = 250;

/**
 * The entries that create the members, each behind those that it follows; others have their turn in between.
 * `isBlocked` says by member whether it waits for executions that are not of the batch.
 */
export async function memberEntries(
  host: MembersHost,
  batchId: string,
  request: BatchRequest,
  isBlocked: ReadonlySet<number>,
  at: AdmissionTime,
): Promise<CommitEntry[]> {
  const entries: CommitEntry[] = [];
  for (const member of request.order) {
    entries.push(memberEntry(host, batchId, request, member, isBlocked.has(member), at));
    if (entries.length % atOnce === 0) await new Promise((resolve) => void setImmediate(resolve));
  }
  return entries;
}

function memberEntry(
  host: MembersHost,
  batchId: string,
  { members, executionIds, supervision, by }: BatchRequest,
  member: number,
  isBlocked: boolean,
  at: AdmissionTime,
): CommitEntry {
  const known = members[member];
  const executionId = executionIds[member];
  if (known === undefined || executionId === undefined) throw new RangeError(`there is no member ${member}`);
  const { name, layer, follows } = known;
  const batch = {
    ...{ batchId, member },
    ...(name !== '' && { name }),
    ...(supervision !== undefined && { supervised: true }),
  };
  const place = { executionId, batch, layer, follows };
  return createdEntry(host, known.request, place, by, isBlocked || follows.length > 0, at);
}

/** Which member of a batch an execution is to be. */
export interface MemberPlace {
  readonly executionId: string;
  readonly batch: BatchMembership;
  readonly layer: number;
  readonly follows: readonly number[];
  /** The execution that the member had before; absent for its first. */
  readonly originId?: string;
}

/** The entry that creates an execution of a member, which is a row from the first. */
export function createdEntry(
  { ids, reserves, placement }: MembersHost,
  request: AdmissionRequest,
  { executionId, batch, layer, follows, originId }: MemberPlace,
  by: string | undefined,
  isBlocked: boolean,
  at: AdmissionTime,
): CommitEntry {
  // Members are rows, which no result that is kept answers.
  const { cache: _cache, ...asked } = request;
  const made: ExecutionRecord = {
    ...newRecord(asked, { executionId, requestId: ids('req_') }, at, {
      reserves: reserves(asked.task),
      placement: placement(asked.task),
      isBlocked,
    }),
    ...(originId !== undefined && { originId }),
    batch,
  };
  assertMayBeRow(made, batch.member);
  const input = chartInput(made, asked, at);
  const state = firstState(input);
  const context = firstContext(input);
  const record = { ...made, state, lastSequence: 1 };
  const line = state === 'pending.queued' ? lineOf(leafOf(record)) : restingLineOf(record);
  return {
    executionId,
    expectedLastSequence: 0,
    events: [
      {
        kind: 'transition',
        sequence: 1,
        time: at.wall,
        status: 'pending',
        attempt: 0,
        from: '',
        to: state,
        eventType: 'admit',
        reasonCode: '',
        contextPatch: contextPatch(undefined, storedContext(context)),
        chartVersion: executionChartVersion,
        ...(by !== undefined && { by }),
      },
    ],
    record,
    input: toStore(asked.invocation),
    waiting: { line, since: at.steady, wakesAt: alarmOf[state](context) },
    member: { layer, follows },
  };
}

function assertMayBeRow(record: ExecutionRecord, member: number): void {
  if (!hasToBeKnown(record)) return;
  throw invalidArgument(
    `members[${member}].invocation.task`,
    `${record.taskName} has a key with when_full; allowed in a batch are keys that queue`,
  );
}

/** Bytes that the members bring, as far as they are counted. */
export function bytesOf(members: readonly { readonly request: AdmissionRequest }[]): number {
  return members.reduce((sum, { request }) => sum + usualBytes + request.invocation.input.byteLength, 0);
}

/** Of a record with the usual fields. */
const usualBytes = 1024;
