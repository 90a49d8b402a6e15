/** What there is when everything has been let end. */
import { setTimeout as pause } from 'node:timers/promises';
import { durationFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { type ExecutionResult, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { ScheduleService } from '../../src/server/gen/spearlet/schedule_pb.js';
import { collect } from '../server/collect.ts';
import type { Peer } from '../support/server.ts';
import type { Final, FinalBatch, FinalSchedule } from './history.ts';

/** Longer than any total timeout of the load. */
const waitBudget = durationFromMs(20_000);
const atOnce = 32;

async function list(peer: Peer, statuses: readonly ExecutionStatus[]): Promise<ExecutionResult[]> {
  const found: ExecutionResult[] = [];
  let pageToken = '';
  do {
    const page = await peer.functions.listExecutions({ statuses: [...statuses], pageSize: 1000, pageToken });
    found.push(...page.executions);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return found;
}

/** Lets every execution come to its end, also those that are held. */
export async function letEnd(peer: Peer): Promise<void> {
  const left = await list(peer, [ExecutionStatus.PENDING, ExecutionStatus.RUNNING]);
  await Promise.all(
    left.map(async ({ executionId, allowedEvents }) => {
      if (allowedEvents.includes('resume')) await peer.functions.resumeExecution({ executionId });
      await peer.functions.waitExecution({ executionId, waitBudget });
    }),
  );
}

/** Reads every execution with its whole log, as any client can. */
export async function readFinals(peer: Peer): Promise<Map<string, Final>> {
  const finals = new Map<string, Final>();
  const ids = (await list(peer, [])).map(({ executionId }) => executionId);
  const read = async (): Promise<void> => {
    for (let executionId = ids.pop(); executionId !== undefined; executionId = ids.pop()) {
      const { result, lastSequence } = await peer.functions.getExecutionStatus({
        executionId,
        includeOutput: true,
      });
      if (result === undefined) throw new Error(`no result for ${executionId}`);
      // The log of one that has not ended would be followed for ever.
      const log = result.isCompleted ? await collect(peer.functions.watchExecution({ executionId })) : [];
      finals.set(executionId, { result, lastSequence: Number(lastSequence), log });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, read));
  return finals;
}

/** Reads every batch with its members and its log, as any client can. */
export async function readBatches({ batches }: Peer): Promise<Map<string, FinalBatch>> {
  const finals = new Map<string, FinalBatch>();
  for (let pageToken = '', isLast = false; !isLast; isLast = pageToken === '') {
    const page = await batches.listBatches({ pageSize: 1000, pageToken });
    pageToken = page.nextPageToken;
    for (const { batchId } of page.batches) {
      const { batch } = await batches.getBatch({ batchId });
      if (batch === undefined) throw new Error(`no batch for ${batchId}`);
      const { members } = await batches.listBatchMembers({ batchId, pageSize: 1000 });
      // The log of one that has not ended would be followed for ever.
      const events = batch.isCompleted ? await collect(batches.watchBatch({ batchId })) : [];
      const endings = events.flatMap(({ event }) => (event.case === 'member' ? [event.value] : []));
      finals.set(batchId, { batch, members, endings });
    }
  }
  return finals;
}

/** How late something due may be before it counts as left, and how long that is waited for. */
const lateMs = 2000;
const patienceMs = 30_000;
const lookAgainMs = 100;

/** Lets schedules fire what is due, and pauses those that have not come to their end. */
export async function stopSchedules({ connection }: Peer): Promise<void> {
  const service = connection.service(ScheduleService);
  const until = performance.now() + patienceMs;
  for (;;) {
    const { schedules } = await service.listSchedules({ pageSize: 1000 });
    const late = schedules.some(({ next }) => next !== undefined && timestampMs(next) < Date.now() - lateMs);
    if (late && performance.now() < until) {
      await pause(lookAgainMs);
      continue;
    }
    for (const { definition, allowedEvents } of schedules) {
      if (!allowedEvents.includes('pause')) continue;
      // It may have come to its end meanwhile.
      await service.pauseSchedule({ name: definition?.name ?? '' }).catch(() => undefined);
    }
    return;
  }
}

/** Reads every schedule with its history, as any client can. */
export async function readSchedules({ connection }: Peer): Promise<Map<string, FinalSchedule>> {
  const service = connection.service(ScheduleService);
  const finals = new Map<string, FinalSchedule>();
  const { schedules } = await service.listSchedules({ pageSize: 1000 });
  for (const schedule of schedules) {
    const name = schedule.definition?.name ?? '';
    const { firings } = await service.listFirings({ name });
    finals.set(name, { schedule, firings: firings.reverse() });
  }
  return finals;
}
