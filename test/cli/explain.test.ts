import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { expect, onTestFinished, test } from 'vitest';
import { ExecutionMode } from '../../src/server/gen/spearlet/function_pb.js';
import { startServer } from '../support/server.ts';
import { errorLine, run } from './spear.ts';

test('why one waits is one sentence, and what there is more of it', async () => {
  const server = await startServer({ slots: '1' });
  onTestFinished(() => server.stop());
  const address = { address: server.grpcAddress };
  await server.register('loop', 'misbehaving/loop.wasm');
  const invoke = async (): Promise<string> =>
    (
      await server.functions.invokeFunction({
        task: 'loop',
        executionMode: ExecutionMode.ASYNC,
        timeouts: { total: { seconds: 300n } },
      })
    ).executionId;
  const [first, second] = [await invoke(), await invoke()];

  const { code, stdout, stderr } = await run(['explain', second], address);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const lines = stdout.toString().split('\n');
  expect(lines[0]).toBe('It waits for a slot, place 1 of 1 in the queue: the only slot is taken.');
  expect(lines).toContain('- the node runs 1 at once (--slots)');
  expect(lines).toContain(`execution  ${second}: pending, in pending.queued`);
  expect(lines).toContain('queue      place 1 of 1');
  expect(lines).toContain(`held by    ${first}`);
  expect(stdout.toString()).toMatch(/\nends +\d{4}-\d\d-\d\dT/);

  const json = await run(['explain', first, '--json'], address);
  expect(JSON.parse(json.stdout.toString())).toMatchObject({
    executionId: first,
    state: 'running.attempting',
    heldBy: [],
    queuePlace: '0',
  });

  const unknown = await run(['explain', 'exec_nothing'], address);
  expect(unknown.code).toBe(127);
  expect(errorLine(unknown)).toContain('exec_nothing');
});

test('the commands that let a held one go on can be pasted: they are quoted, and reach this server', async () => {
  const server = await startServer();
  onTestFinished(() => server.stop());
  await server.register('exit', 'misbehaving/exit.wasm');
  const { executionId } = await server.functions.invokeFunction({
    task: 'exit',
    executionMode: ExecutionMode.ASYNC,
    startAfter: durationFromMs(60_000),
  });
  await server.functions.suspendExecution({ executionId });
  const { stdout } = await run(['explain', executionId, '--address', server.grpcAddress]);
  const to = `${executionId} --address ${server.grpcAddress}`;
  expect(stdout.toString()).toContain(
    `- \`spear resume ${to}\` lets it go on, \`spear cancel ${to}\` ends it\n`,
  );
});
