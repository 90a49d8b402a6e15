/**
 * Sends the spans of executions that have ended, as their ends become durable.
 *
 *     committed() ─► spans, made of the log ─► waiting (bounded) ─► batches, one at a time ─► receiver
 *     of an earlier run ───────────────────────┘                         └► cursor ─► file
 *
 * - Nothing here waits for a commit, and no commit waits for this (I5). What waits is kept as text, which is small, and
 *   beyond 16 MiB of it as ids, of which the spans are made of the store again. What finds no room is dropped and counted.
 * - The cursor is the position before which the receiver has everything. It is moved on after the receiver has taken
 *   what was before it: a run that begins with it may send spans again, with the same ids, and leaves out none.
 * - A receiver that does not answer is tried again for as long as it takes; what it refuses is dropped and counted.
 */
import type { Clock, Timer } from '../../domain/clock.ts';
import type { NewEvent } from '../../domain/event.ts';
import { type ExecutionRecord, isTerminal } from '../../domain/execution.ts';
import type { StoreObserver } from '../../domain/node-feed.ts';
import type { Logger } from '../logger.ts';
import type { TraceMetrics } from '../metrics/trace-metrics.ts';
import type { EndedLog } from './execution-spans.ts';
import { exportRequest, type TraceSource } from './otlp.ts';
import type { Sent } from './otlp-sender.ts';
import { type Spans, WaitingSpans, wholeLog, writtenSpans } from './waiting-spans.ts';

export interface TraceExporterOptions {
  readonly clock: Clock;
  /** 0 to 1; spreads retries. */
  readonly random: () => number;
  readonly store: {
    execution(executionId: string): Promise<ExecutionRecord | undefined>;
    outline(executionId: string): Promise<EndedLog>;
  };
  readonly source: TraceSource;
  readonly metrics: TraceMetrics;
  readonly logger: Logger;
  /** Where the cursor stands, … */
  readonly position: number;
  /** … and the executions that had an event since, of an earlier run of the node. */
  readonly left: readonly string[];
  /** Never rejects. */
  send(body: string, signal: AbortSignal): Promise<Sent>;
  saveCursor(position: number): Promise<void>;
}

/** Executions of one request, … */
const mostInBatch = 256;
/** … and characters of their spans, after which none is added. */
const mostInRequest = 1024 * 1024;
/** How long the first of a batch waits for more. */
const gatherMs = 500;
const saveEveryMs = 1000;
/** While nothing is traced only what a start looks through becomes less. */
const saveIdleEveryMs = 30_000;
const leastPauseMs = 1000;
const longestPauseMs = 30_000;
/** What a stop waits for the last ones; they are sent by the next run otherwise. */
const lastMs = 2000;

interface Batch {
  readonly spans: readonly Spans[];
  /** How many of those that wait are in it. */
  readonly left: number;
  readonly live: number;
}

export class TraceExporter implements StoreObserver {
  readonly #options: TraceExporterOptions;
  readonly #left: string[];
  /** Those of `left` that have ended in this run: they are among the others. */
  readonly #endedHere = new Set<string>();
  readonly #waiting: WaitingSpans;
  readonly #stop = new AbortController();
  /** The last position that was heard of. */
  #heard: number;
  #saved: number;
  #gathering: Timer | undefined;
  #saving: { readonly ms: number; readonly timer: Timer } | undefined;
  #sending: Promise<void> | undefined;
  #pause: { readonly timer: Timer; end(): void } | undefined;
  #failing = false;
  #closing = false;

