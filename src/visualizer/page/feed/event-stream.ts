/**
 * The page's one connection for news: a request for events that is made anew whenever what it should tell changes, or
 * when it broke.
 *
 * The log that it tells is asked for from where the page is, and a node that refuses is asked again later.
 */
import { type ReadonlySignal, signal } from '@preact/signals';
import { after, now } from '../clock.ts';
import type { RequestEvents } from './event-request.ts';

export type Connection =
  | { readonly phase: 'connecting'; readonly since: number }
  /** `refused` from the first try to come back that failed. */
  | { readonly phase: 'reconnecting'; readonly since: number; readonly refused: boolean }
  | { readonly phase: 'live'; readonly since: number };

export interface EventStream {
  readonly connection: ReadonlySignal<Connection>;
  /** Opens it now, with what `address` says then; not while it is paused. */
  reopen(): void;
  /** Closes it as one that broke, and does not come back by itself. */
  pause(): void;
  /** Opens it now, and ends a pause. */
  resume(): void;
  close(): void;
}

interface Options {
  /** Where to, asked at each opening. */
  address(): string;
  on: Readonly<Record<string, (data: string, id: string) => void>>;
  request: RequestEvents;
}

const firstDelayMs = 300;
const longestDelayMs = 10_000;

export function createEventStream({ address, on, request }: Options): EventStream {
  const connection = signal<Connection>({ phase: 'connecting', since: now() });
  let closeRequest = () => {};
  let delay = firstDelayMs;
  let callOff = () => {};
  let paused = false;

  const close = () => {
    callOff();
    closeRequest();
  };
  const lost = () => {
    const { phase, since } = connection.value;
    if (phase === 'live') connection.value = { phase: 'reconnecting', since: now(), refused: false };
    else if (phase === 'reconnecting') connection.value = { phase, since, refused: true };
  };
  const reopen = () => {
    if (paused) return;
    close();
    closeRequest = request(address(), {
      opened() {
        delay = firstDelayMs;
        if (connection.value.phase !== 'live') connection.value = { phase: 'live', since: now() };
      },
      event: (name, data, id) => on[name]?.(data, id),
      ended() {
        lost();
        callOff = after(delay, reopen);
        delay = Math.min(delay * 2, longestDelayMs);
      },
    });
  };
  return {
    connection,
    reopen,
    pause() {
      paused = true;
      close();
      lost();
    },
    resume() {
      paused = false;
      delay = firstDelayMs;
      reopen();
    },
    close,
  };
}
