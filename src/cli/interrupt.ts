import { exitCodes } from './exit-codes.ts';
import type { Session } from './session.ts';
import { note } from './shell.ts';

/** Ctrl-C while a function runs that this command invoked: the first cancels it, the second leaves it to itself. */
export class Interrupt {
  readonly #session: Session;
  readonly #known = Promise.withResolvers<string>();
  readonly #detached = new AbortController();
  /** The server cancels the execution when this command goes, so the first Ctrl-C goes at once. */
  readonly leavingCancels: boolean;
  #count = 0;
  readonly #onSignal = (): void => {
    this.#count += 1;
    if (this.#count === 1 && !this.leavingCancels) void this.#cancel();
    else this.#detached.abort();
  };

  constructor(session: Session, leavingCancels: boolean) {
    this.#session = session;
    this.leavingCancels = leavingCancels;
    process.on('SIGINT', this.#onSignal);
  }

  /** Aborts with the second Ctrl-C. */
  get signal(): AbortSignal {
    return this.#detached.signal;
  }

  /** The execution that a Ctrl-C cancels, as soon as it is known. */
  knows(executionId: string): void {
    this.#known.resolve(executionId);
  }

  stop(): void {
    process.off('SIGINT', this.#onSignal);
  }

  async #cancel(): Promise<void> {
    const { shell, functions } = this.#session;
    const executionId = await this.#known.promise;
    try {
      await note(shell, `cancelling ${executionId}; Ctrl-C again leaves it to itself`);
      await functions.cancelExecution(
        { executionId, reason: 'Ctrl-C in spear invoke' },
        { signal: this.signal },
      );
    } catch (error) {
      if (this.signal.aborted) return;
      await note(shell, `could not cancel: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** Runs `work` with Ctrl-C as above; resolves with its exit code, or with that of a detachment. */
export async function interruptible(
  session: Session,
  leavingCancels: boolean,
  work: (interrupt: Interrupt) => Promise<number>,
): Promise<number> {
  const interrupt = new Interrupt(session, leavingCancels);
  try {
    return await work(interrupt);
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    await note(
      session.shell,
      leavingCancels
        ? 'gone; the server cancels the execution if nobody else watches it'
        : 'detached; the execution goes on: see spear list, and spear wait ID',
    );
    return exitCodes.cancelled.code;
  } finally {
    interrupt.stop();
  }
}
