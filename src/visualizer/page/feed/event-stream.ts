/**
 * The page's one connection for news: an EventSource that is opened anew whenever what it should tell changes, or
 * when it broke.
 *
 * The browser's own reconnecting is not used: it would ask for the log from where it once began, and gives up for good
 * after one refusal.
 */
import { type ReadonlySignal, signal } from '@preact/signals';
import { after, now } from '../clock.ts';

export type Connection =
  | { readonly phase: 'connecting'; readonly since: number }
  /** `refused` from the first try to come back that failed. */
  | { readonly phase: 'reconnecting'; readonly since: number; readonly refused: boolean }
  | { readonly phase: 'live'; readonly since: number };

export interface EventStream {
  readonly connection: ReadonlySignal<Connection>;
  /** Opens it now, with what `address` says then. */
  reopen(): void;
  close(): void;
}

interface Options {
  /** Where to, asked at each opening. */
  address(): string;
  on: Readonly<Record<string, (data: string, id: string) => void>>;
  connect?: (address: string) => EventSource;
}

const firstDelayMs = 300;
const longestDelayMs = 10_000;

export function createEventStream({
  address,
  on,
  connect = (to) => new EventSource(to),
}: Options): EventStream {
  const connection = signal<Connection>({ phase: 'connecting', since: now() });
  let source: EventSource | undefined;
  let delay = firstDelayMs;
  let callOff = () => {};

  const close = () => {
    callOff();
    source?.close();
    source = undefined;
  };
  const reopen = () => {
    close();
    const opening = connect(address());
    source = opening;
    opening.onopen = () => {
      if (source !== opening) return;
      delay = firstDelayMs;
      if (connection.value.phase !== 'live') connection.value = { phase: 'live', since: now() };
    };
    opening.onerror = () => {
      if (source !== opening) return;
      close();
      const { phase, since } = connection.value;
      if (phase === 'live') connection.value = { phase: 'reconnecting', since: now(), refused: false };
      else if (phase === 'reconnecting') connection.value = { phase, since, refused: true };
      callOff = after(delay, reopen);
      delay = Math.min(delay * 2, longestDelayMs);
    };
    for (const [name, take] of Object.entries(on)) {
      opening.addEventListener(name, (event: MessageEvent<string>) => {
        if (source === opening) take(event.data, event.lastEventId);
      });
    }
  };
  return { connection, reopen, close };
}
