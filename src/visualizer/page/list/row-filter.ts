/** Which executions the reader wants to see. Pure. */
import type { Address, Span } from '../model/address.ts';
import type { ExecutionRow } from '../model/execution-row.ts';
import { type Status, statusName } from '../model/status.ts';

export interface RowFilter {
  readonly statuses: readonly Status[];
  readonly task: string;
  readonly text: string;
  readonly batch: string;
  readonly schedule: string;
  readonly code: string;
  readonly since: Span | '';
  readonly after: number;
  readonly before: number;
}

const spanMs: Readonly<Record<Span, number>> = {
  '5m': 300_000,
  '15m': 900_000,
  '1h': 3_600_000,
  '6h': 21_600_000,
  '24h': 86_400_000,
  '7d': 604_800_000,
};

export function filterOf(address: Address): RowFilter {
  const { statuses, task, text, batch, schedule, code, since, after, before } = address;
  return { statuses, task, text, batch, schedule, code, since, after, before };
}

export function isEmpty(filter: RowFilter): boolean {
  return filter.statuses.length === 0 && filter.text === '' && hasNoBounds(filter);
}

/** It wants every task, batch, schedule, error and time: the node's own counts hold for it. */
export function hasNoBounds({ task, batch, schedule, code, since, after, before }: RowFilter): boolean {
  const wantsAll = [task, batch, schedule, code, since].every((each) => each === '');
  return wantsAll && after === 0 && before === 0;
}

/** Only some of what the node lists is wanted: the page looks for it. */
export function isSearch({ text, code }: RowFilter): boolean {
  return text !== '' || code !== '';
}

export function earliest(filter: RowFilter, now: number): number {
  return filter.since === '' ? filter.after : Math.max(filter.after, now - spanMs[filter.since]);
}

/** The part of it that the node can answer, as ListExecutionsRequest has it. */
export function requestOf(filter: RowFilter, now: number): Readonly<Record<string, unknown>> {
  const after = earliest(filter, now);
  const labels = labelsIn(filter.text);
  return {
    ...(filter.task !== '' && { task: filter.task }),
    ...(filter.batch !== '' && { batchId: filter.batch }),
    ...(filter.schedule !== '' && { schedule: filter.schedule }),
    ...(filter.statuses.length > 0 && { statuses: filter.statuses.map(statusName) }),
    ...(after > 0 && { createdAfter: new Date(after).toISOString() }),
    ...(filter.before > 0 && { createdBefore: new Date(filter.before).toISOString() }),
    ...(Object.keys(labels).length > 0 && { labels }),
  };
}

/** The labels that a search asks for, whole: `label:team=data`. The node looks for them, too. */
export function labelsIn(text: string): Readonly<Record<string, string>> {
  const found = text.split(/\s+/).flatMap((word) => {
    const [, key, value] = /^label:([^=]+)=(.+)$/.exec(word) ?? [];
    return key === undefined || value === undefined ? [] : [[key, value] as const];
  });
  return Object.fromEntries(found);
}

/** What else a search asks for, which the node does not look for. */
export function searchText(text: string): string {
  const words = text.split(/\s+/).filter((word) => !/^label:([^=]+)=(.+)$/.test(word));
  return words.join(' ').trim();
}

export type RowTest = (row: ExecutionRow) => boolean;

/** The filter as a test, with statuses apart: their counts are of what the rest lets through. */
export function testOf(filter: RowFilter, now: number): { readonly status: RowTest; readonly rest: RowTest } {
  const from = earliest(filter, now);
  const { task, batch, schedule, code, before } = filter;
  const labels = Object.entries(labelsIn(filter.text));
  const hasText = textTest(filter.text);
  const wanted = new Set(filter.statuses);
  return {
    status: (row) => wanted.size === 0 || wanted.has(row.status),
    rest: (row) =>
      (task === '' || row.taskName === task || row.taskId === task) &&
      (batch === '' || row.batchId === batch) &&
      (schedule === '' || row.schedule === schedule) &&
      (code === '' || row.errorCode === code) &&
      row.createdAt >= from &&
      (before === 0 || row.createdAt < before) &&
      labels.every(([key, value]) => row.labels[key] === value) &&
      hasText(row),
  };
}

const haystacks = new WeakMap<ExecutionRow, string>();

/** Everything of a row that can be searched, in lower case. */
function haystackOf(row: ExecutionRow): string {
  const known = haystacks.get(row);
  if (known !== undefined) return known;
  const {
    id,
    taskId,
    taskName,
    functionName,
    state,
    errorCode,
    errorMessage,
    requestId,
    traceId,
    instanceId,
    rerunId,
  } = row;
  const notes = Object.entries(row.metadata).flat();
  const labels = Object.entries(row.labels).map(([key, value]) => `label:${key}=${value}`);
  const text = [
    id,
    taskId,
    taskName,
    functionName,
    state,
    errorCode,
    errorMessage,
    requestId,
    traceId,
    instanceId,
    rerunId,
    ...notes,
    ...labels,
  ]
    .join('\n')
    .toLowerCase();
  haystacks.set(row, text);
  return text;
}

/** All words have to be there; `/…/` is a regular expression, and text where it is none yet. */
function textTest(text: string): RowTest {
  const pattern = /^\/(.+)\/$/.exec(text)?.[1];
  if (pattern !== undefined) {
    try {
      const expression = new RegExp(pattern, 'im');
      return (row) => expression.test(haystackOf(row));
    } catch {
      // Someone is still typing it.
    }
  }
  const terms = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (terms.length === 0) return () => true;
  return (row) => {
    const haystack = haystackOf(row);
    return terms.every((term) => haystack.includes(term));
  };
}

/** What is wrong with the text as a regular expression; empty where nothing is. */
export function patternFault(text: string): string {
  const pattern = /^\/(.+)\/$/.exec(text)?.[1];
  if (pattern === undefined) return '';
  try {
    new RegExp(pattern);
    return '';
  } catch {
    return 'not a regular expression yet: searched as text';
  }
}
