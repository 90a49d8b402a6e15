/** Schedules as they are now. They are no news of the feed: whoever looks at them asks about once a second. */
import { seconds } from '../clock.ts';
import { type Asking, askAgain } from '../feed/asking.ts';
import type { Call } from '../feed/call.ts';
import { instantOf } from '../model/scalar.ts';
import { isEnded } from '../model/status.ts';
import type { FiringJson, ListSchedulesResponseJson, ScheduleJson } from '../wire.ts';
import { type Firing, firingOf, type Schedule, scheduleOf } from './schedule.ts';

export interface ScheduleList {
  readonly schedules: readonly Schedule[];
  /** Of the page after it; empty at the end. */
  readonly nextToken: string;
}

export interface ScheduleSeen {
  readonly schedule: Schedule;
  /** The newest first. */
  readonly firings: readonly Firing[];
  /** As they would come if it were not paused. */
  readonly upcoming: readonly number[];
}

const everyMs = 900;
/** What a page of the list has. */
const pageSize = 100;
const shownUpcoming = 5;

/** One page of the list. */
export function watchSchedules(call: Call, pageToken: string): Asking<ScheduleList> {
  return askAgain(everyMs, async (_before, signal) => {
    const request = { pageSize, pageToken };
    const answer = await call<ListSchedulesResponseJson>('ScheduleService/ListSchedules', request, {
      signal,
    });
    return { schedules: answer.schedules.map(scheduleOf), nextToken: answer.nextPageToken };
  });
}

/** One schedule, with what comes and what has been where that may have changed. */
export function watchSchedule(call: Call, name: string): Asking<ScheduleSeen> {
  return askAgain(everyMs, async (before, signal) => {
    const options = { signal };
    const answer = await call<{ readonly schedule: ScheduleJson }>(
      'ScheduleService/GetSchedule',
      { name },
      options,
    );
    const schedule = scheduleOf(answer.schedule);
    const known = before?.schedule;
    const hasNews =
      known?.last?.sequence !== schedule.last?.sequence ||
      before?.firings.some(({ execution }) => execution !== undefined && !isEnded(execution.status));
    const comesOtherwise =
      known?.revision !== schedule.revision ||
      known.createdAt !== schedule.createdAt ||
      known.next !== schedule.next ||
      (before?.upcoming[0] ?? Number.POSITIVE_INFINITY) <= seconds.peek();
    const firings =
      before === undefined || hasNews
        ? call<{ readonly firings: readonly FiringJson[] }>('ScheduleService/ListFirings', { name }, options)
        : undefined;
    const upcoming =
      before === undefined || comesOtherwise
        ? call<{ readonly instants: readonly string[] }>(
            'ScheduleService/ListUpcomingFirings',
            { name, limit: shownUpcoming },
            options,
          )
        : undefined;
    const [told, coming] = await Promise.all([firings, upcoming]);
    return {
      schedule,
      firings: told?.firings.map(firingOf) ?? before?.firings ?? [],
      upcoming: coming?.instants.map((text) => instantOf(text) ?? 0) ?? before?.upcoming ?? [],
    };
  });
}
