/**
 * What a dispatch costs with many values of a concurrency key: executions that wait behind a supervisor's slots with a
 * value each, beside as many that share one value. Processor time of the main thread, until so many have run.
 *
 *     node bench/keys.ts [VALUES]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Supervisor } from '../src/actors/executions/supervisor.ts';
import { createIds } from '../src/actors/ids.ts';
import { NodeTime } from '../src/actors/time/node-time.ts';
import { systemClock } from '../src/actors/time/system-clock.ts';
import type { Attempt, AttemptOutcome, Runtime } from '../src/runtimes/runtime.ts';
import { openSqliteStore } from '../src/stores/sqlite/store.ts';
import { requestWith, taskWith } from '../test/support/samples.ts';
import { ScriptedRuntime } from '../test/support/scripted-runtime.ts';
import { median, type Row } from './table.ts';

const slots = 4;
const inFlight = 256;
const measured = 20_000;

/** Microseconds of a dispatch, until the first of `waiting` have run that have so many values. */
async function dispatchUs(waiting: number, values: number): Promise<number> {
  const dataDir = mkdtempSync(join(tmpdir(), 'spear-keys-'));
  const store = await openSqliteStore({ dataDir });
  let ran = 0;
  let begin = (): void => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const run = async ({ executionId }: Attempt): Promise<AttemptOutcome> => {
    await begun;
    ran += 1;
    return { kind: 'completed', instanceId: executionId, resourceUse: {} };
  };
  const runtime: Runtime = new Proxy(new ScriptedRuntime(systemClock), {
    get: (target, key) => {
      if (key === 'run') return run;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const time = new NodeTime(systemClock);
  const supervisor = new Supervisor({
    clock: systemClock,
    time,
    ids: createIds(time),
    random: () => 0,
    store,
    runtimes: new Map([[runtime.kind, runtime]]),
    slots,
    queueLimit: 2 * waiting,
    listener: {
      storeHealth: (error) => error && console.error(error),
      bug: (error) => console.error(error),
    },
  });
  try {
    const concurrency = [{ key: 'metadata.user', limit: slots }];
    const task = { ...taskWith({ concurrency }), taskId: 'task_bench' };
    await store.saveRevision(task);
    await supervisor.recover();
    let next = 0;
    await Promise.all(
      Array.from({ length: inFlight }, async () => {
        while (next < waiting) {
          const user = `user ${next++ % values}`;
          const timeouts = { totalMs: 86_400_000 };
          const { cursor } = await supervisor.admit(
            requestWith({ mode: 'async', task, timeouts, metadata: { user } }),
          );
          await cursor.admitted();
          cursor.close('done');
        }
      }),
    );
    globalThis.gc?.();
    const before = process.threadCpuUsage();
    begin();
    while (ran < Math.min(measured, waiting)) await nextTurn();
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / ran;
  } finally {
    await supervisor.leave();
    supervisor.close();
    await store.close();
    rmSync(dataDir, { recursive: true });
  }
}

export async function keyRow(values = 100_000, rounds = 3): Promise<Row> {
  const one: number[] = [];
  const many: number[] = [];
  for (let round = 0; round < rounds; round++) {
    one.push(await dispatchUs(values, 1));
    many.push(await dispatchUs(values, values));
  }
  const ratio = median(many) / median(one);
  return {
    what: `a dispatch with ${values} concurrency keys, against one`,
    spear: `${median(many).toFixed(0)} µs`,
    limit: `${median(one).toFixed(0)} µs`,
    ratio,
    goal: '<= 1.5',
  };
}

if (import.meta.main) console.log(await keyRow(Number(process.argv[2] ?? 100_000)));
