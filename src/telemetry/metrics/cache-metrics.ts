import { Counter, Gauge, type OpenMetricsContentType, type Registry } from 'prom-client';
import type { CacheSavings } from '../../domain/cache.ts';

/** Since the start of the node. */
export type CacheSource = () => CacheSavings;

/** What caches of results did. */
export function addCacheMetrics(registers: Registry<OpenMetricsContentType>[], source: CacheSource): void {
  new Counter({
    name: 'spear_cache_executions_total',
    help: 'Executions of tasks with a cache that have ended: with a result that was there (hit), with the run of an equal one (shared), or with their own (miss).',
    ...{ labelNames: ['use'], registers },
    collect() {
      const { hits, misses, shared } = source();
      this.reset();
      this.inc({ use: 'hit' }, hits);
      this.inc({ use: 'miss' }, misses);
      this.inc({ use: 'shared' }, shared);
    },
  });
  const total = (name: string, help: string, value: (savings: CacheSavings) => number): void => {
    new Counter({
      ...{ name, help, registers },
      collect() {
        this.reset();
        this.inc(value(source()));
      },
    });
  };
  total(
    'spear_cache_saved_seconds_total',
    'What executions that had the result of another would have run, by what that had.',
    ({ savedMs }) => savedMs / 1000,
  );
  total(
    'spear_cache_saved_cpu_seconds_total',
    'The same in processor time, where the runtime can tell it.',
    ({ savedCpuMs }) => savedCpuMs / 1000,
  );
  const now = (name: string, help: string, value: (savings: CacheSavings) => number): void => {
    new Gauge({
      ...{ name, help, registers },
      collect() {
        this.set(value(source()));
      },
    });
  };
  now('spear_cache_entries', 'Results that are kept.', ({ entries }) => entries);
  now('spear_cache_bytes', 'About what they take of memory.', ({ bytes }) => bytes);
}
