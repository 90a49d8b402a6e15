import { Counter, Gauge, Histogram, type OpenMetricsContentType, type Registry } from 'prom-client';
import { commitSeconds } from './buckets.ts';

/** What the store takes on its disk, in bytes; absent where it cannot be read. */
export interface StoreSizes {
  readonly databaseBytes?: number;
  readonly walBytes?: number;
  /** What the disk has left for the node. */
  readonly freeBytes?: number;
}

export interface StoreSource {
  sizes(): Promise<StoreSizes>;
  /** It can be written. */
  isHealthy(): boolean;
  /** So little of the disk is free that nothing new is taken. */
  isLowOnSpace(): boolean;
}

/** Commits as they are made, and the files as they are when somebody looks. */
export class StoreMetrics {
  readonly #seconds: Histogram;
  readonly #executions: Counter;
  readonly #failures: Counter;

  constructor(registers: Registry<OpenMetricsContentType>[], source: StoreSource) {
    this.#seconds = new Histogram({
      name: 'spear_commit_seconds',
      help: 'How long commits of executions took, from the order until they were durable.',
      ...{ buckets: commitSeconds, registers },
    });
    this.#executions = new Counter({
      name: 'spear_commit_executions_total',
      help: 'Executions that commits had something new of.',
      registers,
    });
    this.#failures = new Counter({
      name: 'spear_commit_failures_total',
      help: 'Commits that the disk did not take.',
      registers,
    });
    new Gauge({
      name: 'spear_store_bytes',
      help: 'Size of the files of the database.',
      ...{ labelNames: ['file'], registers },
      async collect() {
        const { databaseBytes, walBytes } = await source.sizes();
        if (databaseBytes !== undefined) this.set({ file: 'database' }, databaseBytes);
        if (walBytes !== undefined) this.set({ file: 'wal' }, walBytes);
      },
    });
    new Gauge({
      name: 'spear_disk_free_bytes',
      help: 'What the disk of the data folder has left.',
      registers,
      async collect() {
        const { freeBytes } = await source.sizes();
        if (freeBytes !== undefined) this.set(freeBytes);
      },
    });
    new Gauge({
      name: 'spear_store_healthy',
      help: '1 while the store can be written.',
      registers,
      collect() {
        this.set(source.isHealthy() ? 1 : 0);
      },
    });
    new Gauge({
      name: 'spear_store_low_space',
      help: '1 while so little of the disk is free that nothing new is taken.',
      registers,
      collect() {
        this.set(source.isLowOnSpace() ? 1 : 0);
      },
    });
  }

  /** Without entries a commit asks a disk that failed whether it works again. */
  committed(executions: number, seconds: number): void {
    this.#seconds.observe(seconds);
    this.#executions.inc(executions);
  }

  failed(): void {
    this.#failures.inc();
  }
}
