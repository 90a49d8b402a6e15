import { stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../domain/clock.ts';
import { overriding } from '../stores/overriding.ts';
import type { Store } from '../stores/store.ts';
import type { StoreMetrics, StoreSizes } from '../telemetry/metrics/store-metrics.ts';

/** A store whose commits `metrics` hears of. */
export function measuredStore(
  kept: Store,
  clock: Pick<Clock, 'monotonic'>,
  metrics: () => Pick<StoreMetrics, 'committed' | 'failed'>,
): Store {
  return overriding(kept, {
    async commit(entries) {
      const begun = clock.monotonic();
      try {
        const results = await kept.commit(entries);
        if (entries.length > 0) metrics().committed(entries.length, (clock.monotonic() - begun) / 1000);
        return results;
      } catch (error) {
        metrics().failed();
        throw error;
      }
    },
  });
}

/** What cannot be read is left out. */
export async function storeSizes(dataDir: string): Promise<StoreSizes> {
  const sizeOf = (file: string): Promise<number | undefined> =>
    stat(join(dataDir, file)).then(
      ({ size }) => size,
      () => undefined,
    );
  const [databaseBytes, walBytes, freeBytes] = await Promise.all([
    sizeOf('spear.db'),
    sizeOf('spear.db-wal'),
    statfs(dataDir).then(
      ({ bavail, bsize }) => bavail * bsize,
      () => undefined,
    ),
  ]);
  return {
    ...(databaseBytes !== undefined && { databaseBytes }),
    ...(walBytes !== undefined && { walBytes }),
    ...(freeBytes !== undefined && { freeBytes }),
  };
}
