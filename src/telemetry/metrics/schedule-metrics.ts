import { Counter, Gauge, Histogram, type OpenMetricsContentType, type Registry } from 'prom-client';
import type { Firing } from '../../domain/schedule/schedule.ts';

/** What becomes of the firings of schedules. */
export class ScheduleMetrics {
  readonly #firings: Counter<'result' | 'cause'>;
  readonly #lateness: Histogram;
  #size = (): number => 0;

  constructor(registers: Registry<OpenMetricsContentType>[]) {
    this.#firings = new Counter({
      name: 'spear_schedule_firings_total',
      help: 'Firings of schedules, by what became of them: fired, skipped, missed, refused or repeated.',
      ...{ labelNames: ['result', 'cause'], registers },
    });
    this.#lateness = new Histogram({
      name: 'spear_schedule_lag_seconds',
      help: 'How much later than they were due firings by the clock were admitted.',
      buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 30, 60, 300, 3600],
      registers,
    });
    const size = (): number => this.#size();
    new Gauge({
      name: 'spear_schedules',
      help: 'Schedules of the node.',
      registers,
      collect() {
        this.set(size());
      },
    });
  }

  /** `size` says how many schedules there are. */
  countSchedules(size: () => number): void {
    this.#size = size;
  }

  decided(_schedule: unknown, firing: ScheduledFiring, lateMs: number): void {
    const { result, cause, missed } = firing;
    this.#firings.inc({ result, cause }, missed?.count ?? 1);
    if (result === 'fired' && cause === 'clock') this.#lateness.observe(lateMs / 1000);
  }
}

type ScheduledFiring = Pick<Firing, 'result' | 'cause' | 'missed'>;
