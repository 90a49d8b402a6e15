/** What is no news of the feed: whoever looks at it asks again and again. */
import { effect, type ReadonlySignal, signal } from '@preact/signals';
import { seconds } from '../clock.ts';
import { CallFault } from './call.ts';

export interface Asking<What> {
  /** Undefined until the node has answered. */
  readonly known: ReadonlySignal<What | undefined>;
  /** Why the node does not tell; empty where it does. */
  readonly refusal: ReadonlySignal<string>;
  /** Asks once more, now. */
  ask(): void;
  stop(): void;
}

/**
 * Asks each so many milliseconds until it is stopped, and not while the page is hidden, as the clock of the page stands
 * still then.
 */
export function askAgain<What>(
  everyMs: number,
  read: (before: What | undefined, signal: AbortSignal) => Promise<What>,
): Asking<What> {
  const known = signal<What | undefined>(undefined);
  const refusal = signal('');
  const stopping = new AbortController();
  let asked = 0;
  let asking = false;
  let again = false;
  const answered = async () => {
    try {
      known.value = await read(known.peek(), stopping.signal);
      refusal.value = '';
    } catch (error) {
      // Nothing answered, which the page says elsewhere; what was told last stays.
      if (!(error instanceof CallFault) || error.reason === 'UNREACHABLE') return;
      refusal.value = error.message;
    }
  };
  const ask = () => {
    again = asking;
    if (asking || stopping.signal.aborted) return;
    asking = true;
    void answered().finally(() => {
      asking = false;
      if (again) ask();
    });
  };
  const stopBeat = effect(() => {
    const time = seconds.value;
    if (asking || time - asked < everyMs) return;
    asked = time;
    ask();
  });
  return {
    known,
    refusal,
    ask,
    stop: () => {
      stopBeat();
      stopping.abort();
    },
  };
}
