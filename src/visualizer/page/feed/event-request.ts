/**
 * One request for events. It is what EventSource would do, but with the headers of the page, and without its own
 * reconnecting.
 */
import { EventParser } from './event-parser.ts';

export interface EventListener {
  opened(): void;
  event(name: string, data: string, id: string): void;
  /** It could not be opened, or broke, or ended. Comes once, and nothing after it. */
  ended(): void;
}

/** Opens one. Returns what closes it; nothing is told from then on. */
export type RequestEvents = (address: string, listener: EventListener) => () => void;

export function createRequestEvents(fetch: typeof globalThis.fetch): RequestEvents {
  return (address, { opened, event, ended }) => {
    const closing = new AbortController();
    const { signal } = closing;
    const take = (name: string, data: string, id: string) => {
      if (signal.aborted) return;
      try {
        event(name, data, id);
      } catch (error) {
        // A bug of whoever listens ends no connection.
        reportError(error);
      }
    };
    const read = async () => {
      const headers = { accept: 'text/event-stream' };
      const response = await fetch(address, { headers, cache: 'no-store', signal });
      const { ok, body } = response;
      if (!ok || body === null || !isEvents(response)) {
        await body?.cancel();
        return;
      }
      if (signal.aborted) return;
      opened();
      const parser = new EventParser(take);
      const reader = body.pipeThrough(new TextDecoderStream()).getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) parser.push(part.value);
    };
    read()
      .catch(() => {
        // Why it broke is told to nobody: it is opened again all the same.
      })
      .finally(() => {
        if (!signal.aborted) ended();
      });
    return () => closing.abort();
  };
}

function isEvents({ headers }: Response): boolean {
  return (headers.get('content-type') ?? '').startsWith('text/event-stream');
}
