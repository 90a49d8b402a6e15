/**
 * Executions of one call that have not ended: one runs, and the others wait for its result rather than for a slot.
 *
 * - Who runs is who has its slot first. Whoever comes meanwhile, or has its slot after, is parked.
 * - A run that ends without a result for the others lets go of two of them, and of one where it was cancelled or is
 *   held: what fails is tried by one, by two and by four, and not by a thousand at once.
 * - So many are parked and no more: those beyond wait in the queue, where they need not be live, and look again when
 *   they have their slot. While the result of a run is on its way to the disk, nobody runs for that.
 */

/** Of one call. */
const mostParked = 1024;

interface Call {
  readonly running: Set<string>;
  /** In the order in which they came. */
  readonly parked: Set<string>;
  /** Those that are live and wait for a slot. */
  readonly queued: Set<string>;
  /** Those of them that were let go of, and run whoever else does. */
  readonly released: Set<string>;
  /** A run has ended well, and its result is about to be there. */
  isEnding: boolean;
}

export class EqualCalls {
  readonly #calls = new Map<string, Call>();

  /** It waits; true where it is parked and needs no slot. */
  waits(key: string, executionId: string): boolean {
    const call = this.#calls.get(key) ?? newCall();
    this.#calls.set(key, call);
    if (call.parked.has(executionId)) return true;
    if (call.released.has(executionId)) return false;
    if (this.#parks(call)) {
      call.queued.delete(executionId);
      call.parked.add(executionId);
      return true;
    }
    call.queued.add(executionId);
    return false;
  }

  /** It has its slot; true where it is parked instead, and false where it runs. */
  begins(key: string, executionId: string): boolean {
    if (this.waits(key, executionId)) return true;
    const call = this.#calls.get(key);
    call?.queued.delete(executionId);
    call?.released.delete(executionId);
    call?.running.add(executionId);
    return false;
  }

  isParked(key: string, executionId: string): boolean {
    return this.#calls.get(key)?.parked.has(executionId) ?? false;
  }

  /** The execution that runs for one that is parked. */
  runOf(key: string): string | undefined {
    for (const executionId of this.#calls.get(key)?.running ?? []) return executionId;
    return undefined;
  }

  /**
   * It waits no more, or is not live any more: it has ended, is held, or runs by itself. Those that are let go of, as
   * nobody is left for whom they could wait.
   */
  leaves(key: string, executionId: string): string[] {
    const call = this.#calls.get(key);
    if (call === undefined) return [];
    call.parked.delete(executionId);
    call.queued.delete(executionId);
    call.released.delete(executionId);
    const next = call.running.size + call.queued.size === 0 ? this.#next(call, 1) : [];
    this.#tidy(key, call);
    return next;
  }

  /** A run has ended well. */
  ending(key: string, executionId: string): void {
    const call = this.#calls.get(key);
    if (call?.running.has(executionId) === true) call.isEnding = true;
  }

  /** A run has come to nothing that others can have: those that are let go of, and are to wait for a slot. */
  failed(key: string, executionId: string, most: number): string[] {
    const call = this.#calls.get(key);
    if (call?.running.delete(executionId) !== true) return [];
    call.isEnding = false;
    const next = this.#next(call, most);
    this.#tidy(key, call);
    return next;
  }

  /** A run has a result for all: those that wait, parked or not. */
  completed(key: string, executionId: string): string[] {
    const call = this.#calls.get(key);
    if (call === undefined) return [];
    call.running.delete(executionId);
    call.isEnding = false;
    const waiting = [...call.parked, ...call.queued];
    call.parked.clear();
    call.queued.clear();
    call.released.clear();
    this.#tidy(key, call);
    return waiting;
  }

  #next({ parked, queued, released }: Call, most: number): string[] {
    const next = [...parked].slice(0, most);
    for (const each of next) {
      parked.delete(each);
      queued.add(each);
      released.add(each);
    }
    return next;
  }

  #parks({ running, parked, isEnding }: Call): boolean {
    return running.size > 0 && (isEnding || parked.size < mostParked);
  }

  #tidy(key: string, { running, parked, queued }: Call): void {
    if (running.size + parked.size + queued.size === 0) this.#calls.delete(key);
  }
}

function newCall(): Call {
  return { running: new Set(), parked: new Set(), queued: new Set(), released: new Set(), isEnding: false };
}
