/** Walks through docs/revisions.md: its commands on a node, in their order. */
import { copyFile } from 'node:fs/promises';
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
  const sources = { 1: 'misbehaving/cat.wasm', 2: 'wordcount/wordcount.wasm' };
  for (const [number, source] of Object.entries(sources)) {
    await copyFile(join(root, 'examples', source), join(folder, `report-${number}.wasm`));
  }
  const spear = async (command: string) => {
    const args = command.split(' ').slice(1);
    const input = Buffer.from('a b\n');
    const { code, stdout, stderr } = await run(args, { address: server.grpcAddress, cwd: folder, input });
    return { command, code, stdout: stdout.toString(), stderr };
  };
  const page = await readDocument('docs/revisions.md');
  const commands = blocksOf(page)
    .flat()
    .map((command) => command.replace(/ +# .*$/, ''));
  const told = new Map<string, string>();
  for (const command of commands) {
    const ended = await spear(command);
    expect(ended).toMatchObject({ command, code: 0 });
    told.set(command, ended.stdout + ended.stderr);
  }
  expect(told.get('spear task revisions report')).toMatch(/^2 +100% .*artifact\.sha256/m);
  expect(told.get('spear task diff report')).toMatch(/^artifact\.sha256\n {2}- "[0-9a-f]{64}"\n {2}\+ "/);
  expect(told.get('spear invoke report')).toBe('a b\n');
  expect(told.get('spear invoke report@2')).toMatch(/^1 2 4$/m);
  expect(told.get('spear task rollback report')).toMatch(/moved live = 1:90,2:10 \(version 4, by /);
  expect((await spear('spear invoke report')).stdout).toMatch(/^1 2 4$/m);
  for (const [command, exit, words] of [
    ['spear invoke report@7', 127, 'the task "report" has no revision 7; the newest is 2'],
    ['spear invoke report@live', 127, 'the task "report" has no alias "live"'],
    ['spear task alias set report live=1:90', 64, 'ALIAS=REVISION: have 90 percent in all; allowed are 100'],
    ['spear task alias set report live', 64, 'ALIAS=REVISION: is "live"; allowed are such as live=3'],
    ['spear task alias set report 3=1', 64, 'ALIAS: is "3"; allowed are 1 to 63 of a-z'],
    [
      'spear task alias set report live=1 --expect-version 2',
      75,
      '--expect-version: is 2, and the alias live has',
    ],
    ['spear task diff report 9', 127, 'the task "report" has no revision 9'],
    ['spear task delete report@2', 64, 'revision 2 of "report" is in use: it is the newest'],
    ['spear task delete report@live', 64, 'TASK: names no revision by its number'],
  ] as const) {
    const { code, stderr } = await spear(command);
    expect([command, code]).toEqual([command, exit]);
    expect(stderr).toContain(words);
  }
  expect((await spear('spear task rollback report')).stderr).toContain(
    'spear task alias set report live=newest',
  );
});
