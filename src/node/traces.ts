import { randomBytes } from 'node:crypto';
import type { NodeConfig } from '../config.ts';
import type { Clock } from '../domain/clock.ts';
import type { StoreObserver } from '../domain/node-feed.ts';
import type { TraceSampling } from '../domain/trace.ts';
import { passedOnTraces, sampledTraces } from '../domain/trace-sampling.ts';
import type { Store } from '../stores/store.ts';
import { readTraceCursor, writeTraceCursor } from '../stores/trace-cursor-file.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { TraceMetrics } from '../telemetry/metrics/trace-metrics.ts';
import { packageVersion } from '../version.ts';

export interface TraceParts {
  readonly clock: Clock;
  readonly store: Store;
  readonly nodeId: string;
  readonly metrics: TraceMetrics;
}

export interface Traces {
  readonly sampling: TraceSampling;
  /** Of the store; absent where no spans are made. */
  readonly observer?: StoreObserver;
}

/** Parts of logs that are looked at for what an earlier run has not sent. */
const mostLeft = 250_000;

/** Nothing of what makes and sends spans is loaded where there is nobody to send them to. */
export async function openTraces(
  config: NodeConfig,
  { clock, store, nodeId, metrics }: TraceParts,
  logger: Logger,
  opened: AsyncDisposableStack,
): Promise<Traces> {
  const { dataDir, otlpEndpoint: endpoint, otlpHeaders: headers, otlpServiceName, traceSample } = config;
  if (endpoint === '') return { sampling: passedOnTraces };
  const [{ TraceExporter }, { sendSpans }] = await Promise.all([
    import('../telemetry/traces/trace-exporter.ts'),
    import('../telemetry/traces/otlp-sender.ts'),
  ]);
  const next = (await store.lastPosition()) + 1;
  const position = Math.min((await readTraceCursor(dataDir)) ?? next, next);
  const left = position === next ? [] : await store.changedSince(position, mostLeft);
  if (left === undefined) {
    logger.warn({ position }, 'too much has happened since traces were sent last: some of it has none');
  }
  const begin = left === undefined ? next : position;
  // Without it, what ends before it is written first would be lost with a crash.
  await writeTraceCursor(dataDir, begin).catch(() => undefined);
  const exporter = new TraceExporter({
    ...{ clock, store, metrics, logger },
    random: Math.random,
    source: { serviceName: otlpServiceName, version: packageVersion(), nodeId },
    position: begin,
    left: left ?? [],
    send: (body, signal) => sendSpans({ endpoint, headers }, body, clock, signal),
    saveCursor: (cursor) => writeTraceCursor(dataDir, cursor),
  });
  opened.defer(() => exporter.close());
  const traceId = (): string => randomBytes(16).toString('hex');
  return {
    sampling: sampledTraces({ ratio: traceSample, random: Math.random, traceId }),
    observer: exporter,
  };
}
