import { DamagedError } from '../store.ts';

type Row = Readonly<Record<string, unknown>>;

/** The JSON in a column of a row. Throws DamagedError where it is not whole. */
export function parseRow<T>(row: Row, column: string): T {
  try {
    return JSON.parse(String(row[column])) as T;
  } catch (cause) {
    const id = row.execution_id ?? row.task_id;
    throw new DamagedError(`the ${column}${id === undefined ? '' : ` of ${String(id)}`} is damaged`, {
      cause,
    });
  }
}

/** As `parseRow` of each, without those that are damaged: one of them must not hide the others. */
export function parseRows<T>(rows: readonly Row[], column: string): T[] {
  const whole: T[] = [];
  for (const row of rows) {
    try {
      whole.push(parseRow<T>(row, column));
    } catch (error) {
      if (!(error instanceof DamagedError)) throw error;
    }
  }
  return whole;
}
