/** A supervisor with a scripted runtime, a watched memory store and a clock that stands still. */
import { expect, onTestFinished } from 'vitest';
import { Supervisor } from '../../src/actors/executions/supervisor.ts';
import type { SupervisorOptions } from '../../src/actors/executions/supervisor-parts.ts';
import { createIds } from '../../src/actors/ids.ts';
import { NodeTime } from '../../src/actors/time/node-time.ts';
import type { ClockRecord } from '../../src/domain/clock-record.ts';
import type { LogEvent } from '../../src/domain/event.ts';
import type { ExecutionRecord } from '../../src/domain/execution.ts';
import type { AdmissionRequest } from '../../src/domain/executions.ts';
import type { LogCursor } from '../../src/domain/log.ts';
import type { TaskDefinition } from '../../src/domain/task.ts';
import { observedStore } from '../../src/stores/observed.ts';
import { FakeClock, type FakeStart, settle } from '../support/fake-clock.ts';
import type { MemoryStore } from '../support/memory-store/store.ts';
import { requestWith, taskWith } from '../support/samples.ts';
import { ScriptedRuntime } from '../support/scripted-runtime.ts';
import { watchedStore } from '../support/watched-store.ts';
import { storedLog } from './log-bench.ts';

export type SupervisorBench = ReturnType<typeof supervisorBench>;

/** What an earlier node has left: its store, and perhaps its clock record; and the clocks as the next one finds them. */
interface Left {
  readonly store: MemoryStore;
  readonly clocks: FakeStart;
  readonly record?: ClockRecord;
}

export function supervisorBench(more: Partial<SupervisorOptions> = {}, left?: Left) {
  const clock = new FakeClock(left?.clocks);
  const time = new NodeTime(clock, left?.record);
  const watched = watchedStore(left?.store);
  const runtime = new ScriptedRuntime(clock);
  const docker = new ScriptedRuntime(clock, 'docker', { reattach: true, pause: true });
  const process = new ScriptedRuntime(clock, 'process');
  const runtimes = new Map([runtime, docker, process].map((one) => [one.kind, one]));
  const heard: ExecutionRecord[] = [];
  const deleted: string[] = [];
  const health: (string | undefined)[] = [];
  const bugs: { error: unknown; executionId: string }[] = [];
  const observed = observedStore(watched.store, (error) => bugs.push({ error, executionId: '' }));
  observed.observe({
    committed: (record) => heard.push(record),
    deleted: (gone) => deleted.push(...gone.map(({ executionId }) => executionId)),
  });
  const ids = createIds(time);
  const supervisor = new Supervisor({
    clock,
    time,
    ids,
    random: () => 0,
    store: observed.store,
    runtimes,
    slots: 2,
    queueLimit: 100,
    listener: {
      storeHealth: (error) => health.push(error?.message),
      bug: (error, executionId) => bugs.push({ error, executionId }),
    },
    ...more,
  });
  const bench = {
    clock,
    time,
    watched,
    store: watched.store,
    /** For WebAssembly. */
    runtime,
    docker,
    process,
    runtimes,
    heard,
    deleted,
    health,
    bugs,
    supervisor,
    /** Admits and lets it settle; the cursor's admission may not be durable. */
    async admit(request: Partial<AdmissionRequest> = {}): Promise<LogCursor> {
      const { cursor } = await supervisor.admit(requestWith(request));
      await settle();
      return cursor;
    },
    /** As `admit`, async, of a task that the store knows: the next node has it too. */
    async start(
      definition: Partial<TaskDefinition> = {},
      request: Partial<AdmissionRequest> = {},
    ): Promise<LogCursor> {
      const task = { ...taskWith(definition), taskId: ids('task_') };
      await watched.store.saveRevision(task);
      return bench.admit({ mode: 'async', task, ...request });
    },
    /** The committed record of an execution. */
    async record(executionId: string): Promise<ExecutionRecord> {
      const record = await watched.store.execution(executionId);
      if (record === undefined) throw new Error(`${executionId} is not in the store`);
      return record;
    },
    log: (executionId: string): Promise<LogEvent[]> => storedLog(watched.store, executionId),
    /** Cancels all that is not over. */
    async cancelAll(): Promise<void> {
      for (const { executionId } of await unfinished(bench)) {
        await supervisor.cancel(executionId, 'over');
      }
      await settle();
    },
    /** Checks that what has ended leaves nothing: no actor, no slot, no queue place, no attempt, no timer. */
    async leavesNothing(): Promise<void> {
      watched.release();
      await clock.advance(20);
      expect(supervisor.load).toMatchObject({ live: 0, running: 0, pending: 0 });
      for (const one of runtimes.values()) expect(one.running).toBe(0);
      supervisor.close();
      await clock.advance(1000);
      expect(clock.timers).toBe(0);
    },
  };
  return bench;
}

/** As the store has it. */
export function unfinished({ store }: Pick<SupervisorBench, 'store'>): Promise<ExecutionRecord[]> {
  return store.executions({ statuses: ['pending', 'running'], limit: 1000 });
}

/**
 * The node of `before` is gone without a word to anyone, and another stands on its store `downMs` later by the wall
 * clock, which alone knows of that: there is no clock record.
 */
export function crash(
  before: SupervisorBench,
  { downMs = 0, ...more }: { readonly downMs?: number } & Partial<SupervisorOptions> = {},
): SupervisorBench {
  const { clock } = before;
  const clocks = { wall: clock.now() + downMs, uptime: { boot: 'another', ms: 0 } };
  return supervisorBench(more, { store: before.watched.cut(), clocks });
}

interface Restart {
  readonly downMs?: number;
  /** The wall clock was set by so much meanwhile. */
  readonly stepMs?: number;
  readonly reboot?: boolean;
  readonly record?: ClockRecord;
}

/** As `crash`, with a clock record: the one that is given, or one of the last moment. */
export function restart(
  before: SupervisorBench,
  {
    downMs = 0,
    stepMs = 0,
    reboot = false,
    record = before.time.record(),
    ...more
  }: Restart & Partial<SupervisorOptions> = {},
): SupervisorBench {
  const { clock } = before;
  const { boot, ms } = clock.uptime();
  const uptime = reboot ? { boot: 'another', ms: 40_000 } : { boot, ms: ms + downMs };
  const clocks = { wall: clock.now() + downMs + stepMs, uptime };
  return supervisorBench(more, { store: before.watched.cut(), clocks, record });
}

/** Lets each that runs complete, until nothing does; the ids in the order in which they ran. */
export async function runAll(bench: SupervisorBench): Promise<string[]> {
  for (;;) {
    const open = bench.runtime.calls.filter((call) => !call.over);
    if (open.length === 0) return bench.runtime.calls.map((call) => call.attempt.executionId);
    for (const call of open) call.complete();
    await bench.clock.advance(10);
  }
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
