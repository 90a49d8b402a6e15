import type { Clock } from '../../../domain/clock.ts';
import { LruMap } from '../../../domain/lru-map.ts';
import type { AttemptOutcome } from '../../runtime.ts';
import type { PendingJob } from './pending.ts';
import { maxBatch } from './protocol.ts';

/** A call that takes less may be sent together with others. */
const quickUs = 500;

/** What calls that are sent together may take in all, by what the last ones took. */
const batchUs = 2000;
/** Calls that take less in all go to one host, also where another is idle: to wake that one takes as long. */
const leastBatchUs = 250;

/** For so long calls of a program are sent alone after a batch of it took too long; twice as long each time. */
const firstRestMs = 1000;
const longestRestMs = 300_000;

/** Programs whose pace is kept; the one least recently settled goes first. */
const maxPaces = 1024;

interface Pace {
  /** Of the last call, in microseconds; undefined where that was not quick. */
  us: number | undefined;
  /** `Clock.monotonic`. */
  restUntil: number;
  restMs: number;
}

/** Which programs' calls were quick so far: those of live instances may be sent to a host several at once. */
export class QuickCalls {
  readonly #clock: Clock;
  readonly #paces = new LruMap<number, Pace>(maxPaces);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  settled({ job, program, talked }: PendingJob, outcome: AttemptOutcome): void {
    if (!job.reuse || !program.pure) return;
    const us = outcome.resourceUse.cpuTimeUs ?? quickUs;
    const quick = us < quickUs && !talked && outcome.kind === 'completed';
    this.#pace(program.key).us = quick ? us : undefined;
  }

  /** It was sent with others, and they took too long. */
  giveUp({ program }: PendingJob): void {
    const pace = this.#pace(program.key);
    const now = this.#clock.monotonic();
    pace.us = undefined;
    if (now < pace.restUntil) return;
    pace.restUntil = now + pace.restMs;
    pace.restMs = Math.min(longestRestMs, 2 * pace.restMs);
  }

  /** How many from the front of the queue go together: at least one, and about `share` where that is not very little. */
  batch(queue: readonly PendingJob[], share: number): number {
    let us = this.#quickUs(queue[0]);
    let count = 1;
    while (count < maxBatch && us !== undefined) {
      const next = this.#quickUs(queue[count]);
      if (next === undefined || us + next > (count < share ? batchUs : leastBatchUs)) break;
      us += next;
      count += 1;
    }
    return count;
  }

  isQuick(pending: PendingJob | undefined): boolean {
    return this.#quickUs(pending) !== undefined;
  }

  #quickUs(pending: PendingJob | undefined): number | undefined {
    if (pending?.job.reuse !== true || pending.cpuTimeMs !== undefined) return undefined;
    const pace = this.#paces.peek(pending.program.key);
    if (pace?.us === undefined || this.#clock.monotonic() < pace.restUntil) return undefined;
    return pace.us;
  }

  #pace(key: number): Pace {
    let pace = this.#paces.get(key);
    if (pace === undefined) {
      pace = { us: undefined, restUntil: Number.NEGATIVE_INFINITY, restMs: firstRestMs };
      this.#paces.set(key, pace);
    }
    return pace;
  }
}
