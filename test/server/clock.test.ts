/** A server whose wall clock is set, while it runs and while it is down. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { expect, it } from 'vitest';
import { ErrorCode, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { clockFile, readClockRecord } from '../../src/stores/clock-file.ts';
import { describeWhere, faketime } from '../support/needs.ts';
import type { ChildServer } from '../support/server.ts';
import { settableClock } from '../support/set-clock.ts';
import { dataFolder, spawn, start } from './spawned.ts';

const longMs = 120_000;
const hour = 3600;
const year = 365 * 24 * hour;
/** When what is due comes: after the server has been killed and started again, or while it is. */
const soon = 4;
const seconds = (count: number) => ({ seconds: BigInt(count) });

async function resultOf(server: ChildServer, executionId: string) {
  const { result } = await server.functions.getExecutionStatus({ executionId });
  if (result === undefined) throw new Error(`no result of ${executionId}`);
  return result;
}

async function untilStatus(server: ChildServer, executionId: string, status: ExecutionStatus) {
  const now = async () => (await resultOf(server, executionId)).status;
  await expect.poll(now, { timeout: longMs }).toBe(status);
  return resultOf(server, executionId);
}

/** One that has ended, and three that wait: for a deadline, for a start, and for long. */
async function fill(server: ChildServer) {
  await server.register('ticker', 'ticker/ticker.wasm', { timeouts: { total: seconds(600) } });
  const finished = await server.functions.invokeFunction({ task: 'ticker', args: ['1'] });
  const waiting = (startAfter: number, total: number) =>
    start(server, {
      task: 'ticker',
      args: ['1'],
      startAfter: seconds(startAfter),
      timeouts: { total: seconds(total) },
    });
  const executions = {
    finished: finished.executionId,
    overdue: await waiting(300, soon),
    due: await waiting(soon, 500),
    long: await waiting(300, 600),
  };
  return executions;
}

/** Each ends when its time has passed: not before, and without the clock having to come to it. */
async function expectAllInTime(
  server: ChildServer,
  { finished, overdue, due, long }: Awaited<ReturnType<typeof fill>>,
): Promise<void> {
  const timedOut = await untilStatus(server, overdue, ExecutionStatus.TIMED_OUT);
  expect(timedOut.errorCode).toBe(ErrorCode.TOTAL_TIMEOUT);
  expect(Number(timedOut.queueTimeMs)).toBeGreaterThan(soon * 1000 - 100);
  const completed = await untilStatus(server, due, ExecutionStatus.COMPLETED);
  expect(Number(completed.queueTimeMs)).toBeGreaterThan(soon * 1000 - 100);
  const { endsAt } = await server.nodes.explainExecution({ executionId: long });
  const { timestamp, state } = await resultOf(server, long);
  expect(state).toBe('pending.waiting');
  if (endsAt === undefined || timestamp === undefined) throw new Error('no instants in the answers');
  const leftMs = timestampMs(endsAt) - timestampMs(timestamp);
  expect(leftMs).toBeLessThan(600_000);
  expect(leftMs).toBeGreaterThan(300_000);
  expect((await resultOf(server, finished)).status).toBe(ExecutionStatus.COMPLETED);
}

describeWhere([await faketime()], 'a server whose wall clock', () => {
  it.for([
    ['was ahead by an hour and is right after kill -9', hour, 0],
    ['was behind by an hour and is right after kill -9', -hour, 0],
    ['was right and is ahead by twenty years after kill -9', 0, 20 * year],
  ] as const)(
    '%s: deadlines ring at their time, and what has ended is kept',
    { timeout: longMs },
    async ([, before, after]) => {
      const dataDir = await dataFolder();
      const clock = await settableClock(dataDir);
      clock.set(before);
      const one = await spawn(dataDir, {}, clock.env);
      const executions = await fill(one);
      await one.end('SIGKILL');
      clock.set(after);
      const two = await spawn(dataDir, {}, clock.env);
      await expectAllInTime(two, executions);
    },
  );

  it('is set while it runs, there and back, and which is killed and started again: the same', {
    timeout: longMs,
  }, async () => {
    const dataDir = await dataFolder();
    const clock = await settableClock(dataDir);
    const one = await spawn(dataDir, {}, clock.env);
    clock.set(hour);
    const marks = async () => (await readClockRecord(dataDir))?.marks.length;
    await expect.poll(marks, { timeout: longMs }).toBe(2);
    const executions = await fill(one);
    clock.set(-hour);
    await one.end('SIGKILL');
    const two = await spawn(dataDir, {}, clock.env);
    clock.set(hour);
    await expectAllInTime(two, executions);
  });

  it('is right, on the data folder of a version without a clock record: the same', {
    timeout: longMs,
  }, async () => {
    const dataDir = await dataFolder();
    const clock = await settableClock(dataDir);
    const one = await spawn(dataDir, {}, clock.env);
    const executions = await fill(one);
    await one.end('SIGKILL');
    await rm(join(dataDir, clockFile));
    const two = await spawn(dataDir, {}, clock.env);
    await expectAllInTime(two, executions);
  });
});
