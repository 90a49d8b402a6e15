/** Each instant of a schedule fires once or is accounted for, through any crash, and what was told of it stays so. */
import { toBinary, toJsonString } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import {
  type Firing,
  FiringCause,
  FiringResult,
  FiringSchema,
  ScheduleOverlap,
} from '../../../src/server/gen/spearlet/schedule_pb.js';
import type { Final, FinalSchedule, History, SchedulePlan } from '../history.ts';
import { planOf } from '../history.ts';
import { beyond } from './gates.ts';
import type { Rule } from './rule.ts';

const { FIRED, SKIPPED, MISSED, REFUSED } = FiringResult;
/** How much later than its instant something may be decided on a busy machine, beyond what its catch-up allows. */
const busyMs = 5000;

const ms = (time: Firing['at']) => (time === undefined ? Number.NaN : timestampMs(time));

/** By the name of what fired them. */
function firedBy({ finals }: History): Map<string, Final[]> {
  const found = new Map<string, Final[]>();
  for (const final of finals.values()) {
    const { schedule } = final.result;
    if (schedule !== '') found.set(schedule, [...(found.get(schedule) ?? []), final]);
  }
  return found;
}

/** A rule about each schedule that is there, with the executions that it has fired. */
function eachSchedule(
  name: string,
  check: (
    final: FinalSchedule,
    plan: SchedulePlan,
    executions: readonly Final[],
    history: History,
  ) => Iterable<string>,
): Rule {
  return {
    name,
    *check(history) {
      const fired = firedBy(history);
      for (const [schedule, final] of history.schedules) {
        const plan = history.schedulePlans.get(schedule);
        if (plan === undefined) yield `${schedule}: nobody has made it`;
        else {
          for (const what of check(final, plan, fired.get(schedule) ?? [], history))
            yield `${schedule}: ${what}`;
        }
      }
    },
  };
}

const once: Rule = {
  name: 'an instant fires once',
  *check(history: History) {
    for (const [schedule, executions] of firedBy(history)) {
      const plan = history.schedulePlans.get(schedule)?.plan;
      const ids = new Set<string>();
      for (const { result } of executions) {
        const { executionId, requestId } = result;
        if (ids.has(requestId)) yield `${schedule}: ${requestId} has more than one execution`;
        ids.add(requestId);
        if (!requestId.startsWith(`schedule/${schedule}/`)) yield `${executionId}: its id is ${requestId}`;
        if (planOf(result) !== plan) yield `${executionId} of ${schedule} is of plan ${planOf(result)}`;
      }
    }
  },
};

const told = eachSchedule('what fired is told', function* ({ schedule, firings }, _plan, executions) {
  const fired = firings.filter(({ result }) => result === FIRED);
  const left = new Map(executions.map(({ result }) => [result.executionId, result]));
  for (const { executionId, instant, sequence } of fired) {
    const result = left.get(executionId);
    left.delete(executionId);
    if (result === undefined)
      yield `firing ${sequence} has made ${executionId}, which is not there or is twice`;
    else if (ms(result.createdAt) < ms(instant)) yield `firing ${sequence} came before its instant`;
  }
  for (const executionId of left.keys()) yield `${executionId} is in none of its firings`;
  if (firings.some(({ sequence }, index) => sequence !== BigInt(index + 1)))
    yield 'numbers of its firings are missing';
  const count = (wanted: FiringResult) =>
    firings.reduce((sum, { result, count: many }) => sum + (result === wanted ? Math.max(1, many) : 0), 0);
  const counts = [schedule.fired, schedule.skipped, schedule.missed, schedule.refused].map(Number);
  const rightly = [FIRED, SKIPPED, MISSED, REFUSED].map(count);
  if (counts.join() !== rightly.join())
    yield `it counts ${counts.join(', ')} fired, skipped, missed and refused; its firings say ${rightly.join(', ')}`;
});

