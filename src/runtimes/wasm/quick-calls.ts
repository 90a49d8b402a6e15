import type { AttemptOutcome } from '../runtime.ts';
import type { PendingJob } from './pending.ts';
import { maxBatch } from './protocol.ts';

/** A call that takes less may be sent together with others. */
const quickUs = 500;

/** Which programs' calls were quick so far: those of live instances may be sent to a thread several at once. */
export class QuickCalls {
  readonly #programs = new Set<number>();

  settled({ job, program, talked }: PendingJob, outcome: AttemptOutcome): void {
    if (!job.reuse) return;
    const quick =
      (outcome.resourceUse.cpuTimeUs ?? quickUs) < quickUs && !talked && outcome.kind === 'completed';
    if (quick) this.#programs.add(program.key);
    else this.#programs.delete(program.key);
  }

  /** It was sent with others, and they waited for it. */
  forget({ program }: PendingJob): void {
    this.#programs.delete(program.key);
  }

  /** How many from the front of the queue go together, at least one and at most `share`. */
  batch(queue: readonly PendingJob[], share: number): number {
    const most = Math.min(share, maxBatch);
    let count = 1;
    while (count < most && this.#mayShare(queue[0]) && this.#mayShare(queue[count])) count += 1;
    return count;
  }

  #mayShare(pending: PendingJob | undefined): boolean {
    if (pending?.job.reuse !== true || pending.cpuTimeMs !== undefined) return false;
    return this.#programs.has(pending.program.key);
  }
}
