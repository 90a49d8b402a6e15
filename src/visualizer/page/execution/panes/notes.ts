/** What bare numbers in a machine's context mean to people. Pure. */
import { durationText, instantText } from '../../model/quantity.ts';
import type { JsonRow } from './json-rows.ts';

export interface Note {
  /** When the execution was admitted: instants are told relative to it, too. */
  readonly admitted: number;
}

const instants = /(?:Deadline|At|Since)$/;
const durations = /Ms$/;

export function noteOf({ admitted }: Note, row: Pick<JsonRow, 'key' | 'kind' | 'text'>): string {
  if (row.kind !== 'number') return '';
  const value = Number(row.text);
  if (durations.test(row.key)) return durationText(value);
  // Anything but an instant of our time is just a number.
  if (!instants.test(row.key) || value < 1e12 || value > 8.64e15) return '';
  const after = value - admitted;
  return `${instantText(value)} · ${after < 0 ? '−' : '+'}${durationText(Math.abs(after))}`;
}
