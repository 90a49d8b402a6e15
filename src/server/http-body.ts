/** A request's body as it comes: counted, bounded in time, and never cut off before its answer is heard. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../domain/clock.ts';
import { RequestError } from '../domain/errors.ts';
import type { Arrivals } from './arrivals.ts';

/** How long a body that nobody wants any more may go on, so that its caller reads the answer, in milliseconds. */
const lingerMs = 10_000;

const goOn = new WeakMap<IncomingMessage, () => void>();

/** The caller sends its body (`Expect: 100-continue`) when it is told to go on: as soon as somebody reads it. */
export function askedFirst(request: IncomingMessage, response: ServerResponse): void {
  goOn.set(request, () => response.writeContinue());
}

/**
 * The parts of a body. Throws resource_exhausted where the budget has no room, deadline_exceeded where they come too
 * slowly, and cancelled where the caller goes away. Whoever reads may stop. The bytes count until it does,
 * or says that they are taken: all of a part, or so many.
 */
export async function* bodyParts(
  request: IncomingMessage,
  arrivals: Arrivals,
  uploads: boolean,
): AsyncGenerator<{ readonly data: Buffer; taken(bytes?: number): void }> {
  const refused = new AbortController();
  let waiting = false;
  const arrival = arrivals.begin({
    uploads,
    paused: () => !waiting,
    refuse: (error) => refused.abort(error),
  });
  try {
    goOn.get(request)?.();
    for (;;) {
      refused.signal.throwIfAborted();
      const data = request.read() as Buffer | null;
      if (data !== null) {
        arrival.arrived(data.byteLength);
        yield { data, taken: (bytes = data.byteLength) => arrival.taken(bytes) };
      } else if (request.readableEnded || (request.complete && request.readableLength === 0)) {
        return;
      } else if (request.destroyed) {
        throw new RequestError('cancelled', 'the caller went away', { reason: 'CALLER_GONE' });
      } else {
        waiting = true;
        await more(request, refused.signal);
        waiting = false;
      }
    }
  } finally {
    arrival.end();
  }
}

/** Resolves when there may be more to read, or nothing more comes, or nobody wants it. */
async function more(request: IncomingMessage, refused: AbortSignal): Promise<void> {
  const settled = new AbortController();
  const signal = AbortSignal.any([refused, settled.signal]);
  const events = ['readable', 'end', 'close'].map((event) =>
    once(request, event, { signal }).catch(() => undefined),
  );
  await Promise.race(events);
  settled.abort();
}

/**
 * Lets go of a body that is answered before all of it is read. Closing at once would reset the connection under the
 * answer: what still comes is thrown away for a while, also where the caller wants the connection closed after it.
 */
export function letGo(request: IncomingMessage, response: ServerResponse, clock: Clock): void {
  if (request.complete) return;
  const { shouldKeepAlive } = response;
  response.once('finish', () => {
    if (request.complete) return;
    request.resume();
    const timer = clock.setTimer(lingerMs, () => request.destroy());
    request.once('end', () => {
      if (!shouldKeepAlive) request.socket.destroySoon();
    });
    request.once('close', () => timer.cancel());
  });
}

/** To be called before the head of an answer: Node would else close the connection with the end of it. */
export function keepOpenForBody(response: ServerResponse): void {
  const { complete, headers } = response.req;
  // Of one without a body, too, it is not known yet at once that it is whole.
  const hasBody = (headers['content-length'] ?? '0') !== '0' || headers['transfer-encoding'] !== undefined;
  if (!complete && hasBody) response.shouldKeepAlive = true;
}
