/** Who has a slot, who waits for one, and whether an attempt is there: kept from the effects that a chart asks for. */
import { expect } from 'vitest';
import type { ExecutionEvent } from '../../src/machines/execution-context.ts';
import { type Step, send } from './chart.ts';
import { hasAttempt } from './graph.ts';

export class Ledger {
  #step: Step;
  #asked = false;
  #held = 0;
  /** An attempt runs or stands still. */
  #runs = false;

  /** @param other what this one has in common with another that stands at the same step */
  constructor(first: Step, other?: Ledger) {
    this.#step = first;
    if (other === undefined) {
      this.#apply();
      this.#check('the beginning');
    } else {
      this.#asked = other.#asked;
      this.#held = other.#held;
      this.#runs = other.#runs;
    }
  }

  /** One that goes another way from here. */
  copy(): Ledger {
    return new Ledger(this.#step, this);
  }

  get step(): Step {
    return this.#step;
  }

  /** Lets it happen, and checks what the effects come to. */
  send(event: ExecutionEvent): Step {
    const before = this.#step;
    this.#step = send(before, event);
    if (this.#step.snapshot === before.snapshot) {
      const effects = this.#step.effects.filter((effect) => !effect.startsWith('armAlarm '));
      expect(effects, `${event.type} changed nothing`).toEqual([]);
      return this.#step;
    }
    if (event.type === 'dispatch') {
      this.#asked = false;
      this.#held++;
    }
    if (event.type === 'attemptEnded' || event.type === 'lost') this.#runs = false;
    this.#apply();
    this.#check(`${before.state} on ${event.type}`);
    return this.#step;
  }

  #apply(): void {
    for (const effect of this.#step.effects) {
      if (effect === 'requestSlot') this.#asked = true;
      else if (effect === 'takeSlot') this.#held++;
      else if (effect === 'releaseSlot') {
        if (this.#held > 0) this.#held--;
        else this.#asked = false;
      } else if (effect === 'startAttempt') {
        expect(this.#runs, 'it starts while another runs').toBe(false);
        this.#runs = true;
      } else if (effect === 'stopAttempt') {
        expect(this.#runs, 'it stops what does not run').toBe(true);
      }
    }
  }

  #check(where: string): void {
    const { state, snapshot } = this.#step;
    const { context, status } = snapshot;
    const withSlot = state === 'running.attempting' || state === 'running.stopping';
    expect(this.#held, `slots after ${where}`).toBe(withSlot ? 1 : 0);
    if (status === 'done') {
      // What could not be confirmed gone may be there still.
      if (where !== 'running.stopping on alarm') expect(this.#runs, `an attempt after ${where}`).toBe(false);
      return;
    }
    expect(this.#runs, `an attempt after ${where}`).toBe(hasAttempt(snapshot));
    const waits = state === 'pending.queued' || (state === 'running.backingOff' && context.retryAt === null);
    expect(this.#asked, `waiting for a slot after ${where}`).toBe(waits);
  }
}
