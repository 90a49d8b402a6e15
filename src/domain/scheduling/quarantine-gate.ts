/**
 * A task of which too many attempts fail is quarantined, as a supervisor of Erlang/OTP gives up past its restart
 * intensity: its executions are held, but for one attempt now and then, the probe, whose success ends it.
 */
import { type AttemptError, Gate, type Meter, type QuarantineUse, type Trouble } from './gate.ts';

/** What came of an attempt, as far as it says something of its function. */
export type Verdict =
  | { readonly kind: 'succeeded' }
  | { readonly kind: 'failed'; readonly error: AttemptError };

/** The pause before a probe doubles with each that fails, up to an hour; it is never shorter than the rule's window. */
export const longestPauseMs = 3_600_000;

/** A quarantine in which nobody has tried for so long since somebody might have is forgotten where memory is wanted. */
export const forgottenAfterMs = 24 * 3_600_000;

/** What is remembered of the attempts of one function; it has one gate at most. */
export class Quarantine implements Meter {
  readonly gates: Gate[] = [];
  /** When failures are forgotten, and where it holds back what comes, all of it. */
  clearAt = 0;
  /** It holds back what comes. */
  active = false;

  isClear(now: number): boolean {
    return this.clearAt <= now;
  }
}

/** Lets all through while few fail, and after too many one at a time. */
export class QuarantineGate extends Gate {
  declare use: QuarantineUse;
  readonly #state: Quarantine;
  /** When attempts failed, the oldest first; never more than one beyond those that are allowed. */
  #failures: number[] = [];
  #begunAt = 0;
  #counted = 0;
  #last: AttemptError = { code: '', message: '' };
  #pauseMs = 0;
  #probeAt = 0;
  #probes = 0;
  #probe: string | undefined;

  constructor(id: string, use: QuarantineUse, state: Quarantine, now: number) {
    super(id, use, state, now);
    this.#state = state;
  }

  /** Undefined while it is not quarantined. */
  override get trouble(): Trouble | undefined {
    if (!this.#state.active) return undefined;
    return {
      since: this.#begunAt,
      failures: this.#counted,
      last: this.#last,
      probes: this.#probes,
      ...(this.#probe === undefined ? { probeAt: this.#probeAt } : { probe: this.#probe }),
    };
  }

  get opensAt(): number {
    return this.#state.active && this.#probe === undefined ? this.#probeAt : Number.POSITIVE_INFINITY;
  }

  get holders(): readonly string[] {
    return this.#probe === undefined ? [] : [this.#probe];
  }

  admits(now: number): boolean {
    return !this.#state.active || this.opensAt <= now;
  }

  /** Where the next probe completes: nobody knows whether it does. */
  waitMs(ahead: number, expectedMs: number, now: number): number {
    if (!this.#state.active) return 0;
    if (this.#probe !== undefined) return expectedMs;
    return Math.max(0, this.#probeAt - now) + (ahead > 0 ? expectedMs : 0);
  }

  pass(id: string): void {
    if (this.#state.active) this.#probe = id;
  }

  hold(): void {}

  /** A probe of which nothing was said, such as one that was cancelled, leaves its place to the next. */
  leave(id: string): void {
    if (this.#probe === id) this.#probe = undefined;
  }

  override limited(): void {
    if (!Number.isFinite(this.use.failures)) this.reset();
  }

  judge(id: string, verdict: Verdict, now: number): void {
    if (verdict.kind === 'failed') this.#failed(id, verdict.error, now);
    else if (this.#probe === id) this.reset();
  }

  /** All is forgotten. */
  reset(): void {
    this.#failures = [];
    this.#probe = undefined;
    this.#state.active = false;
    this.#state.clearAt = 0;
  }

  #failed(id: string, error: AttemptError, now: number): void {
    const { failures, withinMs } = this.use;
    this.#last = error;
    if (!this.#state.active) {
      this.#failures.push(now);
      this.#state.clearAt = now + withinMs;
      const from = this.#failures.findIndex((at) => at > now - withinMs);
      if (from > 0) this.#failures.splice(0, from);
      if (this.#failures.length <= failures) return;
      this.#state.active = true;
      this.#begunAt = now;
      this.#counted = this.#failures.length;
      this.#failures = [];
      this.#probes = 0;
      this.#pauseMs = withinMs;
    } else if (this.#probe === id) {
      this.#probe = undefined;
      this.#probes += 1;
      this.#pauseMs = Math.max(withinMs, Math.min(2 * this.#pauseMs, longestPauseMs));
    } else return;
    this.#probeAt = now + this.#pauseMs;
    this.#state.clearAt = this.#probeAt + forgottenAfterMs;
  }
}
