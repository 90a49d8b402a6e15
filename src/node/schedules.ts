import type { Supervisor } from '../actors/executions/supervisor.ts';
import type { FiringListener } from '../actors/schedules/firings.ts';
import { ScheduleBook } from '../actors/schedules/schedule-book.ts';
import type { NodeConfig } from '../config.ts';
import type { Clock } from '../domain/clock.ts';
import type { Duty } from '../domain/duty.ts';
import type { SharedTurns } from '../domain/shared-turns.ts';
import type { Tasks } from '../domain/tasks.ts';
import type { TraceSampling } from '../domain/trace.ts';
import { payloadDigest } from '../server/payload.ts';
import type { Store } from '../stores/store.ts';
import type { Logger } from '../telemetry/logger.ts';

interface Parts {
  readonly clock: Clock;
  readonly store: Store;
  readonly supervisor: Supervisor;
  readonly tasks: Tasks;
  readonly traces: TraceSampling;
  readonly listener: FiringListener;
  readonly duty: Duty;
  readonly turns: SharedTurns;
}

/** The schedules of a node; they fire once they are started. */
export function openSchedules(
  { defaultTotalMs }: NodeConfig,
  { clock, store, supervisor, tasks, traces, listener, duty, turns }: Parts,
  logger: Logger,
): ScheduleBook {
  return new ScheduleBook({
    ...{ clock, store, tasks, defaultTotalMs, duty, turns },
    zoneRules: process.versions.tz ?? '',
    listener: {
      decided(schedule, firing, lateMs) {
        listener.decided(schedule, firing, lateMs);
        if (firing.result !== 'refused' && firing.result !== 'missed') return;
        const { result, instant, reason, message, missed } = firing;
        logger.warn(
          {
            ...{ schedule: schedule.rules.name, tenant: schedule.tenant, result },
            ...{ instant: new Date(instant).toISOString(), reason, error: message, missed: missed?.count },
          },
          `a firing of a schedule was ${result}`,
        );
      },
    },
    admit: (request) => supervisor.admit(request),
    digestOf: payloadDigest,
    checkOpen: () => supervisor.checkOpen(),
    trace: () => traces.traceFor(undefined),
    record: (executionId) => supervisor.record(executionId),
    bug: (error, schedule) =>
      logger.error({ err: error, schedule }, 'bug: a schedule could not be looked at'),
  });
}
