/**
 * The one chain that every call goes through: drain check, budget of request bytes, decoding errors, the caller's
 * deadline, the handler, and the mapping of what it throws. Handlers stay plain functions.
 */

import type { Principal } from '../domain/access.ts';
import type { Clock } from '../domain/clock.ts';
import { invalidArgument, RequestError } from '../domain/errors.ts';
import { Fenced, StoreError } from '../domain/store-error.ts';
import type { AccessLog } from './access/access-log.ts';
import type { Authenticator } from './access/authenticator.ts';
import type { OpenCalls } from './access/open-calls.ts';
import type { Arrivals } from './arrivals.ts';
import type { ByteBudget } from './byte-budget.ts';
import type { Received } from './service-definition.ts';
import type { Watchers } from './watchers.ts';

/** Where the bytes of requests count: those under way, and those that still arrive. */
export interface Room {
  readonly budget: ByteBudget;
  readonly arrivals: Arrivals;
}

export interface ChainOptions extends Room {
  readonly clock: Clock;
  /** Largest request in bytes. */
  readonly maxRequestBytes: number;
  /** Largest request that carries an artifact, in bytes. */
  readonly maxUploadBytes: number;
  /** Values, keys and elements of one request. */
  readonly maxRequestValues: number;
  /** Room of those who show nothing, so that they leave that of others alone; absent where nobody is told apart. */
  readonly strangers?: Room & { readonly watchers: Watchers };
  readonly calls: OpenCalls;
  readonly watchers: Watchers;
  readonly authenticator: Authenticator;
  /** Counts calls that ended with an error, by their paths; absent where nobody counts. */
  readonly errors?: { failed(path: string, code: string): void };
  /** Absent where nobody reads of calls. */
  readonly access?: AccessLog;
  /** Hears errors that are bugs of ours; returns the id that the caller is told. */
  bug(error: unknown, method: string): string;
  /** Hears errors of the medium that the store is on, such as a full disk. */
  storeFailed(error: unknown, method: string): void;
}

/** Where a caller's bytes count. */
export function roomOf({ anonymous }: Principal, options: ChainOptions): Room {
  return anonymous === true ? (options.strangers ?? options) : options;
}

/** Where a call is from, as far as it is known. */
export interface CallOrigin {
  readonly address?: string;
  /** Of HTTP. */
  readonly request?: object;
}

/** A RequestError for whatever was thrown; what is not one already becomes `internal` with an id of our log. */
export function toRequestError(
  error: unknown,
  method: string,
  options: Pick<ChainOptions, 'access' | 'bug' | 'storeFailed' | 'errors'>,
  from: CallOrigin = {},
): RequestError {
  const known = knownError(error, method, options);
  options.errors?.failed(method, known.kind);
  options.access?.refused(method, known, { ...from, causes: [error, from.request] });
  return known;
}

function knownError(
  error: unknown,
  method: string,
  options: Pick<ChainOptions, 'bug' | 'storeFailed'>,
): RequestError {
  if (error instanceof RequestError && error.kind !== 'internal') return error;
  if (error instanceof StoreError && error.kind === 'medium') {
    options.storeFailed(error, method);
    return new RequestError('unavailable', 'the store cannot be read or written now', {
      reason: 'STORE_UNAVAILABLE',
      retryAfterMs: 1000,
      cause: error,
    });
  }
  if (error instanceof Fenced) {
    return new RequestError(
      'unavailable',
      'the node is stopping, as others have taken over what it had; ask another one',
      { reason: 'DRAINING', retryAfterMs: 1000, cause: error },
    );
  }
  const id = options.bug(error, method);
  return new RequestError('internal', `internal error ${id}`, { reason: 'INTERNAL', metadata: { id } });
}

/** Methods whose requests carry artifacts: a bound of their own holds them. */
const artifactMethods: ReadonlySet<string> = new Set(['RegisterTask', 'RegisterTaskWithProgress']);

/** The largest request of a method, in bytes. */
export function mostBytesOf(
  method: string,
  { maxRequestBytes, maxUploadBytes }: Pick<ChainOptions, 'maxRequestBytes' | 'maxUploadBytes'>,
): number {
  return artifactMethods.has(method) ? maxUploadBytes : maxRequestBytes;
}

export function requestTooLarge(method: string, options: ChainOptions): RequestError {
  const most = mostBytesOf(method, options);
  return new RequestError('resource_exhausted', `the request is larger than the allowed ${most} bytes`, {
    reason: 'REQUEST_TOO_LARGE',
    quota: artifactMethods.has(method) ? 'max-artifact-bytes' : 'max-request-bytes',
  });
}

export function tooManyValues(most: number): RequestError {
  return new RequestError(
    'resource_exhausted',
    `the request has more than the allowed ${most} values, keys and elements; send large data as input bytes`,
    { reason: 'TOO_MANY_VALUES', quota: 'max-request-values' },
  );
}

export interface CountedRequest {
  readonly bytes: number;
  readonly method: string;
  /** Who makes it. */
  readonly principal: Principal;
}

/** Runs `answer` while the request's bytes count against the budget. Throws resource_exhausted where it may not. */
export async function withinBudget<Answer>(
  { bytes, method, principal }: CountedRequest,
  options: ChainOptions,
  answer: () => Promise<Answer>,
): Promise<Answer> {
  if (bytes > options.maxRequestBytes && bytes > mostBytesOf(method, options)) {
    throw requestTooLarge(method, options);
  }
  const { budget } = roomOf(principal, options);
  budget.take(bytes);
  try {
    return await answer();
  } finally {
    budget.give(bytes);
  }
}

/**
 * The messages of a stream, each counted against the budget while the handler has it. Throws resource_exhausted where
 * one is too large or the budget has no room.
 */
export async function* eachWithinBudget<Message>(
  stream: AsyncIterable<Received<Message>>,
  method: string,
  options: ChainOptions,
): AsyncGenerator<Message> {
  for await (const received of stream) {
    const { bytes } = received;
    if (bytes > mostBytesOf(method, options)) throw requestTooLarge(method, options);
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
    if (received.refusal !== undefined) throw received.refusal;
    throw invalidArgument('request', `cannot be decoded: ${received.malformed}`);
  }
  return received.message;
}
