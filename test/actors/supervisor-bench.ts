/** A supervisor with a scripted runtime, a watched memory store and a clock that stands still. */
import { expect, onTestFinished } from 'vitest';
import { createIds } from '../../src/actors/ids.ts';
import { Supervisor, type SupervisorOptions } from '../../src/actors/supervisor.ts';
import type { LogEvent } from '../../src/domain/event.ts';
import type { ExecutionRecord } from '../../src/domain/execution.ts';
import type { AdmissionRequest } from '../../src/domain/executions.ts';
import type { LogCursor } from '../../src/domain/log.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { requestWith, taskWith } from '../support/samples.ts';
import { ScriptedRuntime } from '../support/scripted-runtime.ts';
import { watchedStore } from '../support/watched-store.ts';
import { storedLog } from './log-bench.ts';

export function supervisorBench(more: Partial<SupervisorOptions> = {}) {
  const clock = new FakeClock();
  const watched = watchedStore();
  const runtime = new ScriptedRuntime(clock);
  const heard: ExecutionRecord[] = [];
  const health: (string | undefined)[] = [];
  const bugs: { error: unknown; executionId: string }[] = [];
  const supervisor = new Supervisor({
    clock,
    ids: createIds(clock),
    random: () => 0,
    store: watched.store,
    runtimes: new Map([['wasm', runtime]]),
    slots: 2,
    queueLimit: 100,
    listener: {
      committed: (record) => heard.push(record),
      storeHealth: (error) => health.push(error?.message),
      bug: (error, executionId) => bugs.push({ error, executionId }),
    },
    ...more,
  });
  const bench = {
    clock,
    watched,
    store: watched.store,
    runtime,
    heard,
    health,
    bugs,
    supervisor,
    /** Admits and lets it settle; the cursor's admission may not be durable. */
    async admit(request: Partial<AdmissionRequest> = {}): Promise<LogCursor> {
      const { cursor } = await supervisor.admit(requestWith(request));
      await settle();
      return cursor;
    },
    /** The committed record of an execution. */
    async record(executionId: string): Promise<ExecutionRecord> {
      const record = await watched.store.execution(executionId);
      if (record === undefined) throw new Error(`${executionId} is not in the store`);
      return record;
    },
    log: (executionId: string): Promise<LogEvent[]> => storedLog(watched.store, executionId),
    /** Ends what is left and checks that it leaves nothing: no actor, no slot, no queue place, no attempt, no timer. */
    async leavesNothing(): Promise<void> {
      watched.release();
      await clock.advance(20);
      expect(supervisor.load).toMatchObject({ live: 0, running: 0, pending: 0 });
      expect(runtime.running).toBe(0);
      await supervisor.close();
      await clock.advance(1000);
      expect(clock.timers).toBe(0);
    },
  };
  return bench;
}

/** Has to wait for its admission before anything runs: it may touch files of the host. */
export function withFiles(more: Parameters<typeof taskWith>[0] = {}) {
  return taskWith({ preopens: { '/data': '/srv/data' }, ...more });
}

/** `from>to` of each transition, `stream:text` of each chunk, and `result`. */
export function story(events: readonly LogEvent[]): string[] {
  return events.map((event) => {
    if (event.kind === 'transition') return `${event.from}>${event.to}`;
    return event.kind === 'chunk' ? `${event.stream}:${new TextDecoder().decode(event.data)}` : 'result';
  });
}

/** Fails the test when a promise of ours is dropped with a rejection. */
export function noUnhandledRejections(): void {
  const seen: unknown[] = [];
  const listener = (error: unknown): void => void seen.push(error);
  process.on('unhandledRejection', listener);
  onTestFinished(() => {
    process.off('unhandledRejection', listener);
    expect(seen).toEqual([]);
  });
}
