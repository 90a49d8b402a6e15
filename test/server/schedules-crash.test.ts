/** A node with schedules that is killed again and again: each instant fires once, or is missed, and is told as what it was. */
import { rm } from 'node:fs/promises';
import { durationFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { expect, onTestFinished, test } from 'vitest';
import type { ExecutionResult } from '../../src/server/gen/spearlet/function_pb.js';
import { FiringResult, ScheduleService } from '../../src/server/gen/spearlet/schedule_pb.js';
import { checkDataDir } from '../../src/stores/sqlite/check/check.ts';
import { type ChildServer, spawnServer, temporaryDataDir } from '../support/server.ts';

const names = ['a', 'b', 'c'];
const kills = 6;

const servers: ChildServer[] = [];

async function started(dataDir: string): Promise<ChildServer> {
  const server = await spawnServer(dataDir, { slots: '4' });
  servers.push(server);
  return server;
}

async function executionsOf(server: ChildServer, schedule: string): Promise<ExecutionResult[]> {
  return (await server.functions.listExecutions({ schedule, pageSize: 1000 })).executions;
}

test('a firing happens once, whenever the node is killed', { timeout: 240_000 }, async () => {
  const dataDir = await temporaryDataDir();
  onTestFinished(async () => {
    for (const server of servers) await server.end('SIGKILL');
    await rm(dataDir, { recursive: true, force: true });
  });
  let server = await started(dataDir);
  await server.register('count', 'wordcount/wordcount.wasm');
  for (const name of names) {
    const when = { case: 'interval', value: durationFromMs(1000) } as const;
    const definition = {
      name,
      invocation: { task: 'count' },
      when,
      overlap: 4,
      catchUp: durationFromMs(600_000),
    };
    await server.connection.service(ScheduleService).createSchedule({ definition });
  }
  for (let kill = 0; kill < kills; kill++) {
    const before = (await executionsOf(server, 'a')).length;
    // Some more of it, and then in the middle of whatever it does.
    await expect
      .poll(async () => (await executionsOf(server, 'a')).length, { timeout: 60_000 })
      .toBeGreaterThan(before + (kill % 2));
    await server.end('SIGKILL');
    server = await started(dataDir);
  }
  const schedules = server.connection.service(ScheduleService);
  for (const name of names) {
    await schedules.pauseSchedule({ name });
    const { firings } = await schedules.listFirings({ name });
    const executions = await executionsOf(server, name);
    const ids = executions.map(({ requestId }) => requestId);
    expect(new Set(ids).size).toBe(ids.length);
    const fired = firings.filter(({ result }) => result === FiringResult.FIRED);
    // Whatever is told is there, and whatever is there is told.
    expect(fired.map(({ executionId }) => executionId)).toEqual(
      executions.map(({ executionId }) => executionId),
    );
    expect(fired.length).toBe(firings.length);
    const instants = fired.map(({ instant }) => (instant === undefined ? 0 : timestampMs(instant)));
    // None is left out: the catch-up window is longer than all stops.
    for (const [index, instant] of instants.slice(1).entries())
      expect((instants[index] ?? 0) - instant).toBe(1000);
  }
  await server.end('SIGTERM');
  expect((await checkDataDir(dataDir)).findings).toEqual([]);
});
