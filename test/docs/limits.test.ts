/** Holds docs/limits.md, in both languages, against the options of a node and the flags of its command. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { serveCommand } from '../../src/cli/commands/serve.ts';
import { resolveBounds } from '../../src/config-bounds.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

const flags = Object.keys(resolveBounds(() => undefined)).map(
  (key) => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
);

test.each(['docs/limits.md', 'docs/limits-zh.md'])('%s has each bound, and no other', async (path) => {
  const page = await readFile(join(root, path), 'utf8');
  const named = [...page.matchAll(/^\| [^|]+ \| `(--[a-z-]+)`/gm)].map(([, flag]) => flag ?? '');
  expect(named.filter((flag) => flag !== '--max-artifact-bytes').sort()).toEqual([...flags].sort());
});

test('the command has a flag for each bound', () => {
  const command = serveCommand({} as never);
  const long = command.options.map((option) => option.long);
  expect(long).toEqual(expect.arrayContaining(flags));
});
