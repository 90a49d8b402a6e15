/** One line of the result. */
export interface Row {
  readonly what: string;
  readonly spear: string;
  /** The raw limit, taken in the same run. */
  readonly limit: string;
  readonly ratio: number;
  /** Such as `>= 0.25`; empty where none was set. */
  readonly goal: string;
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

export function printTable(rows: readonly Row[]): void {
  const cells = [
    ['what', 'spear', 'limit', 'ratio', 'goal', ''],
    ...rows.map(({ what, spear, limit, ratio, goal }) => [
      what,
      spear,
      limit,
      ratio.toFixed(2),
      goal,
      goal === '' ? '' : meets({ ratio, goal }) ? 'met' : 'MISSED',
    ]),
  ];
  const widths =
    cells[0]?.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0))) ?? [];
  for (const row of cells) {
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  }
}

/** True where the row has no goal. */
export function meets({ ratio, goal }: Pick<Row, 'ratio' | 'goal'>): boolean {
  if (goal === '') return true;
  const [sign, number] = goal.split(' ');
  return sign === '>=' ? ratio >= Number(number) : ratio <= Number(number);
}
