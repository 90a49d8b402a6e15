import { rm } from 'node:fs/promises';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { expect, onTestFinished, test } from 'vitest';
import { ExecutionMode, ExecutionStatus, OutputStream } from '../../src/server/gen/spearlet/function_pb.js';
import { InterruptPolicy, RuntimeKind } from '../../src/server/gen/spearlet/task_pb.js';
import { type ChildServer, spawnServer, temporaryDataDir } from '../support/server.ts';
import { start } from './spear.ts';

async function serverOn(dataDir: string, grpcAddress = '127.0.0.1:0'): Promise<ChildServer> {
  const server = await spawnServer(dataDir, { grpcAddress, allowHostAccess: 'true' });
  onTestFinished(async () => {
    await server.end('SIGKILL');
  });
  return server;
}

async function dataFolder(): Promise<string> {
  const dataDir = await temporaryDataDir();
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  return dataDir;
}

async function executionsOf(server: ChildServer) {
  const { executions } = await server.functions.listExecutions({});
  return executions;
}

test.for(['sync', 'stream'])(
  'the first Ctrl-C cancels what %s mode waits for, and its outcome is told',
  async (mode) => {
    const server = await serverOn(await dataFolder());
    await server.register('loop', 'misbehaving/loop.wasm');
    const running = start(['invoke', 'loop', '--mode', mode], { address: server.grpcAddress });
    await expect
      .poll(async () => (await executionsOf(server))[0]?.outputBytes)
      .toBe(BigInt('looping\n'.length));
    running.process.kill('SIGINT');
    const { code, stdout, stderr } = await running.ended;
    expect(code, stderr).toBe(130);
    expect(stdout.toString()).toBe('looping\n');
    expect(stderr).toMatch(/cancelling exec_\w+[\s\S]* cancelled: CANCELLED/);
    expect((await executionsOf(server))[0]?.status).toBe(ExecutionStatus.CANCELLED);
  },
);

test('the second Ctrl-C detaches, even from a server that does not answer, and the execution goes on', async () => {
  const server = await serverOn(await dataFolder());
  await server.register('ticker', 'ticker/ticker.wasm', { args: ['1000', '50'] });
  const running = start(['invoke', 'ticker', '--mode', 'stream'], { address: server.grpcAddress });
  await running.says('tick 1');
  server.process.kill('SIGSTOP');
  running.process.kill('SIGINT');
  await running.says('cancelling');
  running.process.kill('SIGINT');
  const { code, stderr } = await running.ended;
  server.process.kill('SIGCONT');
  expect(code).toBe(130);
  expect(stderr).toMatch(
    /left; exec_\w+ may be cancelled, the server has not said so: spear status exec_\w+\n/,
  );
});

test('whoever leaves while the first Ctrl-C is being followed hears that it was heard', async () => {
  const server = await serverOn(await dataFolder());
  await server.tasks.registerTask({
    definition: {
      name: 'stubborn',
      runtime: RuntimeKind.PROCESS,
      artifact: { source: { case: 'path', value: '/bin/sh' } },
      args: ['-c', "trap '' TERM; echo begun; sleep 60 & wait; wait"],
      grace: durationFromMs(20_000),
    },
  });
  const running = start(['invoke', 'stubborn', '--mode', 'stream', '--address', server.grpcAddress]);
  await running.says('begun');
  running.process.kill('SIGINT');
  await running.says('cancelling');
  await expect.poll(async () => (await executionsOf(server))[0]?.state).toBe('running.stopping');
  running.process.kill('SIGINT');
  const { code, stderr } = await running.ended;
  expect(code).toBe(130);
  expect(stderr).toMatch(/left; exec_\w+ (is being|may be) cancelled/);
});

test('with --cancel-on-disconnect the first Ctrl-C leaves, and that cancels', async () => {
  const server = await serverOn(await dataFolder());
  await server.register('loop', 'misbehaving/loop.wasm');
  const running = start(['invoke', 'loop', '--cancel-on-disconnect'], { address: server.grpcAddress });
  await expect.poll(async () => (await executionsOf(server))[0]?.status).toBe(ExecutionStatus.RUNNING);
  running.process.kill('SIGINT');
  const { code, stderr } = await running.ended;
  expect(code, stderr).toBe(130);
  await expect.poll(async () => (await executionsOf(server))[0]?.status).toBe(ExecutionStatus.CANCELLED);
});

test('whoever only waits leaves the execution alone on Ctrl-C', async () => {
  const server = await serverOn(await dataFolder());
  await server.register('ticker', 'ticker/ticker.wasm', { args: ['1000', '50'] });
  const { executionId } = await server.functions.invokeFunction({
    task: 'ticker',
    executionMode: ExecutionMode.ASYNC,
  });
  const running = start(['watch', executionId, '--address', server.grpcAddress]);
  await running.says('tick 1');
  running.process.kill('SIGINT');
  const ended = await running.ended;
  expect(ended).toMatchObject({ code: null, signal: 'SIGINT' });
  const again = /spear: exec_\w+ goes on: spear (watch .*)\n$/.exec(ended.stderr)?.[1]?.split(' ') ?? [];
  expect(again).toEqual([
    'watch',
    executionId,
    '--from',
    expect.stringMatching(/^\d+$/),
    '--address',
    server.grpcAddress,
  ]);
  const pasted = start(again);
  await pasted.says('tick');
  pasted.process.kill('SIGINT');
  expect((await pasted.ended).signal).toBe('SIGINT');
  const { result } = await server.functions.getExecutionStatus({ executionId });
  expect(result?.status).toBe(ExecutionStatus.RUNNING);
});

test.for(['sync', 'stream'])(
  'a server that goes away and comes back is attached to again, in %s mode',
  async (mode) => {
    const dataDir = await dataFolder();
    const before = await serverOn(dataDir);
    await before.register('ticker', 'ticker/ticker.wasm', {
      args: ['1000', '100'],
      onInterrupt: InterruptPolicy.FAIL,
    });
    const running = start(['invoke', 'ticker', '--mode', mode], { address: before.grpcAddress });
    await expect.poll(async () => (await executionsOf(before)).length).toBe(1);
    const executionId = (await executionsOf(before))[0]?.executionId ?? '';
    // By the 15th tick sync mode has long had its first answer, and with it the id to go on with.
    let ticks = 0;
    for await (const { event } of before.functions.watchExecution({ executionId })) {
      if (event.case === 'chunk' && event.value.stream === OutputStream.STDOUT) ticks += 1;
      if (ticks === 15) break;
    }
    await before.end('SIGKILL');
    await running.says('lost the server');
    await serverOn(dataDir, before.grpcAddress);
    const { code, stdout, stderr } = await running.ended;
    expect(stderr).toContain(`${executionId} failed: INTERRUPTED`);
    expect(code).toBe(125);
    // What was committed comes once, whichever server it came from.
    const lines = stdout.toString().trimEnd().split('\n');
    expect(lines.slice(0, 10)).toEqual(lines.slice(0, 10).map((_line, index) => `tick ${index + 1}`));
    expect(new Set(lines).size).toBe(lines.length);
  },
);
