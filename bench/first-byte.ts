import { fdatasyncSync, openSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createIds } from '../src/actors/ids.ts';
import { InstanceRegistry } from '../src/actors/instances/instance-registry.ts';
import { createWarmRuntime } from '../src/actors/instances/warm-runtime.ts';
import { systemClock as clock } from '../src/actors/time/system-clock.ts';
import type { TaskDefinition } from '../src/domain/task.ts';
import { openDockerRuntime } from '../src/runtimes/docker/runtime.ts';
import type { Attempt } from '../src/runtimes/runtime.ts';
import type { Row } from './table.ts';
import { median } from './table.ts';

const runs = 30;
const bootMs = 150;
const input = Buffer.from('one two three\n');

/**
 * From the dispatch of an attempt to the first byte that its container hands to the event log, with a binding that is
 * as durable as the node's. An observer hears it later: the log joins writes for up to 5 ms, and commits.
 */
export async function firstByteRow(task: TaskDefinition): Promise<Row> {
  const folder = await mkdtemp(join(tmpdir(), 'spear-bench-bind-'));
  const log = openSync(join(folder, 'bindings'), 'a');
  const ids = createIds(clock);
  const registry = new InstanceRegistry(clock);
  const base = await openDockerRuntime({
    nodeId: ids('node_'),
    host: '/var/run/docker.sock',
    clock,
    hostAccess: false,
  });
  const runtime = createWarmRuntime(base, { registry, clock, ids });
  runtime.warm('task_bench', 1, task, {});
  const times: number[] = [];
  for (let run = 0; run <= runs; run++) {
    while (
      !registry.instances().every(({ state }) => state === 'idle') ||
      registry.instances().length === 0
    ) {
      await sleep(5);
    }
    await sleep(bootMs);
    const start = performance.now();
    let first = Number.NaN;
    const io = {
      write() {
        if (Number.isNaN(first)) first = performance.now() - start;
        return undefined;
      },
      async bind(instanceId: string) {
        writeSync(log, `${instanceId}\n`);
        fdatasyncSync(log);
      },
      inputDelivered() {},
      refused() {},
    };
    const outcome = await runtime.run(attempt(task), io, new AbortController().signal);
    if (outcome.kind !== 'completed') throw new Error(`a warm container ended ${outcome.kind}`);
    if (run > 0) times.push(first);
  }
  await runtime.close();
  await rm(folder, { recursive: true });
  return {
    what: 'warm container, median ms from dispatch to the first byte',
    spear: median(times).toFixed(2),
    limit: '5',
    ratio: median(times) / 5,
    goal: '<= 1',
  };
}

function attempt(task: TaskDefinition): Attempt {
  return {
    executionId: 'exec_bench',
    number: 1,
    taskId: 'task_bench',
    revision: 1,
    task,
    invocation: {
      functionName: '',
      parameters: {},
      input,
      contentType: '',
      args: [],
      environment: {},
      forceNewInstance: false,
    },
  };
}
