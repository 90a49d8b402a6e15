import type { Principal } from '../domain/access.ts';
import type { Scope } from '../domain/scope.ts';
import type { TraceContext } from '../domain/trace.ts';

/** What a handler knows of the call that it answers. */
export interface CallContext {
  /** Who calls. The role that the method needs has been checked. */
  readonly principal: Principal;
  /** The tenant, and of it the tasks, that the caller may see. */
  readonly scope: Scope;
  /** What the caller says of its trace; undefined for nothing. */
  readonly trace?: TraceContext | undefined;
  /** Milliseconds left until the caller's own deadline when the call arrived; undefined for none. */
  readonly deadlineMs: number | undefined;
  /** Milliseconds left until the caller's own deadline now; undefined for none. */
  remainingMs(): number | undefined;
  /** The caller has gone away, or may not hear any more; nobody will read the answer. */
  readonly gone: boolean;
  /**
   * Calls `listener` once when the caller goes away (`gone`), or may not hear any more (`done`: not its choice, so
   * that nothing is to end with it); at once where it has.
   */
  onGone(listener: (how: 'gone' | 'done') => void): void;
}

/** What answers a unary method. Throws RequestError for what the caller should hear. */
export type UnaryHandler<Request, Response> = (request: Request, call: CallContext) => Promise<Response>;

/**
 * What answers a streaming method: sends each message and waits where it is told to. `send` returns undefined where
 * the transport takes more, or a promise that resolves when it does (or when the caller is gone).
 */
export type StreamHandler<Request, Message> = (
  request: Request,
  call: CallContext,
  send: (message: Message) => Promise<void> | undefined,
) => Promise<void>;

/**
 * What answers a method whose requests stream. It takes each when it is ready for it, and may answer before the last;
 * the stream also ends where the caller goes away.
 */
export type ClientStreamHandler<Request, Response> = (
  requests: AsyncIterable<Request>,
  call: CallContext,
) => Promise<Response>;
