import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { ExecutionMode, Priority } from '../../src/server/gen/spearlet/function_pb.js';
import { type LocalServer, startServer } from '../support/server.ts';
import { run } from './spear.ts';

let server: LocalServer;

beforeEach(async () => {
  server = await startServer({ slots: '2' });
  onTestFinished(() => server.stop());
  await server.register('loop', 'misbehaving/loop.wasm', {
    concurrency: [{ key: 'metadata.user', limit: 1 }],
  } as never);
});

type Request = Parameters<LocalServer['functions']['invokeFunction']>[0];

async function begin(request: object = {}): Promise<string> {
  const asked = { task: 'loop', executionMode: ExecutionMode.ASYNC, ...request } as Request;
  return (await server.functions.invokeFunction(asked)).executionId;
}

async function spear(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(args, { address: server.grpcAddress });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.toString();
}

test('the queue is a line for each line of it, what holds those, and what lets them go', async () => {
  expect(await spear('queue')).toBe('0 of 2 slots, 0 waiting, 0 of them held\n');
  const ids: string[] = [];
  for (const user of ['ann', 'ann', 'ann', 'bob', 'cid']) ids.push(await begin({ metadata: { user } }));
  const urgent = await begin({ priority: Priority.URGENT, fairnessKey: 'k 1', metadata: { user: 'dan' } });
  await expect.poll(() => spear('queue')).toMatch(/^2 of 2 slots, 4 waiting, 2 of them held\n/);
  const text = await spear('queue');
  const [heading, normal] = text.split('\n').slice(2);
  expect(heading?.split(/ +/)).toEqual([
    'PRIORITY',
    'KEY',
    'WAITING',
    'HELD',
    'RUNNING',
    'USED',
    'DUE',
    'FIRST',
    'EXECUTION',
  ]);
  expect(normal).toMatch(new RegExp(`^normal +- +3 +2 +2 +100 % +6 % +.* +${ids[1]}$`));
  expect(text).toMatch(new RegExp(`^urgent +k 1 +1 +0 +0 +0 % +94 % +.* +${urgent}$`, 'm'));
  expect(text).toContain(
    `\npriority normal
- 2 waiting: all that may run at a time with concurrency key metadata.user "ann" do: the limit is 1
  the first of its line goes on when one of those that hold it ends
  held by ${ids[0]}
  first is ${ids[1]}
- 1 waiting: all 2 slots are taken
  the first of them goes on when a slot comes free and their line has had least for its weight
  first is ${ids[4]}
`,
  );
  expect(text).toContain('\npriority urgent, fairness key "k 1"\n- 1 waiting: all 2 slots are taken\n');

  expect(await spear('queue', '--limit', '1')).toContain('\nand 1 line, in which 1 wait\n');
  expect(await spear('queue', '--all-tenants')).toMatch(/^TENANT +PRIORITY .*\ndefault +normal /m);
  expect(JSON.parse(await spear('queue', '--json'))).toMatchObject({
    slots: 2,
    waiting: '4',
    lines: [{ waiting: '3', classes: [{ gate: { value: 'ann' }, heldBy: [ids[0]] }, {}] }, { waiting: '1' }],
  });
  expect(await spear('top', '--once')).toMatch(
    /\nqueue: 4 waiting, the first for .*; 2 of them held, 2 by concurrency metadata\.user "ann"\n/,
  );
});
