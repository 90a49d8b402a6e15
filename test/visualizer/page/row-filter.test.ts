import { describe, expect, it } from 'vitest';
import {
  isEmpty,
  patternFault,
  type RowFilter,
  requestOf,
  testOf,
} from '../../../src/visualizer/page/list/row-filter.ts';
import { type ExecutionRow, rowOf } from '../../../src/visualizer/page/model/execution-row.ts';
import { execution } from './made-executions.ts';

const now = Date.parse('2026-11-22T12:00:00Z');
const all: RowFilter = {
  ...{ statuses: [], task: '', text: '', batch: '', schedule: '', code: '' },
  ...{ since: '', after: 0, before: 0 },
};
const row = (change: Partial<ExecutionRow> = {}): ExecutionRow => ({
  ...rowOf(execution(now - 1000, 1)),
  ...change,
});

function matches(filter: Partial<RowFilter>, of: ExecutionRow): boolean {
  const { status, rest } = testOf({ ...all, ...filter }, now);
  return status(of) && rest(of);
}

describe('the filter of the list', () => {
  it('lets all through where nothing is wanted', () => {
    expect(isEmpty(all)).toBe(true);
    expect(matches({}, row())).toBe(true);
  });

  it('knows a task by its name and by its id', () => {
    const of = row({ taskName: 'resize', taskId: 'task_1' });
    expect(matches({ task: 'resize' }, of)).toBe(true);
    expect(matches({ task: 'task_1' }, of)).toBe(true);
    expect(matches({ task: 'resi' }, of)).toBe(false);
  });

  it('knows the batch and the error of an execution', () => {
    const of = row({ batchId: 'batch_1', errorCode: 'FUNCTION_EXIT' });
    expect(matches({ batch: 'batch_1', code: 'FUNCTION_EXIT' }, of)).toBe(true);
    expect(matches({ batch: 'batch_2' }, of)).toBe(false);
    expect(matches({ code: 'TRAP' }, of)).toBe(false);
    expect(requestOf({ ...all, batch: 'batch_1', code: 'TRAP' }, now)).toEqual({ batchId: 'batch_1' });
  });

  it('knows the schedule that has fired an execution', () => {
    expect(matches({ schedule: 'nightly' }, row({ schedule: 'nightly' }))).toBe(true);
    expect(matches({ schedule: 'nightly' }, row({ schedule: '' }))).toBe(false);
    expect(isEmpty({ ...all, schedule: 'nightly' })).toBe(false);
    expect(requestOf({ ...all, schedule: 'nightly' }, now)).toEqual({ schedule: 'nightly' });
  });

  it('looks back as far as was asked, and between two instants', () => {
    expect(matches({ since: '5m' }, row({ createdAt: now - 299_000 }))).toBe(true);
    expect(matches({ since: '5m' }, row({ createdAt: now - 301_000 }))).toBe(false);
    expect(matches({ after: now - 10, before: now }, row({ createdAt: now }))).toBe(false);
    expect(matches({ after: now - 10, before: now }, row({ createdAt: now - 10 }))).toBe(true);
  });

  it('searches everything that a reader may remember, all words of it', () => {
    const of = row({
      errorCode: 'MEMORY_LIMIT',
      errorMessage: 'Out of memory',
      metadata: { ticket: 'OPS-7' },
    });
    expect(matches({ text: 'memory ops-7' }, of)).toBe(true);
    expect(matches({ text: of.id.slice(-6) }, of)).toBe(true);
    expect(matches({ text: 'memory ops-8' }, of)).toBe(false);
  });

  it('asks the node for a label that the search names whole, and shows what has it', () => {
    const text = 'label:team=data oom';
    expect(requestOf({ ...all, text }, now)).toEqual({ labels: { team: 'data' } });
    expect(requestOf({ ...all, text: 'label:team= team=data' }, now)).toEqual({});
    const of = row({ labels: { team: 'data' }, errorMessage: 'OOM' });
    expect(matches({ text }, of)).toBe(true);
    expect(matches({ text }, row({ labels: { team: 'data2' }, errorMessage: 'OOM' }))).toBe(false);
    expect(matches({ text: 'label:team' }, of)).toBe(true);
  });

  it('takes a regular expression between slashes, and text while it is none yet', () => {
    const of = row({ errorMessage: 'exit code 137' });
    expect(matches({ text: '/code (1|2)37$/' }, of)).toBe(true);
    expect(matches({ text: '/code ((/' }, of)).toBe(false);
    expect(patternFault('/code ((/')).not.toBe('');
    expect(patternFault('/code/')).toBe('');
  });

  it('asks the node for what the node can answer', () => {
    const request = requestOf({ ...all, statuses: ['failed'], task: 'resize', text: 'x', since: '1h' }, now);
    expect(request).toEqual({
      task: 'resize',
      statuses: ['EXECUTION_STATUS_FAILED'],
      createdAfter: '2026-11-22T11:00:00.000Z',
    });
  });
});
