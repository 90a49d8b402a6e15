/**
 * The one chain that every call goes through: drain check, budget of request bytes, decoding errors, the caller's
 * deadline, the handler, and the mapping of what it throws. Handlers stay plain functions.
 */
import type { Clock } from '../domain/clock.ts';
import { invalidArgument, RequestError } from '../domain/errors.ts';
import type { Received } from './service-definition.ts';

/** Request bytes of all calls under way; past the budget a call is refused rather than let the node run out of memory. */
export class ByteBudget {
  readonly #most: number;
  #used = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get used(): number {
    return this.#used;
  }

  /** Throws resource_exhausted where the budget has no room; a single request always has. */
  take(bytes: number): void {
    if (this.#used > 0 && this.#used + bytes > this.#most) {
      throw new RequestError(
        'resource_exhausted',
        `requests of ${this.#used} bytes are under way; allowed are ${this.#most} in all`,
        { reason: 'REQUEST_BYTES_IN_FLIGHT', quota: 'request-bytes-in-flight', retryAfterMs: 500 },
      );
    }
    this.#used += bytes;
  }

  give(bytes: number): void {
    this.#used -= bytes;
  }
}

export interface ChainOptions {
  readonly clock: Clock;
  /** Largest request in bytes. */
  readonly maxRequestBytes: number;
  readonly budget: ByteBudget;
  /** Hears errors that are bugs of ours; returns the id that the caller is told. */
  bug(error: unknown, method: string): string;
}

/** A RequestError for whatever was thrown; what is not one already becomes `internal` with an id of our log. */
export function toRequestError(
  error: unknown,
  method: string,
  options: Pick<ChainOptions, 'bug'>,
): RequestError {
  if (error instanceof RequestError && error.kind !== 'internal') return error;
  if (error instanceof Error && error.name === 'StoreError') {
    options.bug(error, method);
    return new RequestError('unavailable', 'the store cannot be read or written now', {
      reason: 'STORE_UNAVAILABLE',
      retryAfterMs: 1000,
      cause: error,
    });
  }
  const id = options.bug(error, method);
  return new RequestError('internal', `internal error ${id}`, { reason: 'INTERNAL', metadata: { id } });
}

export function requestTooLarge(most: number): RequestError {
  return new RequestError('resource_exhausted', `the request is larger than the allowed ${most} bytes`, {
    reason: 'REQUEST_TOO_LARGE',
    quota: 'max-request-bytes',
  });
}

/** Runs `answer` while the request's bytes count against the budget. Throws resource_exhausted where it may not. */
export async function withinBudget<Answer>(
  bytes: number,
  options: ChainOptions,
  answer: () => Promise<Answer>,
): Promise<Answer> {
  if (bytes > options.maxRequestBytes) throw requestTooLarge(options.maxRequestBytes);
  options.budget.take(bytes);
  try {
    return await answer();
  } finally {
    options.budget.give(bytes);
  }
}

/**
 * The messages of a stream, each counted against the budget while the handler has it. Throws resource_exhausted where
 * one is too large or the budget has no room.
 */
export async function* eachWithinBudget<Message>(
  stream: AsyncIterable<Received<Message>>,
  options: ChainOptions,
): AsyncGenerator<Message> {
  for await (const received of stream) {
    const { bytes } = received;
    if (bytes > options.maxRequestBytes) throw requestTooLarge(options.maxRequestBytes);
    options.budget.take(bytes);
    try {
      yield decoded(received);
    } finally {
      options.budget.give(bytes);
    }
  }
}

export function decoded<Message>(received: Received<Message>): Message {
  if (received.message === undefined) {
    throw invalidArgument('request', `cannot be decoded: ${received.malformed}`);
  }
  return received.message;
}