  constructor(options: TraceExporterOptions) {
    this.#options = options;
    this.#left = [...options.left];
    this.#heard = options.position - 1;
    this.#saved = options.position;
    this.#waiting = new WaitingSpans(options.clock, () => this.#gather());
    options.metrics.countWaiting(() => this.#left.length + this.#waiting.size);
    if (this.#left.length > 0) this.#gather();
  }

  committed(record: ExecutionRecord, events: readonly NewEvent[], position: number): void {
    const last = events.at(-1);
    if (last === undefined) return;
    const { trace } = record;
    const at = position + events.length - 1;
    this.#heard = Math.max(this.#heard, at);
    this.#saveIn(saveIdleEveryMs);
    if (last.kind !== 'result' || trace?.spans !== true || !endedHere(record)) return;
    this.#saveIn(saveEveryMs);
    if (this.#waiting.isFull) {
      this.#options.metrics.dropped(spansLikely(record), 'queue_full');
      return;
    }
    if (this.#left.length > 0) this.#endedHere.add(record.executionId);
    this.#waiting.add({ record, trace, log: wholeLog(events), position: at });
  }

  /** Sends what it can in a moment, and leaves the rest to the next run of the node. */
  async close(): Promise<void> {
    const { clock } = this.#options;
    this.#closing = true;
    this.#gathering?.cancel();
    this.#saving?.timer.cancel();
    this.#waiting.write();
    const over = new Promise<void>((resolve) => clock.setTimer(lastMs, resolve));
    if (!this.#failing) await Promise.race([this.#sendAll(), over]);
    this.#stop.abort();
    this.#pause?.end();
    await this.#sending;
    await this.#save();
  }

  /** Everything before it has been taken, or is never to be sent. */
  get #cursor(): number {
    if (this.#left.length > 0) return this.#options.position;
    return this.#waiting.position ?? this.#heard + 1;
  }

  #saveIn(ms: number): void {
    if (this.#saving !== undefined && this.#saving.ms <= ms) return;
    this.#saving?.timer.cancel();
    this.#saving = { ms, timer: this.#options.clock.setTimer(ms, () => void this.#save()) };
  }

  #gather(): void {
    if (this.#closing || this.#sending !== undefined) return;
    if (this.#waiting.written >= mostInBatch) void this.#sendAll();
    else this.#gathering ??= this.#options.clock.setTimer(gatherMs, () => void this.#sendAll());
  }

  /** All that wait now; what comes meanwhile is gathered again. Never rejects. */
  #sendAll(): Promise<void> {
    this.#gathering?.cancel();
    this.#gathering = undefined;
    this.#sending ??= this.#run()
      .catch((error: unknown) => {
        this.#options.logger.error({ err: error }, 'bug: traces could not be made');
      })
      .finally(() => {
        this.#sending = undefined;
        if (this.#waiting.written > 0) this.#gather();
      });
    return this.#sending;
  }

  async #run(): Promise<void> {
    do {
      const batch = await this.#nextBatch();
      const done = batch.spans.length === 0 || (await this.#deliver(batch.spans));
      if (!done) return;
      this.#left.splice(0, batch.left);
      this.#waiting.take(batch.live);
      if (this.#left.length === 0) this.#endedHere.clear();
    } while (
      this.#left.length > 0 ||
      this.#waiting.written >= mostInBatch ||
      (this.#closing && this.#waiting.written > 0 && !this.#stop.signal.aborted)
    );
  }

  async #nextBatch(): Promise<Batch> {
    const spans: Spans[] = [];
    let characters = 0;
    const isFull = (taken: number): boolean => taken >= mostInBatch || characters >= mostInRequest;
    const add = (made: Spans | undefined): void => {
      if (made === undefined) return;
      spans.push(made);
      characters += made.text.length;
    };
    let left = 0;
    let live = 0;
    while (left < this.#left.length && !isFull(left)) {
      const executionId = this.#left[left] as string;
      if (!this.#endedHere.has(executionId)) add(await this.#spansOf(executionId));
      left += 1;
    }
    while (live < this.#waiting.written && !isFull(left + live)) {
      const { spans: kept, executionId } = this.#waiting.at(live);
      add(kept ?? (await this.#spansOf(executionId)));
      live += 1;
    }
    return { spans, left, live };
  }

  /** Made of the store; undefined for one that has not ended, or where there is nothing to send of it. */
  async #spansOf(executionId: string): Promise<Spans | undefined> {
    const record = await this.#options.store.execution(executionId).catch(() => undefined);
    if (record?.trace?.spans !== true || !isTerminal(record.status) || !endedHere(record)) return undefined;
    const log = await this.#logOf(executionId);
    return log === undefined ? undefined : writtenSpans(record, record.trace, log);
  }

  /** Undefined where it cannot be read: it was deleted, or is damaged. */
  #logOf(executionId: string): Promise<EndedLog | undefined> {
    return this.#options.store.outline(executionId).then(
      (log) => (log.lastTime === 0 ? undefined : log),
      () => undefined,
    );
  }

  /** Resolves with false where it was given up. */
  async #deliver(spans: readonly Spans[]): Promise<boolean> {
    const { source, metrics, logger, send } = this.#options;
    const body = exportRequest(
      source,
      spans.map(({ text }) => text),
    );
    const count = spans.reduce((sum, each) => sum + each.count, 0);
    for (let tries = 0; ; tries++) {
      const sent = await send(body, this.#stop.signal);
      if (sent.kind !== 'unavailable') {
        if (this.#failing) logger.info('traces are taken again');
        this.#failing = false;
      }
      switch (sent.kind) {
        case 'taken':
          metrics.exported(count - sent.rejected);
          if (sent.rejected > 0) this.#refused(sent.rejected, sent.message);
          return true;
        case 'refused':
          this.#refused(count, sent.message);
          return true;
        case 'unavailable':
          if (this.#stop.signal.aborted) return false;
          if (!this.#failing) logger.warn({ reason: sent.message }, 'traces are not taken; trying again');
          this.#failing = true;
          if (this.#closing) return false;
          await this.#rest(Math.max(leastPauseMs, sent.retryAfterMs ?? this.#backoff(tries)));
          if (this.#closing) return false;
      }
    }
  }

  #refused(spans: number, reason: string): void {
    this.#options.metrics.dropped(spans, 'refused');
    this.#options.logger.warn({ spans, reason }, 'the receiver of traces refused some');
  }

  #backoff(tries: number): number {
    const longest = Math.min(longestPauseMs, leastPauseMs * 2 ** Math.min(tries, 16));
    return longest * (0.5 + this.#options.random() / 2);
  }

  #rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        this.#pause?.timer.cancel();
        this.#pause = undefined;
        resolve();
      };
      this.#pause = { timer: this.#options.clock.setTimer(ms, end), end };
    });
  }

  /** Never rejects: a disk that is full has better use for its room, and what is sent again does no harm. */
  async #save(): Promise<void> {
    this.#saving = undefined;
    const cursor = this.#cursor;
    if (cursor === this.#saved) return;
    this.#saved = cursor;
    await this.#options.saveCursor(cursor).catch(() => undefined);
  }
}

/** One that was restored as a record has ended elsewhere, one that has moved will: its spans are made there. */
function endedHere({ restoredAt, outcome }: ExecutionRecord): boolean {
  const moved = outcome !== undefined && outcome.status !== 'completed' && outcome.code === 'MOVED';
  return restoredAt === undefined && !moved;
}

/** The execution, its wait and its attempts. */
function spansLikely({ attempt }: ExecutionRecord): number {
  return 2 + attempt;
}
