/** The queue as it is now. It is no news of the feed: whoever looks at it asks about once a second. */
import { effect, type ReadonlySignal, signal } from '@preact/signals';
import { seconds } from '../clock.ts';
import { type Call, CallFault } from '../feed/call.ts';
import { type Queue, queueOf } from '../model/queue.ts';
import type { GetQueueResponseJson } from '../wire.ts';

export interface QueueWatch {
  /** Undefined until the node has answered. */
  readonly queue: ReadonlySignal<Queue | undefined>;
  /** Why the node does not tell; empty where it does. */
  readonly refusal: ReadonlySignal<string>;
  stop(): void;
}

const everyMs = 900;
/** More than anybody scrolls through, and no more than a browser draws each second without trouble. */
const maxLines = 100;
/** Nothing answered, which the page says elsewhere; what was told last stays. */
const unreachable = 'UNREACHABLE';

/** Asks until `stop` is called, and not while the page is hidden, as the clock of the page stands still then. */
export function watchQueue(call: Call, allTenants: boolean): QueueWatch {
  const queue = signal<Queue | undefined>(undefined);
  const refusal = signal('');
  let asked = 0;
  let asking = false;
  const read = async () => {
    try {
      queue.value = queueOf(
        await call<GetQueueResponseJson>('NodeService/GetQueue', { allTenants, maxLines }),
      );
      refusal.value = '';
    } catch (error) {
      if (!(error instanceof CallFault) || error.reason === unreachable) return;
      refusal.value = error.message;
    }
  };
  const stop = effect(() => {
    const time = seconds.value;
    if (asking || time - asked < everyMs) return;
    asked = time;
    asking = true;
    void read().finally(() => {
      asking = false;
    });
  });
  return { queue, refusal, stop };
}
