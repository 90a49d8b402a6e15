/** Walks through docs/supervision.md: its commands and its file on a node, in their order. */
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { run, temporaryFolder } from '../cli/spear.ts';
import { type LocalServer, startServer } from '../support/server.ts';
import { blocksOf, readDocument, root } from './readme.ts';

let server: LocalServer;

beforeAll(async () => {
  server = await startServer({ slots: '4' });
});

afterAll(() => server.stop());

test('every command of the page works as it stands, and does what the page says', async () => {
  const folder = await temporaryFolder();
  for (const file of ['loop.wasm', 'cat.wasm']) {
    await copyFile(join(root, 'examples/misbehaving', file), join(folder, file));
  }
  const page = await readDocument('docs/supervision.md');
  await writeFile(join(folder, 'services.jsonl'), /```json\n([\s\S]*?)```/.exec(page)?.[1] ?? '');
  const spear = (words: readonly string[]) => run(words, { address: server.grpcAddress, cwd: folder });
  let batchId = '';
  let tree = '';
  for (const command of blocksOf(page).flat()) {
    const words = [...command.replace('BATCH', batchId).matchAll(/'([^']*)'|(\S+)/g)].map(
      ([, quoted, plain]) => quoted ?? plain ?? '',
    );
    const { code, stdout, stderr } = await spear(words.slice(1));
    expect({ command, code, stderr }).toMatchObject({ command, code: 0 });
    if (command.includes('--detach')) {
      batchId = stdout.toString().trim();
      const state = async () => (await server.batches.getBatch({ batchId })).batch;
      await expect.poll(async () => (await state())?.running).toBe(2);
      const members = async () => (await server.batches.listBatchMembers({ batchId })).members;
      await expect.poll(async () => (await members())[1]?.status).toBe(ExecutionStatus.COMPLETED);
    }
    if (command === 'spear batch status BATCH') tree = stdout.toString();
  }
  const shown = /```\n(supervisor[\s\S]*?)```/.exec(page)?.[1] ?? '';
  const plain = (text: string) => text.replace(/exec_\S+/g, 'exec_').replace(/ +/g, ' ');
  expect(plain(tree)).toContain(plain(shown));
  const { code, stdout } = await spear(['batch', 'wait', batchId]);
  expect({ code, stdout: stdout.toString() }).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('1 completed, 2 cancelled'),
  });
  const status = (await spear(['batch', 'status', batchId])).stdout.toString();
  expect(status).toMatch(/^why +moves to another machine$/m);
});

test('a batch that gives up says so, and a wrong line and flag are refused', async () => {
  const folder = await temporaryFolder();
  await server.register('exit', 'misbehaving/exit.wasm');
  const spear = (words: readonly string[]) => run(words, { address: server.grpcAddress, cwd: folder });
  await writeFile(join(folder, 'bad.jsonl'), '{"name": "api", "task": "exit", "args": ["3"]}\n');
  const flags = ['--supervise', 'one-for-all', '--intensity', '1', '--backoff', '1ms'];
  const { code, stderr } = await spear(['batch', 'bad.jsonl', ...flags]);
  expect({ code, stderr }).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(
      'member 0 (api) ended FUNCTION_EXIT, and 1 restarts within 1 min 0 s are all that are allowed',
    ),
  });
  expect(await spear(['batch', 'bad.jsonl', '--within', '1m'])).toMatchObject({
    code: 64,
    stderr: expect.stringContaining('--within: goes with --supervise alone'),
  });
  await writeFile(join(folder, 'bad.jsonl'), '{"task": "exit", "restart": "always"}\n');
  expect(await spear(['batch', 'bad.jsonl', ...flags])).toMatchObject({
    code: 64,
    stderr: expect.stringContaining('restart is "\\"always\\""; allowed are permanent, transient, temporary'),
  });
});
