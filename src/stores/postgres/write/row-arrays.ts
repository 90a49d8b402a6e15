import type { SideRowChange } from '../../../domain/side-row.ts';
import { plainArray, storable, textArray } from './parameters.ts';

/** Changes of side rows as one array for each column: kinds, tenants, keys, values, instants, and what is taken away. */
export function rowArrays(changes: readonly SideRowChange[]): string[] {
  return [
    textArray(changes.map(({ kind }) => kind)),
    textArray(changes.map(({ tenant }) => tenant)),
    textArray(changes.map(({ key }) => storable(key))),
    textArray(changes.map((change) => ('deleted' in change ? null : change.value))),
    plainArray(changes.map((change) => ('deleted' in change ? null : (change.dueAt ?? null)))),
    plainArray(changes.map((change) => 'deleted' in change)),
  ];
}
