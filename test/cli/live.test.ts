/** What a person sees on a terminal while something runs. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ExecutionMode } from '../../src/server/gen/spearlet/function_pb.js';
import { type LocalServer, startServer } from '../support/server.ts';
import { sitDown, Terminal } from './terminal.ts';

let server: LocalServer;

beforeAll(async () => {
  server = await startServer({ slots: '4' });
  await server.register('ticker', 'ticker/ticker.wasm', { args: ['3', '700'] });
  await server.register('loop', 'misbehaving/loop.wasm');
  await server.register('calc', 'typed/typed.wasm');
});

afterAll(() => server.stop());

async function endAll(): Promise<void> {
  const { executions } = await server.functions.listExecutions({});
  for (const { executionId, isCompleted } of executions) {
    if (!isCompleted) await server.functions.cancelExecution({ executionId });
  }
}

test.for([{ flags: [] }, { flags: ['--mode', 'stream'] }, { flags: ['--cancel-on-disconnect'] }])(
  'output comes as it is written, with $flags',
  async ({ flags }) => {
    const { out, err, ended } = sitDown(['invoke', 'ticker', ...flags], server.grpcAddress);
    await expect.poll(() => out.text).toContain('tick 1\n');
    expect(out.text).not.toContain('tick 3');
    expect(await ended).toBe(0);
    expect(out.text).toBe('tick 1\ntick 2\ntick 3\n');
    expect(err.text).toContain('done\n');
  },
);

test('while nothing comes, the id and the state stand on the last line, which goes at the end', async () => {
  const { err, out, ended } = sitDown(['invoke', 'loop'], server.grpcAddress);
  await expect.poll(() => err.text).toMatch(/\rspear: exec_\w+ running\.attempting for \d/);
  expect(out.text).toBe('looping\n');
  await endAll();
  expect(await ended).toBe(130);
  expect(err.text).toMatch(/\r +\rspear: exec_\w+ cancelled: CANCELLED/);
});

test('where only stderr is a terminal the line is there, too, and the output comes once', async () => {
  const pipe = new Terminal({ isTTY: false });
  const { err, ended } = sitDown(['invoke', 'loop'], server.grpcAddress, { out: pipe });
  await expect.poll(() => err.text).toMatch(/\rspear: exec_\w+ running\.attempting/);
  await endAll();
  expect(await ended).toBe(130);
  expect(pipe.text).toBe('looping\n');
});

test('whoever waits sees how it stands', async () => {
  const { executionId } = await server.functions.invokeFunction({
    task: 'loop',
    executionMode: ExecutionMode.ASYNC,
  });
  const { err, ended } = sitDown(['wait', executionId], server.grpcAddress);
  await expect.poll(() => err.text).toContain(`\rspear: ${executionId} running.attempting`);
  await endAll();
  expect(await ended).toBe(130);
});

test('whoever comes later to wait is not told that the state began when they came', async () => {
  const { executionId } = await server.functions.invokeFunction({
    task: 'loop',
    executionMode: ExecutionMode.ASYNC,
  });
  await expect
    .poll(async () => (await server.functions.getExecutionStatus({ executionId })).result?.state)
    .toBe('running.attempting');
  const { err, ended } = sitDown(['wait', executionId], server.grpcAddress);
  // Two lines: one from before the first answer of the wait, and one from after it.
  const lines = () => err.text.split('\r').filter((line) => line.startsWith('spear: exec_'));
  await expect.poll(() => lines().length).toBeGreaterThan(1);
  for (const line of lines()) expect(line).toMatch(/running\.attempting, created .* ago/);
  await endAll();
  expect(await ended).toBe(130);
});

test('a call that ends at once says nothing but its value', async () => {
  const { out, err, ended } = sitDown(['invoke', 'calc', 'add(1, 2)'], server.grpcAddress);
  expect(await ended).toBe(0);
  expect([out.text, err.text]).toEqual(['3\n', '']);
});

test('JSON on a terminal is one document', async () => {
  const { out, err, ended } = sitDown(['invoke', 'ticker', '--json'], server.grpcAddress);
  expect(await ended).toBe(0);
  expect(JSON.parse(out.text)).toMatchObject({ success: true });
  expect(err.text).toBe('');
});
