import { styleText } from 'node:util';
import { printable } from './printable.ts';
import type { Sink } from './sink.ts';

/** Rows under a heading, written as they come: each page is aligned, and columns only ever grow. */
export class Table {
  readonly #out: Sink;
  readonly #widths: number[];
  #heading: readonly string[] | undefined;

  constructor(out: Sink, heading: readonly string[]) {
    this.#out = out;
    this.#heading = heading;
    this.#widths = heading.map(() => 0);
  }

  async write(given: readonly (readonly string[])[]): Promise<void> {
    const rows = given.map((row) => row.map((cell) => printable(cell)));
    const heading = this.#heading;
    this.#heading = undefined;
    for (const row of heading === undefined ? rows : [heading, ...rows]) {
      for (const [column, cell] of row.entries()) {
        this.#widths[column] = Math.max(this.#widths[column] ?? 0, cell.length);
      }
    }
    const lines = rows.map((row) => this.#line(row));
    if (heading !== undefined) {
      const line = this.#line(heading);
      lines.unshift(this.#out.isTerminal ? styleText('bold', line) : line);
    }
    await this.#out.write(lines.map((line) => `${line}\n`).join(''));
  }

  #line(row: readonly string[]): string {
    return row
      .map((cell, column) => cell.padEnd(this.#widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  }
}

/** Name and value, one a line, the values under each other. */
export function account(entries: readonly (readonly [string, string])[]): string {
  const width = Math.max(...entries.map(([name]) => name.length));
  return entries
    .map(([name, value]) => `${name.padEnd(width)}  ${printable(value, Number.POSITIVE_INFINITY)}\n`)
    .join('');
}
