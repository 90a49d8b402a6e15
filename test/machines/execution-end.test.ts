import { describe, expect, test } from 'vitest';
import {
  alarm,
  begin,
  cancel,
  completed,
  detach,
  dispatch,
  limit,
  lost,
  paused,
  restored,
  resume,
  type Step,
  send,
  suspend,
  t0,
  totalDeadline,
  trapped,
} from './chart.ts';

describe('a final state', () => {
  const ends: readonly Step[] = [
    send(begin(), dispatch(t0), completed(t0 + 1)),
    send(begin(), dispatch(t0), trapped(t0 + 1)),
    send(begin(), alarm(totalDeadline)),
    send(begin(), cancel(t0)),
  ];

  test.each(ends.map((end) => [end.state, end] as const))('%s: nothing changes it any more', (_, end) => {
    for (const event of [
      dispatch(t0 + 2),
      alarm(totalDeadline + 1),
      completed(t0 + 2),
      trapped(t0 + 2),
      limit(t0 + 2),
      cancel(t0 + 2),
      detach(t0 + 2),
      suspend(t0 + 2),
      resume(t0 + 2),
      paused(t0 + 2),
      lost(t0 + 2),
      restored(t0 + 2, t0 + 1),
    ]) {
      const after = send(end, event);
      expect(after.snapshot).toBe(end.snapshot);
      expect(after.effects).toEqual([]);
    }
  });
});
