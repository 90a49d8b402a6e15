/**
 * The address of a view: everything that the reader chose, so that it can be sent to someone else. Pure.
 *
 * `/?status=failed,timedOut&task=resize&since=1h&q=oom` is the list, `/?execution=exec_…&at=57` one execution at its
 * event 57 (over the same list), `/?view=tree` the tree, `/?view=queue` who waits, `/?view=batches` the batches and
 * `/?view=batches&batch=batch_…` one of them, `/?view=tasks` the tasks and `/?view=tasks&task=resize` one of them,
 * `/?view=schedules` the schedules and `/?view=schedules&schedule=nightly` one of them. `/?batch=batch_…` lists the
 * members of a batch, and `/?schedule=nightly` what a schedule has fired.
 */
import { isStatus, type Status, statuses } from './status.ts';

/** The tenant of an address that is of all of them. */
export const allTenants = '*';

/** How far back the list looks; empty is all of it. */
export const spans = ['5m', '15m', '1h', '6h', '24h', '7d'] as const;
export type Span = (typeof spans)[number];

const views = ['list', 'tree', 'queue', 'batches', 'tasks', 'schedules'] as const;
export type View = (typeof views)[number];

export interface Address {
  /** Whose executions and tasks it is of: a name, `*` for all, or empty for where the reader is at home. */
  readonly tenant: string;
  readonly view: View;
  /** None means all. */
  readonly statuses: readonly Status[];
  /** Name or id; empty means all. */
  readonly task: string;
  readonly text: string;
  /** Id of a batch: its members, or in the view of batches that one; empty means none. */
  readonly batch: string;
  /** Of an error, such as `FUNCTION_EXIT`; empty means any. */
  readonly code: string;
  /** Layers of a batch whose members are listed, from 1, such as `2` or `3-9`; empty means all. */
  readonly layers: string;
  /** Layers of a batch that its graph shows; empty means all. */
  readonly zoom: string;
  /** Name of a schedule: what it has fired, or in the view of schedules that one; empty means none. */
  readonly schedule: string;
  readonly since: Span | '';
  /** Instants that bound the list instead of `since`; 0 where there is none. */
  readonly after: number;
  readonly before: number;
  /** The selected row; empty where there is none. */
  readonly selected: string;
  /** The execution that is open; empty where none is. */
  readonly execution: string;
  readonly at: number | undefined;
}

export const home: Address = {
  tenant: '',
  view: 'list',
  statuses: [],
  task: '',
  text: '',
  batch: '',
  code: '',
  layers: '',
  zoom: '',
  schedule: '',
  since: '',
  after: 0,
  before: 0,
  selected: '',
  execution: '',
  at: undefined,
};

export interface Layers {
  /** From 1. */
  readonly first: number;
  readonly last: number;
}

/** Of `3-9` or `2`; undefined where the text names none. */
export function layersOf(text: string): Layers | undefined {
  const [, from, to = from] = /^([1-9]\d{0,8})(?:-([1-9]\d{0,8}))?$/.exec(text) ?? [];
  const [first, last] = [Number(from), Number(to)];
  return last >= first ? { first, last } : undefined;
}

export function layersText({ first, last }: Layers): string {
  return first === last ? String(first) : `${first}-${last}`;
}

/** Whether a node can have an execution of this id; it refuses to look for any other. */
export function isExecutionId(text: string): boolean {
  return /^exec_[0-9a-z]{26}$/.test(text);
}

export function parseAddress(query: string): Address {
  const fields = new URLSearchParams(query);
  const wanted = (fields.get('status') ?? '').split(',').filter(isStatus);
  const since = spans.find((span) => span === fields.get('since'));
  const at = Number(fields.get('at') ?? Number.NaN);
  return {
    tenant: fields.get('tenant') ?? '',
    view: views.find((view) => view === fields.get('view')) ?? 'list',
    statuses: statuses.filter((status) => wanted.includes(status)),
    task: fields.get('task') ?? '',
    text: fields.get('q') ?? '',
    batch: fields.get('batch') ?? '',
    code: fields.get('code') ?? '',
    layers: layers(fields.get('layers')),
    zoom: layers(fields.get('zoom')),
    schedule: fields.get('schedule') ?? '',
    since: since ?? '',
    after: instant(fields.get('after')),
    before: instant(fields.get('before')),
    selected: fields.get('row') ?? '',
    execution: fields.get('execution') ?? '',
    at: Number.isSafeInteger(at) && at > 0 ? at : undefined,
  };
}

/** The address as the bar shows it, always the same one for the same view. */
export function formatAddress(address: Address): string {
  const fields = new URLSearchParams();
  if (address.tenant !== '') fields.set('tenant', address.tenant);
  if (address.view !== 'list') fields.set('view', address.view);
  if (address.statuses.length > 0) fields.set('status', address.statuses.join(','));
  if (address.task !== '') fields.set('task', address.task);
  if (address.batch !== '') fields.set('batch', address.batch);
  if (address.code !== '') fields.set('code', address.code);
  if (address.layers !== '') fields.set('layers', address.layers);
  if (address.zoom !== '') fields.set('zoom', address.zoom);
  if (address.text !== '') fields.set('q', address.text);
  if (address.schedule !== '') fields.set('schedule', address.schedule);
  if (address.since !== '') fields.set('since', address.since);
  if (address.after > 0) fields.set('after', new Date(address.after).toISOString());
  if (address.before > 0) fields.set('before', new Date(address.before).toISOString());
  if (address.selected !== '' && address.execution === '') fields.set('row', address.selected);
  if (address.execution !== '') fields.set('execution', address.execution);
  if (address.execution !== '' && address.at !== undefined) fields.set('at', String(address.at));
  const query = fields.toString().replaceAll('%2C', ',').replaceAll('%3A', ':');
  return query === '' ? '/' : `/?${query}`;
}

/** Where a change leads from a view. */
export function addressOf(change: Partial<Address>, from: Address = home): string {
  return formatAddress({ ...from, ...change });
}

function layers(text: string | null): string {
  return layersOf(text ?? '') === undefined ? '' : (text ?? '');
}

function instant(text: string | null): number {
  const value = Date.parse(text ?? '');
  return Number.isNaN(value) ? 0 : value;
}
