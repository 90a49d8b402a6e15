import { createGuest, type Guest, type LoadedProgram } from './guest.ts';
import type { RunContext } from './host/context.ts';
import type { LiftBudget } from './lift-budget.ts';

/** Of processor time, in microseconds. One that takes longer to make is not made ahead again: the next call, of whatever task, may have to wait for it. */
const maxUs = 5000;

/**
 * A fresh instance of a program that a host runs again and again, made while the host has nothing to do.
 *
 * 1. No code of a guest has run in it: its module is inert.
 * 2. It holds no folder open: a folder is opened when its execution begins.
 * 3. A host makes one for a program that it ran twice in a row, and never has more than one.
 */
export class NextGuest {
  readonly #budget: LiftBudget;
  #last: LoadedProgram | undefined;
  #again = false;
  #guest: Guest | undefined;
  /** Took too long to make. */
  readonly #slow = new WeakSet<LoadedProgram>();

  constructor(budget: LiftBudget) {
    this.#budget = budget;
  }

  /** The instance for an execution of `program` that begins now, if there is one. */
  take(program: LoadedProgram, context: RunContext): Guest | undefined {
    const guest = this.#last === program ? this.#guest : undefined;
    this.#again = this.#last === program;
    this.#last = program;
    this.#guest = undefined;
    if (guest !== undefined) Object.assign(guest.context, context);
    return guest;
  }

  forget(key: number): void {
    if (this.#last?.program.key !== key) return;
    this.#last = undefined;
    this.#guest = undefined;
  }

  /** To be called while there is nothing else to do. Where it fails, the execution that needs it will fail, and say why. */
  make(): void {
    const program = this.#last;
    if (!this.#again || this.#guest !== undefined || program === undefined) return;
    if (!isInert(program) || this.#slow.has(program)) return;
    const before = process.threadCpuUsage();
    try {
      this.#guest = createGuest(program, unbound(), this.#budget);
    } catch {
      this.#slow.add(program);
    }
    const { user, system } = process.threadCpuUsage(before);
    if (user + system > maxUs) this.#slow.add(program);
  }
}

function isInert({ kind, cores, program }: LoadedProgram): boolean {
  return kind === 'module' && cores[0].inert && Object.keys(program.preopens).length === 0;
}

/** Of a guest that does not run. */
function unbound(): RunContext {
  return {
    input: new Uint8Array(),
    inputAt: 0,
    args: [],
    environment: [],
    write: () => {},
    exitCode: undefined,
  };
}
