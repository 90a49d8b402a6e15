/** A live log with its committer over a watched memory store, without a supervisor. */
import { Committer } from '../../src/actors/log/committer.ts';
import { LiveLog } from '../../src/actors/log/live-log.ts';
import { OutputRoom } from '../../src/actors/log/output-room.ts';
import type { LogEvent } from '../../src/domain/event.ts';
import type { ExecutionRecord, Invocation } from '../../src/domain/execution.ts';
import type { Limits } from '../../src/domain/task.ts';
import { recordOf } from '../stores/samples.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { invocationWith, taskWith } from '../support/samples.ts';
import { watchedStore } from '../support/watched-store.ts';

export const id = 'exec_1';
export const mebibyte = 1024 * 1024;

export function logBench() {
  const clock = new FakeClock();
  const watched = watchedStore();
  const { store } = watched;
  const refused: { executionId: string; ownerId: string | undefined }[] = [];
  const health: (string | undefined)[] = [];
  const fenced: string[] = [];
  const limits: { executionId: string; message: string }[] = [];
  const committer = new Committer(store, clock, {
    committed: () => {},
    refused: (log, conflict) =>
      refused.push({
        executionId: log.executionId,
        ownerId: conflict && 'ownerId' in conflict ? conflict.ownerId : undefined,
      }),
    health: (error) => health.push(error?.message),
    fenced: (error) => fenced.push(error.message),
  });
  const surroundings = {
    clock,
    store,
    room: new OutputRoom(store),
    touched: (log: LiveLog, urgent: boolean) => committer.touch(log, urgent),
    limitReached: (log: LiveLog, message: string) =>
      void limits.push({ executionId: log.executionId, message }),
  };
  return {
    clock,
    watched,
    store,
    committer,
    refused,
    health,
    fenced,
    limits,
    open(
      id: string,
      more: {
        limits?: Partial<Limits>;
        input?: Partial<Invocation>;
        claim?: string;
        record?: Partial<ExecutionRecord>;
      } = {},
    ): LiveLog {
      const record = recordOf(id, 'pending', {
        state: '',
        attempt: 0,
        lastSequence: 0,
        attemptSequence: 0,
        createdAt: clock.now(),
        ...more.record,
      });
      const limits = { ...taskWith().definition.limits, ...more.limits };
      return new LiveLog(surroundings, record, limits, {
        input: invocationWith(more.input),
        claimInvocationId: more.claim,
      });
    },
    /** As the next run of the node has it: what was committed, and nothing of it in memory. */
    reopen(log: LiveLog): LiveLog {
      const { committed } = log;
      if (committed === undefined) throw new Error('there is nothing to go on with');
      return new LiveLog(surroundings, committed, taskWith().definition.limits, { lastTime: clock.now() });
    },
  };
}

/** The log's first event, as the recorder would write it. */
export function admit(log: LiveLog, urgent = true): void {
  change(log, { state: 'pending.queued', status: 'pending' }, urgent);
}

export function dispatch(log: LiveLog, attempt = 1, urgent = true): void {
  change(log, { state: 'running.attempting', status: 'running', attempt }, urgent);
}

export function change(log: LiveLog, changes: Partial<ExecutionRecord>, urgent = true): void {
  const from = log.record.state;
  log.transition(
    changes,
    {
      kind: 'transition',
      from,
      to: changes.state ?? from,
      eventType: 'test',
      reasonCode: '',
      contextPatch: '',
      chartVersion: 1,
    },
    urgent,
  );
}

export function complete(log: LiveLog): void {
  log.end({ state: 'completed', status: 'completed' }, { status: 'completed' });
}

/** The chunks of a log as `stream:text`. */
export function chunks(events: readonly LogEvent[]): string[] {
  return events.flatMap((event) =>
    event.kind === 'chunk' ? [`${event.stream}:${new TextDecoder().decode(event.data)}`] : [],
  );
}

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

const everything = { from: 1, maxBytes: Number.POSITIVE_INFINITY };

/** All that the store has of a log, over as many pages as it takes. */
export async function storedLog(
  store: { events(id: string, query: typeof everything): Promise<LogEvent[]> },
  executionId: string,
): Promise<LogEvent[]> {
  const all: LogEvent[] = [];
  for (;;) {
    const page = await store.events(executionId, { ...everything, from: all.length + 1 });
    if (page.length === 0) return all;
    all.push(...page);
  }
}

export function sequences(events: readonly LogEvent[]): number[] {
  return events.map((event) => event.sequence);
}

export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
