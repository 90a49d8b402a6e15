/** docs/install.md, docs/upgrade.md and docs/releasing.md name what there is, and the unit is one that systemd takes. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { start } from '../cli/spear.ts';
import { blocksOf, readDocument, root } from './readme.ts';

const run = promisify(execFile);
const documents = ['docs/install.md', 'docs/upgrade.md', 'docs/releasing.md'];

/** Each `spear` command that it shows or names, as its words before the first flag, file or placeholder. */
function commandsIn(text: string): string[] {
  const shown = blocksOf(text).flat().join('\n');
  const named = [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code).join('\n');
  const found = `${shown}\n${named}`.matchAll(/(?:^|\s)spear (?!spear )([a-z]+(?: [a-z]+)?)(?=\s|$)/gm);
  return [...new Set([...found].map(([, words = '']) => words))];
}

test.each(documents)('%s names only scripts, files and versions that there are', async (path) => {
  const text = await readDocument(path);
  const { scripts, version } = JSON.parse(await readDocument('package.json')) as {
    scripts: Record<string, string>;
    version: string;
  };
  for (const [, name = ''] of text.matchAll(/npm run ([\w:]+)/g)) expect(scripts).toHaveProperty([name]);
  for (const [file] of text.matchAll(/packaging\/[\w./-]*\w/g))
    expect(existsSync(join(root, file))).toBe(true);
  for (const [, link = ''] of text.matchAll(/\]\(((?!http)[^)#]+)/g))
    expect(existsSync(join(root, 'docs', link))).toBe(true);
  for (const [, named] of text.matchAll(/spear[-:](\d+\.\d+\.\d+)/g)) expect(named).toBe(version);
});

test('each command of the node that they name is one', async () => {
  const texts = await Promise.all(documents.map(readDocument));
  const commands = texts.flatMap(commandsIn);
  expect(commands).toEqual(
    expect.arrayContaining(['page', 'task list', 'token create', 'db backup', 'db check']),
  );
  for (const command of commands) {
    const { code, stderr } = await start([...command.split(' '), '--help']).ended;
    expect({ command, code, stderr }).toEqual({ command, code: 0, stderr: '' });
  }
});

test('the unit is one that systemd takes, and gives a drain its time', async () => {
  const unit = await readDocument('packaging/systemd/spear.service');
  const drainMs = Number(/SPEAR_DRAIN_MS=(\d+)/.exec(unit)?.[1]);
  const stopMs = 1000 * Number(/^TimeoutStopSec=(\d+)s$/m.exec(unit)?.[1]);
  expect(stopMs).toBeGreaterThan(drainMs);
  const folder = await mkdtemp(join(tmpdir(), 'spear-unit-'));
  try {
    // It looks for the program.
    const file = join(folder, 'spear.service');
    await writeFile(file, unit.replace('/usr/local/bin/spear', '/bin/true'));
    const { stdout, stderr } = await run('systemd-analyze', ['verify', file]);
    expect(stdout + stderr).toBe('');
  } finally {
    await rm(folder, { recursive: true });
  }
});
