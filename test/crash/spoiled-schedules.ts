/** Forged histories in which something is wrong with a schedule. */
import {
  type Firing,
  FiringResult,
  type Schedule,
  ScheduleOverlap,
} from '../../src/server/gen/spearlet/schedule_pb.js';
import type { Forged } from './forged.ts';
import { early, everySecond, late } from './forged-schedule.ts';
import { at, createdAt, final, type Spoil, setResult } from './spoiling.ts';

function firings(history: Forged): Firing[] {
  return (history.schedules.get(everySecond)?.firings ?? []) as Firing[];
}

function schedule(history: Forged): Schedule {
  const found = history.schedules.get(everySecond)?.schedule;
  if (found === undefined) throw new Error('no schedule');
  return found;
}

const change = (history: Forged, index: number, by: Partial<Firing>) =>
  Object.assign(firings(history)[index] ?? {}, by);

export const spoiledSchedules: readonly Spoil[] = [
  [
    'an instant fires once',
    'one instant has two executions',
    (h) => setResult(h, late, { requestId: final(h, early).result.requestId }),
  ],
  [
    'an instant fires once',
    'a firing has the id of another',
    (h) => setResult(h, late, { requestId: 'schedule/other/2026-01-01T00:00:00Z' }),
  ],
  [
    'an instant fires once',
    'a firing calls something else',
    (h) => setResult(h, late, { metadata: { plan: '1' } }),
  ],
  ['what fired is told', 'what was fired is not there', ({ finals }) => finals.delete(late)],
  ['what fired is told', 'what was fired is told twice', (h) => change(h, 1, { executionId: early })],
  ['what fired is told', 'what was fired is not told', (h) => void firings(h).splice(1, 1)],
  ['what fired is told', 'it fired before its instant', (h) => setResult(h, late, { createdAt: at(900) })],
  ['what fired is told', 'a firing is not counted', (h) => Object.assign(schedule(h), { fired: 1n })],
  ['no instant is left out', 'an instant is left out', (h) => change(h, 1, { instant: at(1500) })],
  [
    'no instant is left out',
    'its first instant comes late',
    (h) => Object.assign(schedule(h), { createdAt: at(-1500) }),
  ],
  ['no instant is left out', 'it stopped', (h) => void firings(h).splice(1, 2)],
  [
    'no instant is left out',
    'an instant was missed that was not late',
    (h) => change(h, 2, { result: FiringResult.MISSED, count: 1, until: at(2000) }),
  ],
  [
    'no instant is left out',
    'an instant was caught up with that was missed',
    (h) => change(h, 2, { at: at(20_000) }),
  ],
  ['no instant is left out', 'an instant was refused', (h) => change(h, 2, { result: FiringResult.REFUSED })],
  [
    'firings overlap as it says',
    'one ran beside another',
    (h) => {
      const end = final(h, early).log.at(-1);
      if (end !== undefined) end.time = at(1500);
    },
  ],
  [
    'what is skipped has a reason',
    'one was skipped while nothing ran',
    (h) => change(h, 2, { at: at(9000) }),
  ],
  [
    'what is skipped has a reason',
    'one was skipped of a schedule that skips none',
    (h) => {
      const plan = h.schedulePlans.get(everySecond);
      if (plan !== undefined) Object.assign(plan, { overlap: ScheduleOverlap.QUEUE });
    },
  ],
  [
    'what was told of a schedule',
    'a firing that was told is another',
    (h) => change(h, 0, { executionId: late }),
  ],
  ['a schedule is there as it was told', 'it is gone', ({ schedules }) => schedules.delete(everySecond)],
  [
    'a schedule is there as it was told',
    'it was deleted and is there',
    (h) => h.told.push({ kind: 'scheduleDeleted', schedule: everySecond, at: createdAt + 5000 }),
  ],
  [
    'a schedule is there as it was told',
    'it fired after it was deleted',
    (h) => {
      h.schedules.delete(everySecond);
      h.deletedSchedules.add(everySecond);
      h.told.push({ kind: 'scheduleDeleted', schedule: everySecond, at: createdAt + 500 });
    },
  ],
  [
    'a schedule is there as it was told',
    'it was refused and is there',
    (h) =>
      h.told.push({
        ...{ kind: 'refused', call: 'createSchedule', schedule: everySecond },
        ...{ code: 'UNAVAILABLE', reason: 'DRAINING', message: '' },
      }),
  ],
];
