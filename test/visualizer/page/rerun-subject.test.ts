import { describe, expect, it } from 'vitest';
import { rerunSubject } from '../../../src/visualizer/page/list/rerun-subject.ts';
import type { RowFilter } from '../../../src/visualizer/page/list/row-filter.ts';

const now = Date.parse('2026-11-22T12:00:00Z');
const all: RowFilter = {
  ...{ statuses: [], task: '', text: '', batch: '', schedule: '', code: '' },
  ...{ since: '', after: 0, before: 0 },
};
const subject = (filter: Partial<RowFilter>, shown?: readonly string[]) =>
  rerunSubject({ ...all, ...filter }, shown, now);

describe('what is run again from the list', () => {
  it('is what its filters mean to the node', () => {
    const filter = {
      batch: 'batch_1',
      task: 'resize',
      code: 'TRAP',
      text: 'label:team=a',
      since: '5m',
    } as const;
    expect(subject({ ...filter, statuses: ['running', 'failed'] })).toEqual({
      what: 'what ended as Failed with TRAP of the task resize of the batch batch_1 with the label team=a of the last 5m',
      request: {
        filter: {
          statuses: ['EXECUTION_STATUS_FAILED'],
          task: 'resize',
          batchId: 'batch_1',
          errorCodes: ['ERROR_CODE_TRAP'],
          labels: { team: 'a' },
          createdAfter: '2026-11-22T11:55:00.000Z',
        },
      },
    });
    expect(subject({ schedule: 'nightly' })).toEqual({
      what: 'what ended as Failed and Timed out of the schedule nightly',
      request: { filter: { statuses: [], schedule: 'nightly' } },
    });
    expect(subject({ task: 'resize' })).toMatchObject({
      what: 'what ended as Failed and Timed out of the task resize',
    });
  });

  it('is named one by one where the node does not search', () => {
    expect(subject({ text: 'oom label:team=a' }, ['exec_1', 'exec_2'])).toEqual({
      what: 'the 2 listed that have ended',
      request: { executionIds: ['exec_1', 'exec_2'] },
    });
  });

  it.each<[Partial<RowFilter>, readonly string[] | undefined, RegExp]>([
    [{}, [], /Choose what is to run again/],
    [{ statuses: ['running', 'pending'] }, [], /Only what has ended/],
    [{ text: 'oom' }, undefined, /has not looked at all of them yet/],
    [{ text: 'oom' }, [], /None of these has ended/],
    [{ text: 'oom' }, Array(1001).fill('exec_1'), /1,000 again at most/],
  ])('of %j is refused with what to do', (filter, shown, refusal) => {
    expect(subject(filter, shown)).toEqual({ refusal: expect.stringMatching(refusal) });
  });
});
