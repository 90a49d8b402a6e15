/** Holds the tables of pages in Chinese against those of the English ones: the same rows, with the same codes. */
import { expect, test } from 'vitest';
import { readDocument } from './readme.ts';

/** Of each row whose first cell is a code or a number: its cells that have no words. */
function codesOf(page: string): string[][] {
  const rows = page.split('\n').filter((line) => /^\| [`\d]/.test(line));
  return rows.map((row) =>
    row.split('|').flatMap((cell) => (/^ (`[A-Za-z_]+`|\d+) $/.test(cell) ? [cell.trim()] : [])),
  );
}

test.each(['errors', 'metrics'])(
  'docs/%s-zh.md has the rows of the English page, and their codes',
  async (name) => {
    const english = codesOf(await readDocument(`docs/${name}.md`));
    expect(english.length).toBeGreaterThan(20);
    expect(codesOf(await readDocument(`docs/${name}-zh.md`))).toEqual(english);
  },
);
