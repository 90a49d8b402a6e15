/**
 * A task of which too many attempts fail is quarantined, as a supervisor of Erlang/OTP gives up past its restart
 * intensity: its executions are held, but for one attempt now and then, the probe, whose success ends it.
 */
import { type AttemptError, Gate, type Meter, type QuarantineUse, type Trouble } from './gate.ts';

/** What came of an attempt, as far as it says something of its function. */
export type Verdict =
  | { readonly kind: 'succeeded' }
  | { readonly kind: 'failed'; readonly error: AttemptError };

/** What is known of a quarantine, for another who judges it, or is told of it. Times are of one clock. */
export interface QuarantineState {
  readonly since: number;
  /** How many attempts failed within the time before it began. */
  readonly failures: number;
  readonly last: AttemptError;
  /** Until the probe that is next, or was last. */
  readonly pauseMs: number;
  readonly probeAt: number;
  /** How many have failed. */
  readonly probes: number;
  /** The execution that is let through to try. */
  readonly probe?: string;
}

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

/**
 * Lets all through while few fail, and after too many one at a time. One that is told lets all through: another of the
 * cluster judges, and this one knows what became of it.
 */
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
  /** The last probe of which nothing was said when it ended. */
  #silent: string | undefined;
  readonly #changed: (use: QuarantineUse) => void;
  isTold = false;

  /** `changed` hears when `state` is another. */
  constructor(
    id: string,
    use: QuarantineUse,
    state: Quarantine,
    now: number,
    changed: (use: QuarantineUse) => void = () => {},
  ) {
    super(id, use, state, now);
    this.#state = state;
    this.#changed = changed;
  }

  /** Undefined while it is not quarantined. */
  get state(): QuarantineState | undefined {
    if (!this.#state.active) return undefined;
    return {
      ...{ since: this.#begunAt, failures: this.#counted, last: this.#last },
      ...{ pauseMs: this.#pauseMs, probeAt: this.#probeAt, probes: this.#probes },
      ...(this.#probe !== undefined && { probe: this.#probe }),
    };
  }

  /** It is so from now on, as another has judged. */
  put(state: QuarantineState | undefined): void {
    this.#failures = [];
    this.#silent = undefined;
    this.#state.active = state !== undefined;
    this.#state.clearAt = state === undefined ? 0 : state.probeAt + forgottenAfterMs;
    this.#probe = state?.probe;
    if (state === undefined) return;
    this.#begunAt = state.since;
    this.#counted = state.failures;
    this.#last = state.last;
    this.#pauseMs = state.pauseMs;
    this.#probeAt = state.probeAt;
    this.#probes = state.probes;
  }

  /** Whether one may try now, or nobody need. */
  lets(now: number): boolean {
    return !this.#state.active || (this.#probe === undefined && this.#probeAt <= now);
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
    return this.isTold || this.lets(now);
  }

  /** Where the next probe completes: nobody knows whether it does. */
  waitMs(ahead: number, expectedMs: number, now: number): number {
    if (!this.#state.active) return 0;
    if (this.#probe !== undefined) return expectedMs;
    return Math.max(0, this.#probeAt - now) + (ahead > 0 ? expectedMs : 0);
  }

  pass(id: string): void {
    if (!this.#state.active || this.isTold) return;
    this.#probe = id;
    this.#changed(this.use);
  }

  hold(): void {}

  /** A probe of which nothing was said, such as one that was cancelled, leaves its place to the next. */
  leave(id: string): void {
    if (this.#probe !== id || this.isTold) return;
    this.#probe = undefined;
    this.#silent = id;
    this.#changed(this.use);
  }

  override limited(): void {
    if (!Number.isFinite(this.use.failures)) this.reset();
  }

  judge(id: string, verdict: Verdict, now: number): void {
    if (this.isTold) return;
    if (verdict.kind === 'failed') this.#failed(id, verdict.error, now);
    else if (this.#isProbe(id)) this.reset();
  }

  /** Of one that has left its place somebody may still say what came of it. */
  #isProbe(id: string): boolean {
    return this.#probe === id || (this.#probe === undefined && this.#silent === id);
  }

  /** All is forgotten. */
  reset(): void {
    const { active } = this.#state;
    this.put(undefined);
    if (active) this.#changed(this.use);
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
    } else if (this.#isProbe(id)) {
      this.#probe = undefined;
      this.#silent = undefined;
      this.#probes += 1;
      this.#pauseMs = Math.max(withinMs, Math.min(2 * this.#pauseMs, longestPauseMs));
    } else return;
    this.#probeAt = now + this.#pauseMs;
    this.#state.clearAt = this.#probeAt + forgottenAfterMs;
    this.#changed(this.use);
  }
}
