/** Asks for what has gone on while it is shown, once for each step of the node, and for no more than is new. */
import { effect, type ReadonlySignal, signal } from '@preact/signals';
import { seconds } from '../clock.ts';
import type { Call } from '../feed/call.ts';
import type { GetActivityResponseJson } from '../wire.ts';
import { type Recent, withNews } from './activity.ts';

export interface ActivityWatch {
  /** Undefined until the node has answered. */
  readonly recent: ReadonlySignal<Recent | undefined>;
  stop(): void;
}

/** Before the length of a step is known. */
const everyMs = 4500;

/** Not while the page is hidden, as its clock stands still then. */
export function watchActivity(call: Call, allTenants: boolean, byTask: boolean): ActivityWatch {
  const recent = signal<Recent | undefined>(undefined);
  let asked = 0;
  let asking = false;
  const read = async () => {
    const known = recent.peek();
    try {
      const fromStep = String(known?.nextStep ?? 0);
      const answer = await call<GetActivityResponseJson>('NodeService/GetActivity', {
        ...{ allTenants, byTask, fromStep },
      });
      recent.value = withNews(known, answer);
    } catch {
      // What is known stays; that the node is away is said elsewhere.
    }
  };
  const stop = effect(() => {
    const time = seconds.value;
    if (asking || Math.abs(time - asked) < everyMs) return;
    asked = time;
    asking = true;
    void read().finally(() => {
      asking = false;
    });
  });
  return { recent, stop };
}
