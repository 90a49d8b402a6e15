import { Counter, Gauge, type OpenMetricsContentType, type Registry } from 'prom-client';
import type { DeliveryCounts } from '../../domain/webhook.ts';

export type WebhookSource = () => DeliveryCounts;

/** What became of what others were to be told. */
export function addWebhookMetrics(
  registers: Registry<OpenMetricsContentType>[],
  source: WebhookSource,
): void {
  new Counter({
    name: 'spear_webhook_attempts_total',
    help: 'Tries to tell a webhook of an end, by what came of them.',
    ...{ labelNames: ['outcome'], registers },
    collect() {
      const { delivered, failed } = source();
      this.reset();
      this.inc({ outcome: 'delivered' }, delivered);
      this.inc({ outcome: 'failed' }, failed);
    },
  });
  new Counter({
    name: 'spear_webhook_dead_total',
    help: 'Deliveries that were given up.',
    registers,
    collect() {
      this.reset();
      this.inc(source().dead);
    },
  });
  new Gauge({
    name: 'spear_webhook_waiting',
    help: 'Deliveries that are to be made soon, or are under way.',
    registers,
    collect() {
      this.set(source().waiting);
    },
  });
  new Gauge({
    name: 'spear_webhook_lag_seconds',
    help: 'Since when the oldest delivery that could be made waits.',
    registers,
    collect() {
      this.set(source().lagMs / 1000);
    },
  });
}
