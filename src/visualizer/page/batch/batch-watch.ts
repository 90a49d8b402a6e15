/** A batch as it is now, and why its members failed. It is no news of the feed: whoever looks at it asks. */
import { effect, type ReadonlySignal, signal } from '@preact/signals';
import { seconds } from '../clock.ts';
import { type Call, CallFault, faultText } from '../feed/call.ts';
import { type Batch, batchOf, type FailureGroup, failureGroups, type MemberJson } from '../model/batch.ts';
import { type SupervisedBatch, supervisedBatchOf } from '../model/supervised-batch.ts';
import type { BatchJson, ListBatchMembersResponseJson } from '../wire.ts';

export interface BatchWatch {
  /** Undefined until the node has answered. */
  readonly batch: ReadonlySignal<Batch | undefined>;
  /** Undefined until they are read. */
  readonly failures: ReadonlySignal<readonly FailureGroup[] | undefined>;
  /** Undefined where it has no supervisor. */
  readonly supervised: ReadonlySignal<SupervisedBatch | undefined>;
  /** Why the node does not tell; empty where it does. */
  readonly refusal: ReadonlySignal<string>;
  stop(): void;
}

const everyMs = 900;
/** Ten thousand failed members are ten pages, which are not read with each beat. */
const failuresEveryMs = 2900;
const pageSize = 1000;
const notCompleted = ['EXECUTION_STATUS_FAILED', 'EXECUTION_STATUS_TIMED_OUT', 'EXECUTION_STATUS_CANCELLED'];

/** Asks until all members have ended, or `stop` is called, and not while the page is hidden. */
export function watchBatch(call: Call, batchId: string): BatchWatch {
  const batch = signal<Batch | undefined>(undefined);
  const failures = signal<readonly FailureGroup[] | undefined>(undefined);
  const supervised = signal<SupervisedBatch | undefined>(undefined);
  const refusal = signal('');
  const stopping = new AbortController();
  const options = { signal: stopping.signal };
  let asked = 0;
  let asking = false;
  let grouped = 0;
  let known = 0;

  /** Those that ended in one of these ways; without any, all. */
  const members = async (statuses: readonly string[]): Promise<readonly MemberJson[]> => {
    const found: MemberJson[] = [];
    for (let pageToken = ''; ; ) {
      const request = { batchId, statuses, pageSize, pageToken };
      const page = await call<ListBatchMembersResponseJson>(
        'BatchService/ListBatchMembers',
        request,
        options,
      );
      found.push(...page.members);
      pageToken = page.nextPageToken;
      if (pageToken === '') return found;
    }
  };
  const read = async (time: number): Promise<void> => {
    try {
      const answer = await call<{ readonly batch: BatchJson }>('BatchService/GetBatch', { batchId }, options);
      const now = batchOf(answer.batch);
      const { failed, timedOut, cancelled } = now.counts;
      const others = failed + timedOut + cancelled;
      if (answer.batch.supervision !== undefined)
        supervised.value = supervisedBatchOf(answer.batch, await members([]));
      batch.value = now;
      refusal.value = '';
      const isNews = failures.peek() === undefined || others !== known;
      if (!isNews || (!now.ended && time - grouped < failuresEveryMs)) return;
      grouped = time;
      failures.value = others === 0 ? [] : failureGroups(await members(notCompleted));
      known = others;
    } catch (error) {
      if (stopping.signal.aborted) return;
      // Nothing answered, which the page says elsewhere; what was told last stays.
      if (error instanceof CallFault && error.reason === 'UNREACHABLE') return;
      refusal.value = faultText(error);
    }
  };
  const stopBeat = effect(() => {
    const time = seconds.value;
    if (asking || time - asked < everyMs) return;
    const isOver = batch.peek()?.ended === true && failures.peek() !== undefined;
    if (isOver || refusal.peek() !== '') return;
    asked = time;
    asking = true;
    void read(time).finally(() => {
      asking = false;
    });
  });
  return {
    batch,
    failures,
    supervised,
    refusal,
    stop: () => {
      stopBeat();
      stopping.abort();
    },
  };
}
