/**
 * What a long queue costs: executions that wait behind slots that are taken, accepted by the supervisor of a node into
 * its own store, without a network, and then run by a runtime that does nothing.
 *
 *   node --expose-gc bench/queue.ts [WAITING [KEYS]]
 *
 * Rates are beside those of the same node with a short queue, in the same run.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Supervisor } from '../src/actors/executions/supervisor.ts';
import { createIds } from '../src/actors/ids.ts';
import { NodeTime } from '../src/actors/time/node-time.ts';
import { systemClock } from '../src/actors/time/system-clock.ts';
import type { AdmissionRequest } from '../src/domain/executions.ts';
import type { Attempt, AttemptOutcome, Runtime } from '../src/runtimes/runtime.ts';
import { openSqliteStore } from '../src/stores/sqlite/store.ts';
import type { Store } from '../src/stores/store.ts';
import { requestWith, taskWith } from '../test/support/samples.ts';
import { ScriptedRuntime } from '../test/support/scripted-runtime.ts';

const waiting = Number(process.argv[2] ?? 1_000_000);
/** Fairness keys that take turns; 0 for none. */
const keys = Number(process.argv[3] ?? 0);
const shortQueue = 1000;
const measured = Math.min(50_000, waiting);
const slots = 4;
const inFlight = 256;

/** Runs nothing: an attempt ends at once, unless the gate is closed. */
class Gate {
  open = true;
  ran = 0;
  #held: (() => void)[] = [];

  readonly run = (attempt: Attempt): Promise<AttemptOutcome> => {
    this.ran += 1;
    const end: AttemptOutcome = { kind: 'completed', instanceId: attempt.executionId, resourceUse: {} };
    if (this.open) return Promise.resolve(end);
    return new Promise((resolve) => this.#held.push(() => resolve(end)));
  };

  release(): void {
    this.open = true;
    for (const held of this.#held.splice(0)) held();
  }
}

function node(store: Store, gate: Gate) {
  const scripted = new ScriptedRuntime(systemClock);
  const runtime: Runtime = new Proxy(scripted, {
    get: (target, key) => {
      if (key === 'run') return gate.run;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const time = new NodeTime(systemClock);
  return new Supervisor({
    clock: systemClock,
    time,
    ids: createIds(time),
    random: () => 0,
    store,
    runtimes: new Map([[runtime.kind, runtime]]),
    slots,
    queueLimit: 2 * waiting + shortQueue,
    listener: {
      storeHealth: (error) => error && console.error(error),
      bug: (error) => console.error(error),
    },
  });
}

async function admitMany(supervisor: Supervisor, count: number, request: AdmissionRequest): Promise<number> {
  const begun = performance.now();
  let left = count;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (left > 0) {
        left -= 1;
        const { cursor } = await supervisor.admit(
          keys === 0 ? request : { ...request, fairnessKey: `key ${left % keys}` },
        );
        await cursor.admitted();
        cursor.close('done');
      }
    }),
  );
  return (count / (performance.now() - begun)) * 1000;
}

async function drain(supervisor: Supervisor, gate: Gate, until: number): Promise<number> {
  const begun = performance.now();
  const before = gate.ran;
  while (supervisor.load.pending > until) await nextTurn();
  return ((gate.ran - before) / (performance.now() - begun)) * 1000;
}

function memoryMb(): number {
  globalThis.gc?.();
  return process.memoryUsage().rss / 1e6;
}

const dataDir = mkdtempSync(join(tmpdir(), 'spear-queue-'));
try {
  const task = { ...taskWith(), taskId: 'task_bench' };
  const request = requestWith({ mode: 'async', task, timeouts: { totalMs: 86_400_000 } });
  const store = await openSqliteStore({ dataDir });
  await store.saveRevision(task);
  const gate = new Gate();
  const supervisor = node(store, gate);
  await supervisor.recover();
  const bare = await admitMany(supervisor, measured, request);
  await drain(supervisor, gate, 0);
  const idle = memoryMb();
  gate.open = false;
  await admitMany(supervisor, shortQueue, request);
  gate.release();
  const short = await drain(supervisor, gate, 0);
  gate.open = false;
  const first = await admitMany(supervisor, waiting - measured, request);
  const last = await admitMany(supervisor, measured, request);
  const full = memoryMb();
  console.log(`waiting ${supervisor.load.pending}, live ${supervisor.load.live}`);
  console.log(
    `accepted a second: ${bare.toFixed(0)} run at once, ${first.toFixed(0)} while it fills, ${last.toFixed(0)} (${(last / bare).toFixed(2)}) at its end`,
  );
  const counting = performance.now();
  await store.counts();
  console.log(`counting by status: ${(performance.now() - counting).toFixed(1)} ms`);
  console.log(`memory: ${idle.toFixed(0)} MB idle, ${full.toFixed(0)} MB (${(full - idle).toFixed(0)} more)`);
  await supervisor.leave();
  supervisor.close();
  await store.close();

  const start = performance.now();
  const again = await openSqliteStore({ dataDir });
  const opened = performance.now();
  const next = new Gate();
  next.open = false;
  const revived = node(again, next);
  const report = await revived.recover();
  const ready = performance.now();
  console.log(
    `start: ${(opened - start).toFixed(0)} ms the store, ${(ready - opened).toFixed(0)} ms the rest, ${JSON.stringify(report)}, ${revived.load.live + revived.passive} accounted for`,
  );
  next.release();
  const long = await drain(revived, next, Math.max(0, revived.load.pending - measured));
  console.log(
    `run a second: ${short.toFixed(0)} of ${shortQueue} waiting, ${long.toFixed(0)} (${(long / short).toFixed(2)}) of ${waiting}`,
  );
  await drain(revived, next, 0);
  const late = { ...request, startAfterMs: 3_600_000 };
  const before = memoryMb();
  const delayed = await admitMany(revived, Math.min(100_000, waiting), late);
  console.log(
    `delayed: ${delayed.toFixed(0)} accepted a second, live ${revived.load.live}, ${(memoryMb() - before).toFixed(0)} MB more`,
  );
  revived.stopAccepting();
  await revived.leave();
  revived.close();
  const restart = performance.now();
  const third = node(again, next);
  const found = await third.recover();
  console.log(`start: ${(performance.now() - restart).toFixed(0)} ms, ${JSON.stringify(found)}`);
  third.close();
  await again.close();
} finally {
  rmSync(dataDir, { recursive: true, force: true });
}
