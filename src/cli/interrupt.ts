import { exitCodes } from './exit-codes.ts';
import type { Session } from './session.ts';
import { note } from './shell.ts';

/** What came of the first Ctrl-C. */
type Cancel = 'none' | 'asked' | 'accepted' | 'tooLate' | 'failed';

/** Ctrl-C while a function runs that this command invoked: the first cancels it, the second leaves. */
export class Interrupt {
  readonly #session: Session;
  readonly #known = Promise.withResolvers<string>();
  readonly #detached = new AbortController();
  /** The server cancels the execution when this command goes, so the first Ctrl-C goes at once. */
  readonly #leavingCancels: boolean;
  #executionId: string | undefined;
  #cancel: Cancel = 'none';
  #count = 0;
  readonly #onSignal = (): void => {
    this.#count += 1;
    if (this.#count === 1 && !this.#leavingCancels) void this.#askForEnd().catch(() => undefined);
    else this.#detached.abort();
  };

  constructor(session: Session, leavingCancels: boolean) {
    this.#session = session;
    this.#leavingCancels = leavingCancels;
    process.on('SIGINT', this.#onSignal);
  }

  /** Aborts with the second Ctrl-C. */
  get signal(): AbortSignal {
    return this.#detached.signal;
  }

  /** The execution that a Ctrl-C cancels, as soon as it is known. */
  knows(executionId: string): void {
    this.#executionId = executionId;
    this.#known.resolve(executionId);
  }

  stop(): void {
    process.off('SIGINT', this.#onSignal);
  }

  /** What whoever leaves leaves behind, and how to look at it again. */
  get farewell(): string {
    const { command } = this.#session;
    const id = this.#executionId;
    if (this.#leavingCancels) {
      return `left; the server cancels the execution if nobody else watches it: ${command('list')}`;
    }
    if (id === undefined) {
      return `left before the server answered; what it accepted is not cancelled: ${command('list')}`;
    }
    const rest = {
      none: `is not cancelled: ${command('cancel', id)}, or ${command('wait', id)}`,
      asked: `may be cancelled, the server has not said so: ${command('status', id)}`,
      accepted: `is being cancelled: ${command('wait', id)}`,
      tooLate: `was ending before it could be cancelled: ${command('status', id)}`,
      failed: `could not be cancelled and goes on: ${command('cancel', id)}, or ${command('wait', id)}`,
    };
    return `left; ${id} ${rest[this.#cancel]}`;
  }

  async #askForEnd(): Promise<void> {
    const { shell, functions } = this.#session;
    if (this.#executionId === undefined) {
      await note(
        shell,
        'no answer from the server yet; it is cancelled when there is one; Ctrl-C again leaves',
      );
    }
    const executionId = await this.#known.promise;
    try {
      this.#cancel = 'asked';
      await note(shell, `cancelling ${executionId}; Ctrl-C again leaves without waiting for its end`);
      const { changed } = await functions.cancelExecution(
        { executionId, reason: 'Ctrl-C in spear invoke' },
        { signal: this.signal },
      );
      this.#cancel = changed ? 'accepted' : 'tooLate';
    } catch (error) {
      if (this.signal.aborted) return;
      this.#cancel = 'failed';
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
    await note(session.shell, interrupt.farewell);
    return exitCodes.cancelled.code;
  } finally {
    interrupt.stop();
  }
}
