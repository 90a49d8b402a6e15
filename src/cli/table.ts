import { styleText } from 'node:util';
import type { CommandOutput } from './output.ts';
import { printable } from './printable.ts';

/** Which columns give way, by their headings, where a terminal is too narrow for all of them. */
interface Fit {
  /** Left out, the first first. */
  readonly optional?: readonly string[];
  /** Cut before any is left out, and further where that was not enough. */
  readonly elastic?: readonly string[];
}

const gap = 2;
/** What an elastic cell keeps before a column is left out for it, and what is left of it when that was not enough. */
const easyWidth = 12;
const leastWidth = 8;

/**
 * Rows under a heading, written as they come: each page is aligned, and columns only ever grow. On a terminal no line
 * is wider than it but for the first cell, which stays whole.
 */
export class Table {
  readonly #out: CommandOutput;
  readonly #heading: readonly string[];
  readonly #fit: Fit;
  readonly #widths: number[];
  #isHeaded = false;

  constructor(out: CommandOutput, heading: readonly string[], fit: Fit = {}) {
    this.#out = out;
    this.#heading = heading;
    this.#fit = fit;
    this.#widths = heading.map(() => 0);
  }

  async write(given: readonly (readonly string[])[]): Promise<void> {
    const rows = given.map((row) => row.map((cell) => printable(cell)));
    const isFirst = !this.#isHeaded;
    this.#isHeaded = true;
    for (const row of isFirst ? [this.#heading, ...rows] : rows) {
      for (const [column, cell] of row.entries()) {
        this.#widths[column] = Math.max(this.#widths[column] ?? 0, cell.length);
      }
    }
    const widths = this.#out.isTerminal ? this.#fitted(rows) : this.#widths;
    const lines = rows.map((row) => lineOf(row, widths));
    if (isFirst) {
      const line = lineOf(this.#heading, widths);
      lines.unshift(this.#out.isTerminal ? styleText('bold', line) : line);
    }
    await this.#out.write(lines.map((line) => `${line}\n`).join(''));
  }

  /** The widths of the columns; 0 is one that is left out. */
  #fitted(rows: readonly (readonly string[])[]): readonly number[] {
    const { optional = [], elastic = [] } = this.#fit;
    const widths = [...this.#widths];
    const cut = elastic.map((name) => this.#heading.indexOf(name));
    for (const column of cut) widths[column] = Math.min(this.#widths[column] ?? 0, easyWidth);
    const excess = (): number => {
      const shown = widths.filter((width) => width > 0);
      return shown.reduce((sum, width) => sum + width + gap, -gap) - this.#out.columns;
    };
    const isEmpty = (column: number): boolean => rows.every((row) => (row[column] ?? '') === '');
    const places = optional.map((name) => this.#heading.indexOf(name));
    // One that says nothing goes before any that does.
    for (const column of [...places.filter(isEmpty), ...places]) {
      if (excess() > 0) widths[column] = 0;
    }
    // A narrow one may have gone before a wide one made room for it.
    for (const column of places.filter((each) => widths[each] === 0 && !isEmpty(each)).reverse()) {
      const width = this.#widths[column] ?? 0;
      if (excess() + width + gap <= 0) widths[column] = width;
    }
    for (const column of cut) {
      const width = widths[column] ?? 0;
      const least = Math.min(leastWidth, width);
      if (width > 0) widths[column] = Math.min(this.#widths[column] ?? 0, Math.max(least, width - excess()));
    }
    for (const column of [...cut, ...[...widths.keys()].reverse()].filter((each) => each > 0)) {
      const width = widths[column] ?? 0;
      const left = width - Math.max(0, excess());
      // Of a cell of one letter nothing can be read.
      if (width > 0 && left < width) widths[column] = left < 2 ? 0 : left;
    }
    return widths;
  }
}

function lineOf(row: readonly string[], widths: readonly number[]): string {
  const cells = row.flatMap((cell, column) => {
    const width = widths[column] ?? 0;
    return width === 0 ? [] : [cell.length > width ? `${cell.slice(0, width - 1)}…` : cell.padEnd(width)];
  });
  return cells.join(' '.repeat(gap)).trimEnd();
}

/** Name and value, one a line, the values under each other. */
export function account(entries: readonly (readonly [string, string])[]): string {
  const width = Math.max(...entries.map(([name]) => name.length));
  return entries
    .map(([name, value]) => `${name.padEnd(width)}  ${printable(value, Number.POSITIVE_INFINITY)}\n`)
    .join('');
}
