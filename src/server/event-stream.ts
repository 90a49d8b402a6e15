/** Server-sent events over one response (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
import type { ServerResponse } from 'node:http';
import type { Clock, Timer } from '../domain/clock.ts';
import { writable } from './download.ts';

/** A connection that is silent for longer may be taken for dead by what is in between. */
const heartbeatMs = 15_000;

export class EventStream {
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  #heartbeat: Timer | undefined;
  #blocked: Promise<void> | undefined;

  /** Sends the head of the response. */
  constructor(response: ServerResponse, clock: Clock) {
    this.#response = response;
    this.#clock = clock;
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      // Some proxies keep what they pass on until there is more of it.
      'x-accel-buffering': 'no',
    });
    response.flushHeaders();
    response.once('close', () => this.#heartbeat?.cancel());
    this.#beat();
  }

  get closed(): boolean {
    return this.#response.destroyed || this.#response.writableEnded;
  }

  /** Sends events as `event` made them. A promise means wait before the next. */
  send(events: Uint8Array | string): Promise<void> | undefined {
    if (this.closed) return undefined;
    if (this.#response.write(events)) return this.#blocked;
    this.#blocked ??= writable(this.#response).then(() => {
      this.#blocked = undefined;
    });
    return this.#blocked;
  }

  end(): void {
    if (!this.closed) this.#response.end();
  }

  #beat(): void {
    this.#heartbeat = this.#clock.setTimer(heartbeatMs, () => {
      if (this.#blocked === undefined) void this.send(': still here\n\n');
      if (!this.closed) this.#beat();
    });
  }
}

/** The text of one server-sent event. `data` must have no line break, as JSON on one line has none. */
export function event(name: string, data: string, id?: number): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${data}\n\n`;
}
