import type { Clock } from '../domain/clock.ts';
import { Durations } from '../domain/durations.ts';
import { readDurations, writeDurations } from '../stores/durations-file.ts';
import type { Logger } from '../telemetry/logger.ts';

/** What a crash may take of what was learned. */
const writeEveryMs = 10_000;

/** What is known of how long functions take: from the last run of the node, and for the next one. Never rejects. */
export async function openDurations(
  dataDir: string,
  clock: Clock,
  logger: Logger,
  opened: AsyncDisposableStack,
): Promise<Durations> {
  const durations = new Durations(
    await readDurations(dataDir).catch((error: unknown) => {
      logger.warn({ err: error }, 'how long functions took is not known any more; it is learned anew');
      return [];
    }),
  );
  let written = durations.version;
  let last: Promise<void> = Promise.resolve();
  const write = (): Promise<void> => {
    last = last.then(async () => {
      const { version } = durations;
      if (version === written) return;
      // A disk that is full has better use for its room; it is tried again with what is learned next.
      await writeDurations(dataDir, durations.stored()).catch(() => undefined);
      written = version;
    });
    return last;
  };
  const again = (): void => {
    timer = clock.setTimer(writeEveryMs, again);
    void write();
  };
  let timer = clock.setTimer(writeEveryMs, again);
  opened.defer(() => {
    timer.cancel();
    return write();
  });
  return durations;
}