const accounted = eachSchedule(
  'no instant is left out',
  function* ({ schedule, firings }, plan, _executions, { pausedSchedules }) {
    const { intervalMs, catchUpMs, name, endAt } = plan;
    let last: number | undefined;
    for (const firing of firings) {
      const { instant, until, at, cause, result, count, reason } = firing;
      if (cause !== FiringCause.CLOCK) continue;
      const from = ms(instant);
      const to = result === MISSED ? from + (count - 1) * intervalMs : from;
      const gap = last === undefined ? from - ms(schedule.createdAt) : from - last;
      if (last === undefined ? gap > intervalMs : gap < intervalMs)
        yield `instant ${from} comes ${gap} ms after the one before`;
      if (last !== undefined && gap !== intervalMs && !pausedSchedules.has(name))
        yield `instants between ${last} and ${from} are left out`;
      if (ms(at) < from) yield `instant ${from} was decided before it came`;
      if (result === MISSED) {
        if (ms(until) !== to) yield `${count} instants from ${from} on are missed until ${ms(until)}`;
        if (ms(at) - to < catchUpMs) yield `instant ${to} was missed at ${ms(at)}, which is not late`;
      } else if (ms(at) - from > catchUpMs + busyMs) yield `instant ${from} was caught up with at ${ms(at)}`;
      if (result === REFUSED && !pausedSchedules.has(name)) yield `instant ${from} was refused: ${reason}`;
      last = to;
    }
    if (pausedSchedules.has(name)) return;
    // When all was to end it was paused, if it had not come to its own end.
    const over = Math.min(
      endAt - intervalMs,
      ms(schedule.pausedAt ?? undefined) - busyMs || endAt - intervalMs,
    );
    if ((last ?? ms(schedule.createdAt)) < over - intervalMs)
      yield `nothing was decided from ${last} on, until ${over}`;
  },
);

const apart = eachSchedule('firings overlap as it says', function* (_final, { overlap }, executions) {
  if (overlap === ScheduleOverlap.ALLOW) return;
  for (const { executionId, at } of beyond(executions, 1))
    yield `${executionId} began at ${at} beside another`;
});

const skips = eachSchedule('what is skipped has a reason', function* ({ firings }, { overlap }, executions) {
  for (const { sequence, result, at } of firings) {
    if (result !== SKIPPED) continue;
    if (overlap !== ScheduleOverlap.SKIP) yield `firing ${sequence} was skipped, and it skips none`;
    const under = executions.some(
      ({ result: { createdAt, completedAt } }) =>
        ms(createdAt) <= ms(at) && ms(completedAt) >= ms(at) - busyMs,
    );
    if (!under) yield `firing ${sequence} was skipped, and none of its executions was under way`;
  }
});

function bytes(firing: Firing): Buffer {
  const { execution: _, ...rest } = firing;
  return Buffer.from(toBinary(FiringSchema, rest));
}

function words({ execution: _, ...firing }: Firing): string {
  return toJsonString(FiringSchema, firing);
}

const heard = eachSchedule('what was told of a schedule', function* ({ firings }, { name }, _, history) {
  for (const each of history.told) {
    if (each.kind !== 'firings' || each.schedule !== name) continue;
    for (const firing of each.firings) {
      const same = firings.find(({ sequence }) => sequence === firing.sequence);
      if (same === undefined || !bytes(same).equals(bytes(firing)))
        yield `firing ${words(firing)} was told, and is ${same === undefined ? 'gone' : words(same)}`;
    }
  }
});

const kept: Rule = {
  name: 'a schedule is there as it was told',
  *check(history: History) {
    const { schedules, deletedSchedules, finals } = history;
    for (const each of history.told) {
      if (each.kind === 'scheduleMade') {
        const { schedule } = each;
        if (!schedules.has(schedule) && !deletedSchedules.has(schedule)) yield `${schedule} is gone`;
      } else if (each.kind === 'scheduleDeleted') {
        if (schedules.has(each.schedule)) yield `${each.schedule} was deleted, and is there`;
        for (const [executionId, { result }] of finals) {
          if (result.schedule === each.schedule && ms(result.createdAt) > each.at)
            yield `${executionId} was fired after ${each.schedule} was deleted`;
        }
      } else if (each.kind === 'refused' && each.call === 'createSchedule') {
        if (schedules.has(each.schedule ?? '')) yield `${each.schedule} was refused, and is there`;
      }
    }
  },
};

/** A newer firing of the same schedule has taken its place. */
export function wasReplaced({ result }: Final, { schedulePlans }: History): boolean {
  return schedulePlans.get(result.schedule)?.overlap === ScheduleOverlap.CANCEL_RUNNING;
}

export const scheduleRules: readonly Rule[] = [once, told, accounted, apart, skips, heard, kept];
