/** Finds what there is to know of an execution, for its explanation. Everything comes from what is durable. */
import { isTerminal } from '../domain/execution.ts';
import type { Explanation } from '../domain/explanation.ts';
import type { LogCursor } from '../domain/log.ts';
import type { Task } from '../domain/task.ts';
import { replay } from '../machines/replay.ts';
import type { LoggedTransition, Store } from '../stores/store.ts';
import { type Block, explanationOf } from './explanation.ts';
import { recoveryOf } from './new-execution.ts';
import type { Slots } from './slots.ts';

export interface ExplainingHost {
  readonly store: Pick<Store, 'outline' | 'lowSpace'>;
  readonly slots: Slots;
  /** A cursor that does not count as an observer. Rejects with not_found. */
  glance(executionId: string): Promise<LogCursor>;
  taskOf(executionId: string): Task | undefined;
  block(): Block | undefined;
  /** Milliseconds since the epoch. */
  now(): number;
}

const mostHolders = 100;

/** See Explanations. */
export async function explain(host: ExplainingHost, executionId: string): Promise<Explanation> {
  const cursor = await host.glance(executionId);
  try {
    const task = host.taskOf(executionId);
    const { record } = cursor;
    if (task === undefined || isTerminal(record.status)) return explanationOf({ record });
    const outline = await host.store.outline(executionId);
    // It has gone on while its log was read, and the slots and the queue below are those of now.
    if (cursor.record.state !== record.state) return await explain(host, executionId);
    // The store may be ahead of the record: its last commit may not be heard of yet.
    const transitions = outline.transitions.filter(({ sequence }) => sequence <= record.lastSequence);
    const { context, state } = replay(transitions, recoveryOf(task.definition));
    const { slots } = host;
    return explanationOf({
      record,
      context,
      runtime: task.definition.runtime,
      entry: entryTo(state, transitions),
      queue: {
        place: slots.place(executionId),
        length: slots.queued,
        retries: slots.retries,
        slots: slots.total,
        running: slots.running,
        holders: slots.holders(mostHolders),
      },
      block: host.block(),
      lowSpace: host.store.lowSpace,
      now: host.now(),
    });
  } finally {
    cursor.close('done');
  }
}

function entryTo(state: string, transitions: readonly LoggedTransition[]): LoggedTransition | undefined {
  return transitions.findLast(({ from, to }) => to === state && from !== state);
}
