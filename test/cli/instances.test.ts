import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import { InstanceState } from '../../src/server/gen/spearlet/instance_pb.js';
import { RuntimeKind } from '../../src/server/gen/spearlet/task_pb.js';
import { startServer } from '../support/server.ts';
import { startScriptedServer } from './scripted-server.ts';
import { errorLine, run } from './spear.ts';

/** Cells are two blanks apart. */
const cells = (line: string | undefined) => line?.split(/ {2,}/);

test('instances and pools stand in two tables', async () => {
  const server = await startScriptedServer({
    instances: {
      instances: [
        {
          instanceId: 'inst_1',
          runtime: RuntimeKind.WASM,
          state: InstanceState.BUSY,
          executionId: 'exec_1',
          uses: 3n,
          createdAt: timestampFromMs(Date.now() - 26 * 3_600_000),
        },
        {
          instanceId: 'inst_2',
          runtime: RuntimeKind.DOCKER,
          state: InstanceState.BROKEN,
          taskName: 'web',
          reason: 'the engine does\nnot answer',
          // The server's clock is ahead of ours.
          createdAt: timestampFromMs(Date.now() + 60_000),
        },
      ],
      pools: [
        {
          taskName: 'web',
          runtime: RuntimeKind.DOCKER,
          policy: { min: 1, max: 4 },
          idle: 2,
          busy: 5,
          starting: 6,
          warmHits: 7n,
          coldStarts: 8n,
          spoiled: 9n,
        },
      ],
    },
  });
  const { code, stdout, stderr } = await run(['instances'], server);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const lines = stdout.toString().split('\n');
  expect(lines.map(cells)).toEqual([
    ['INSTANCE', 'RUNTIME', 'STATE', 'TASK', 'EXECUTION', 'USES', 'AGE', 'REASON'],
    ['inst_1', 'wasm', 'busy', '-', 'exec_1', '3', '1 d 2 h'],
    ['inst_2', 'docker', 'broken', 'web', '-', '0', '0 ms', 'the engine does not answer'],
    [''],
    ['TASK', 'RUNTIME', 'MIN', 'MAX', 'IDLE', 'BUSY', 'STARTING', 'HITS', 'COLD', 'SPOILED'],
    ['web', 'docker', '1', '4', '2', '5', '6', '7', '8', '9'],
    [''],
  ]);
});

test('where there are none, words say so', async () => {
  const server = await startScriptedServer({});
  expect((await run(['instances'], server)).stdout.toString()).toBe('no instances\n\nno warm pools\n');
  const ofTask = await run(['instances', '--task', 'calc'], server);
  expect(ofTask.stdout.toString()).toBe('no instances of calc\n\nno warm pools of calc\n');
});

test('with --json it is one document, with its empty lists', async () => {
  const { stdout } = await run(['instances', '--json'], await startScriptedServer({}));
  expect(JSON.parse(stdout.toString())).toEqual({ instances: [], pools: [] });
});

test('a node lists what ran a function, and knows no task that is none', async () => {
  const node = await startServer();
  try {
    const server = { address: node.grpcAddress };
    await node.register('exit', 'misbehaving/exit.wasm');
    await run(['invoke', 'exit'], server);
    const { code, stdout, stderr } = await run(['instances', '--json'], server);
    expect(code, stderr).toBe(0);
    const { instances } = JSON.parse(stdout.toString()) as { instances: { runtime: string }[] };
    expect(instances.map(({ runtime }) => runtime)).toContain('RUNTIME_KIND_WASM');
    const unknown = await run(['instances', '--task', 'nothing'], server);
    expect(unknown.code).toBe(127);
    expect(errorLine(unknown)).toContain('nothing');
  } finally {
    await node.stop();
  }
});
