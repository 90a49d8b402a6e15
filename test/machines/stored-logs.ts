import { readFileSync } from 'node:fs';
import type { NewEvent } from '../../src/domain/event.ts';
import type { ExecutionRecord } from '../../src/domain/execution.ts';

export interface StoredLog {
  /** What was going on in it. */
  readonly name: string;
  readonly record: ExecutionRecord;
  readonly events: readonly (NewEvent & { readonly kind: 'transition' })[];
}

/**
 * Unfinished executions as nodes with that version of the chart have stored them. They were written by such a node and
 * are never edited.
 */
export function storedLogs(version: 1): readonly StoredLog[] {
  return JSON.parse(readFileSync(new URL(`./version-${version}.json`, import.meta.url), 'utf8'));
}
