import type { Principal } from '../../domain/access.ts';
import type { Clock, Timer } from '../../domain/clock.ts';
import type { Scope } from '../../domain/scope.ts';
import type { CallContext } from '../call.ts';

/** A call whose caller waits for so long and no longer: then it is gone. */
export class TimedCall implements CallContext {
  readonly principal: Principal;
  readonly scope: Scope;
  readonly deadlineMs: number;
  readonly #call: CallContext;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #until: number;
  readonly #timer: Timer;
  readonly #listeners: (() => void)[] = [];
  #passed = false;

  /** `passed` is called once, before anybody else hears that the time is over, unless `end` is called before. */
  constructor(call: CallContext, timeoutMs: number, clock: Clock, passed: () => void) {
    this.principal = call.principal;
    this.scope = call.scope;
    this.deadlineMs = timeoutMs;
    this.#call = call;
    this.#clock = clock;
    this.#until = clock.monotonic() + timeoutMs;
    this.#timer = clock.setTimer(timeoutMs, () => {
      this.#passed = true;
      passed();
      for (const listener of this.#listeners.splice(0)) listener();
    });
  }

  get trace(): CallContext['trace'] {
    return this.#call.trace;
  }

  remainingMs(): number {
    return this.#until - this.#clock.monotonic();
  }

  get gone(): boolean {
    return this.#passed || this.#call.gone;
  }

  onGone(listener: (how: 'gone' | 'done') => void): void {
    if (this.#passed) {
      listener('gone');
      return;
    }
    let told = false;
    const tell = (how: 'gone' | 'done'): void => {
      if (!told) listener(how);
      told = true;
    };
    this.#listeners.push(() => tell('gone'));
    this.#call.onGone(tell);
  }

  end(): void {
    this.#timer.cancel();
  }
}
