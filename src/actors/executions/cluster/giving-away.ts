/**
 * Gives away what a node has that is told to stop, while what runs may still end here.
 *
 * waits for a slot ─► nobody's, for the dispatcher to give away
 * rests            ─► let go of here ─► not among what this node keeps ─► another node's
 * runs             ─► kept, until it has ended or rests
 *
 * 1. Nothing starts here any more. What is let go of has all of its log in the store, and nothing of it is written here
 *    after that.
 * 2. The store is told what is kept, and never more than it was told before: whatever else this node has may be taken by
 *    others from then on.
 * 3. A node that is alone keeps all that it has, until it hears of another one.
 */
import type { Clock, Timer } from '../../../domain/clock.ts';
import type { Membership } from '../../../stores/membership.ts';
import type { Slots } from '../../queue/slots.ts';
import type { LiveExecution } from '../live-execution.ts';
import type { LiveExecutions } from '../live-executions.ts';

export interface GivingAwayHost {
  readonly membership: Pick<Membership, 'incarnation' | 'peers' | 'keepOnly'>;
  readonly clock: Pick<Clock, 'setTimer'>;
  readonly executions: LiveExecutions;
  readonly slots: Slots;
  /** Nothing is taken up or made live here from now on. */
  stopTaking(): void;
  /** Those that stand in the order of the slots without being live. */
  ahead(): readonly string[];
  /** It waits here for a slot, and is to be nobody's. */
  handOver(executionId: string): void;
  /** It is not this node's any more. */
  released(execution: LiveExecution): void;
  /** Resolves when whoever gives away what waits knows what holds no slot here any more. */
  told(): Promise<void>;
  failed(error: unknown): void;
}

/** What has come to rest meanwhile, without a commit that says so, is looked for so often. */
const againMs = 250;

export class GivingAway {
  readonly #host: GivingAwayHost;
  #timer: Timer | undefined;
  #isUnderWay = false;
  #isBegun = false;
  #closed = false;
  #kept: string | undefined;

  constructor(host: GivingAwayHost) {
    this.#host = host;
  }

  /** From now on whatever rests is given away. Resolves when others may take what does so now. */
  async begin(): Promise<void> {
    // Nobody else can use the store.
    if (this.#host.membership.incarnation === 0) return;
    this.#isBegun = true;
    await this.#give();
  }

  /** Something has become durable: it may rest now. */
  committed(): void {
    if (!this.#isBegun || this.#isUnderWay || this.#closed) return;
    this.#timer?.cancel();
    this.#timer = this.#host.clock.setTimer(0, () => void this.#give());
  }

  /** What is left goes with the right to write. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  async #give(): Promise<void> {
    if (this.#isUnderWay || this.#closed) return;
    this.#isUnderWay = true;
    try {
      if (this.#host.membership.peers().length > 1) await this.#giveWhatRests();
    } catch (error) {
      if (!this.#closed) this.#host.failed(error);
    }
    this.#isUnderWay = false;
    if (!this.#closed) this.#timer = this.#host.clock.setTimer(againMs, () => void this.#give());
  }

  async #giveWhatRests(): Promise<void> {
    const { membership, executions, slots, ahead, handOver, released, told, stopTaking } = this.#host;
    stopTaking();
    for (const execution of [...executions.values()]) {
      if (slots.waits(execution.executionId)) handOver(execution.executionId);
      else if (rests(execution, slots)) released(execution);
    }
    for (const executionId of ahead()) slots.release(executionId);
    const kept = Array.from(executions.values(), ({ executionId }) => executionId);
    const key = kept.join();
    // Else whoever counts it would take it for one that holds a slot here.
    await told();
    if (this.#closed || key === this.#kept) return;
    await membership.keepOnly(kept);
    this.#kept = key;
  }
}

/** The store has all of it, it has no attempt here, and nothing is under way with it. */
function rests({ executionId, log, handOver, attemptPaused, state }: LiveExecution, slots: Slots): boolean {
  if (log.committed === undefined || log.sealed || !log.isWritten) return false;
  if (handOver !== 'no' || attemptPaused || slots.holds(executionId)) return false;
  return state !== 'running.attempting' && state !== 'running.stopping';
}
