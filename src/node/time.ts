import { NodeTime } from '../actors/time/node-time.ts';
import { TimeWatch } from '../actors/time/time-watch.ts';
import type { NodeConfig } from '../config.ts';
import type { MachineClock } from '../domain/clock.ts';
import { readClockRecord, writeClockRecord } from '../stores/clock-file.ts';
import type { Store } from '../stores/store.ts';
import type { Logger } from '../telemetry/logger.ts';

/** Goes on with the time of the node's last run. It is watched until `opened` is closed. Rejects with StoreError. */
export async function openTime(
  { dataDir }: NodeConfig,
  logger: Logger,
  { clock, store }: { readonly clock: MachineClock; readonly store: Store },
  opened: AsyncDisposableStack,
): Promise<NodeTime> {
  const record = await readClockRecord(dataDir);
  const { meters } = await store.order();
  const counting = meters.filter(({ fullAt }) => record !== undefined && fullAt > record.last.time);
  const left = [await store.unfinished('', 1), await store.waitingLines(), counting];
  const anew = left.every((each) => each.length === 0);
  const time = new NodeTime(clock, record, { anew });
  const watch = new TimeWatch({
    clock,
    time,
    keep: (kept) => writeClockRecord(dataDir, kept),
    logger,
  });
  await watch.start();
  opened.defer(() => watch.stop());
  return time;
}
