import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readDocument, root } from './readme.ts';

const folder = 'docs/decisions';
const files = (await readdir(join(root, folder))).filter((file) => file !== 'README.md').sort();

test('the index of the decisions names every record by its number, its title and a line, in their order', async () => {
  expect(files.length).toBeGreaterThan(20);
  const titles = await Promise.all(
    files.map(async (file) => {
      const [heading = ''] = (await readDocument(join(folder, file))).split('\n', 1);
      return [file, heading];
    }),
  );
  const index = await readDocument(join(folder, 'README.md'));
  const rows = [...index.matchAll(/^\| (\d+) \| \[(.+)\]\((.+)\) \| (\S.*) \|$/gm)];
  expect(rows.map(([, number, title, file]) => [file, `# ${number}. ${title}`])).toEqual(titles);
});

test('no two records have one number, and each has it in its name', async () => {
  const numbers = files.map((file) => /^(\d{4})-[a-z0-9-]+\.md$/.exec(file)?.[1]);
  expect(numbers).not.toContain(undefined);
  expect(new Set(numbers).size).toBe(files.length);
});
