/** Walks through docs/scheduling.md, in both languages: its commands on a node, in their order. */
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serveCommand } from '../../src/cli/commands/serve.ts';
import { run, temporaryFolder } from '../cli/spear.ts';
import { type LocalServer, startServer } from '../support/server.ts';
import { blocksOf, readDocument, root } from './readme.ts';

let server: LocalServer;

beforeAll(async () => {
  server = await startServer({ slots: '2' });
});

afterAll(() => server.stop());

const bare = (command: string): string => command.replace(/ +# .*$/, '');

test('both languages have the same commands, files and answers', async () => {
  const code = (page: string) =>
    [...page.matchAll(/^```.*\n(.*?)^```$/gms)].map(([, block = '']) =>
      block.replace(/ +# .*$/gm, '').replace(/^#.*$/gm, ''),
    );
  expect(code(await readDocument('docs/scheduling-zh.md'))).toEqual(
    code(await readDocument('docs/scheduling.md')),
  );
});

test('every command of the page works as it stands', async () => {
  const page = await readDocument('docs/scheduling.md');
  const folder = await temporaryFolder();
  for (const name of ['import', 'report']) {
    await copyFile(join(root, 'examples/misbehaving/cat.wasm'), join(folder, `${name}.wasm`));
  }
  const [, taskFile = ''] = /^```yaml\n(name: import\n.*?)^```$/ms.exec(page) ?? [];
  await writeFile(join(folder, 'import.yaml'), taskFile);
  const spear = async (command: string) => {
    const args = command.split(' ').slice(1);
    const { code, stdout, stderr } = await run(args, { address: server.grpcAddress, cwd: folder });
    return { command, code, stdout: stdout.toString(), stderr };
  };
  expect(await spear('spear task register --file import.yaml')).toMatchObject({ code: 0 });
  const commands = blocksOf(page).flat().map(bare);
  const walked = commands.filter((command) => !command.startsWith('spear serve '));
  expect(walked.length).toBeGreaterThan(6);
  for (const command of walked) expect(await spear(command)).toMatchObject({ command, code: 0 });
  const { stdout } = await spear('spear invoke report --dry-run');
  expect(stdout).toMatch(/^It would start at once\.\n\nlikely starts +in 0 ms\nlikely ends +in /);
});

test('every flag of serve that the page names is one', async () => {
  const page = await readDocument('docs/scheduling.md');
  const known = serveCommand({} as never).options.map(({ long }) => long);
  const named = [...page.matchAll(/serve (--[a-z-]+)/g)].map(([, flag]) => flag);
  expect(named.length).toBeGreaterThan(2);
  expect(known).toEqual(expect.arrayContaining(named));
});
