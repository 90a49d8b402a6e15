/** Walks through docs/cache.md: its commands on a node, in their order. */
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { serveCommand } from '../../src/cli/commands/serve.ts';
import { run, temporaryFolder } from '../cli/spear.ts';
import { startServer } from '../support/server.ts';
import { blocksOf, readDocument, root } from './readme.ts';

const page = await readDocument('docs/cache.md');

test('every command of docs/cache.md does what the page says', async () => {
  const server = await startServer();
  onTestFinished(() => server.stop());
  const folder = await temporaryFolder();
  await copyFile(join(root, 'examples/wordcount/wordcount.wasm'), join(folder, 'wordcount.wasm'));
  const [, taskFile = ''] = /^```yaml\n(.*?)^```$/ms.exec(page) ?? [];
  await writeFile(join(folder, 'count.yaml'), taskFile);
  await writeFile(join(folder, 'words.txt'), 'one two\n');
  const answers: string[] = [];
  for (const command of blocksOf(page).flat()) {
    const args = command
      .replace(/ +# .*$/, '')
      .split(' ')
      .slice(1);
    const { code, stdout, stderr } = await run(args, { address: server.grpcAddress, cwd: folder });
    expect({ command, code, stderr }).toMatchObject({ code: 0 });
    answers.push(stdout.toString());
  }
  const [, first, second, dry, anew, shown] = answers;
  expect(second).toBe(first);
  expect(anew).toBe(first);
  expect(dry).toMatch(/^It would end at once with the result of exec_\w+, which is .* old \(cache\)\.\n$/);
  expect(shown).toMatch(/^cache +ttl 10 min 0 s, max bytes 4 MiB$/m);
  expect(shown).toMatch(/^used +1 hits, 0 shared, 1 misses since the start of the node$/m);
});

test('every flag of serve that the page names is one', () => {
  const known = serveCommand({} as never).options.map(({ long }) => long);
  const named = [...page.matchAll(/`(?:serve )?(--(?:cache|retain)-[a-z-]+)`/g)].map(([, flag]) => flag);
  expect(named).toHaveLength(4);
  expect(known).toEqual(expect.arrayContaining(named));
});
