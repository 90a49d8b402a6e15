/** Walks through docs/dependencies.md: its commands and its file on a node, in their order. */
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run, temporaryFolder } from '../cli/spear.ts';
import { type LocalServer, startServer } from '../support/server.ts';
import { blocksOf, readDocument, root } from './readme.ts';

let server: LocalServer;

beforeAll(async () => {
  server = await startServer({ slots: '2' });
});

afterAll(() => server.stop());

test('every command of the page works as it stands, and does what the page says', async () => {
  const folder = await temporaryFolder();
  await copyFile(join(root, 'examples/wordcount/wordcount.wasm'), join(folder, 'wordcount.wasm'));
  await copyFile(join(root, 'examples/misbehaving/cat.wasm'), join(folder, 'cat.wasm'));
  const page = await readDocument('docs/dependencies.md');
  const lines = /```json\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  await writeFile(join(folder, 'tasks.jsonl'), lines);
  const ids = { FIRST: '', BATCH: '' };
  const told = new Map<string, string>();
  for (const command of blocksOf(page)
    .flat()
    .map((each) => each.replace(/ +# .*$/, ''))) {
    const given = command.replace('FIRST', ids.FIRST).replace('BATCH', ids.BATCH).split(' ').slice(1);
    const input = Buffer.from('two words\n');
    const { code, stdout, stderr } = await run(given, { address: server.grpcAddress, cwd: folder, input });
    expect({ command, code, stderr }).toMatchObject({ command, code: 0 });
    told.set(command, stdout.toString() + stderr);
    if (command.includes('--mode async')) ids.FIRST = stdout.toString().trim();
    if (command.includes('--detach')) ids.BATCH = stdout.toString().trim();
  }
  expect(told.get('spear invoke count --input-from FIRST')).toBe('1 2 10\n');
  expect(told.get('spear batch tasks.jsonl')).toMatch(/3 invocations: 3 completed/);
  expect(told.get('spear batch status BATCH --members all')).toMatch(/^#2 +sum +exec_\S+ +completed/m);
  expect(told.get('spear list --batch BATCH')).toMatch(/exec_/);
  const refused = async (words: string, file: string) => {
    await writeFile(join(folder, 'bad.jsonl'), file);
    const ended = await run(['batch', 'bad.jsonl'], { address: server.grpcAddress, cwd: folder });
    expect({ code: ended.code, stderr: ended.stderr }).toMatchObject({
      code: 64,
      stderr: expect.stringContaining(words),
    });
  };
  await refused('"a" depends on "b", which depends on "a"', circle);
  await refused('members[1].name: is "a", as that of members[0]', `${one}${one}`);
  await refused('no member is named "z"', '{"task": "copy", "depends_on": ["z"]}\n');
  await refused('bad.jsonl, line 1:', 'copy\n');
});

const one = '{"name": "a", "task": "copy"}\n';
const circle =
  '{"name": "a", "task": "copy", "depends_on": ["b"]}\n{"name": "b", "task": "copy", "depends_on": ["a"]}\n';
