/** A reader of `/api/events`, as a browser is one, that sees every event as it came. */
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { onTestFinished } from 'vitest';

export interface ServerEvent {
  readonly name: string;
  readonly id: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface EventReader {
  readonly response: IncomingMessage;
  /** All so far. */
  readonly events: readonly ServerEvent[];
  /** Bytes so far, comments and all. */
  readonly text: string;
  readonly ended: Promise<void>;
  /** Resolves with the first event, from now or before, that fits. */
  until(fits: (event: ServerEvent) => boolean): Promise<ServerEvent>;
  close(): void;
}

/** Opens it on HOST:PORT; ends with the test. */
export async function openEvents(
  address: string,
  query = '',
  headers: Readonly<Record<string, string>> = {},
): Promise<EventReader> {
  const [host, port] = address.split(':');
  let call: ClientRequest | undefined;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    call = request({ host, port, path: `/api/events${query}`, headers, agent: false }, resolve);
    call.on('error', reject);
    call.end();
  });
  onTestFinished(() => void call?.destroy());
  const events: ServerEvent[] = [];
  const listeners = new Set<() => void>();
  let text = '';
  let rest = '';
  response.setEncoding('utf8');
  response.on('data', (part: string) => {
    text += part;
    rest += part;
    for (let end = rest.indexOf('\n\n'); end !== -1; end = rest.indexOf('\n\n')) {
      const event = eventOf(rest.slice(0, end));
      rest = rest.slice(end + 2);
      if (event !== undefined) events.push(event);
    }
    for (const listener of listeners) listener();
  });
  response.on('error', () => {});
  const ended = new Promise<void>((resolve) => response.on('close', () => resolve()));
  return {
    response,
    events,
    get text() {
      return text;
    },
    ended,
    until: (fits) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = events.find(fits);
          if (found !== undefined) resolve(found);
        };
        listeners.add(look);
        look();
        void ended.then(() => reject(new Error(`the stream ended without it:\n${text.slice(-2000)}`)));
      }),
    close: () => void call?.destroy(),
  };
}

function eventOf(block: string): ServerEvent | undefined {
  const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
  const data = field('data');
  if (data === undefined) return undefined;
  return {
    name: field('event') ?? 'message',
    id: field('id') ?? '',
    data: JSON.parse(data) as ServerEvent['data'],
  };
}
