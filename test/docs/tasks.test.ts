/** Holds the table of what a task may say against the schema. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { pages, withReference } from '../../scripts/task-reference.ts';

test.each(pages)('%s has the fields of a task as they are: `npm run generate` writes them', async (path) => {
  const page = await readFile(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');
  expect(page).toBe(withReference(page));
});
