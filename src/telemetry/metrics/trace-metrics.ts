import { Counter, Gauge, type OpenMetricsContentType, type Registry } from 'prom-client';

/** What became of spans. All of it stays 0 where none are made. */
export class TraceMetrics {
  readonly #exported: Counter;
  readonly #dropped: Counter<'reason'>;
  #waiting = (): number => 0;

  constructor(registers: Registry<OpenMetricsContentType>[]) {
    this.#exported = new Counter({
      name: 'spear_spans_exported_total',
      help: 'Spans that their receiver has taken.',
      registers,
    });
    this.#dropped = new Counter({
      name: 'spear_spans_dropped_total',
      help: 'Spans that were not sent, because too many waited, or that their receiver has refused.',
      ...{ labelNames: ['reason'], registers },
    });
    const waiting = (): number => this.#waiting();
    new Gauge({
      name: 'spear_traces_waiting',
      help: 'Executions that have ended and whose spans are not sent yet.',
      registers,
      collect() {
        this.set(waiting());
      },
    });
  }

  exported(spans: number): void {
    this.#exported.inc(spans);
  }

  dropped(spans: number, reason: 'queue_full' | 'refused'): void {
    this.#dropped.inc({ reason }, spans);
  }

  countWaiting(count: () => number): void {
    this.#waiting = count;
  }
}
