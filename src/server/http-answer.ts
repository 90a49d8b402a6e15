/** What the HTTP side answers with: JSON, and errors as JSON. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestError, RequestErrorKind } from '../domain/errors.ts';
import { traceContext } from '../domain/trace.ts';
import type { CallContext } from './call.ts';
import type { EndedCall } from './ended-call.ts';
import { keepOpenForBody } from './http-body.ts';

export const httpCodes = {
  invalid_argument: 400,
  not_found: 404,
  already_exists: 409,
  resource_exhausted: 429,
  failed_precondition: 409,
  out_of_range: 400,
  aborted: 409,
  unimplemented: 501,
  permission_denied: 403,
  unauthenticated: 401,
  unavailable: 503,
  deadline_exceeded: 504,
  cancelled: 499,
  internal: 500,
} as const satisfies Record<RequestErrorKind, number>;

/** An answer that has begun cannot become an error any more: its connection is cut. */
export function sendJson(response: ServerResponse, code: number, body: unknown): void {
  // Its caller may hear no more, and knows why.
  if (response.writableEnded) return;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  keepOpenForBody(response);
  const text = JSON.stringify(body);
  response.writeHead(code, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(text);
}

export function sendError(response: ServerResponse, error: RequestError): void {
  if (error.retryAfterMs !== undefined && !response.headersSent) {
    response.setHeader('retry-after', Math.ceil(error.retryAfterMs / 1000));
  }
  if (error.kind === 'unauthenticated' && !response.headersSent) {
    response.setHeader('www-authenticate', 'Bearer realm="spear"');
  }
  sendJson(response, codeOf(error), errorBody(error));
}

/** One that came too slowly was no failure of something behind us. */
function codeOf({ kind, reason }: RequestError): number {
  return reason === 'REQUEST_TOO_SLOW' ? 408 : httpCodes[kind];
}

/** Whoever asks over HTTP is told apart by address. */
export function callerOf({ socket }: IncomingMessage): string {
  return socket.remoteAddress ?? '';
}

/** HEAD is answered as GET is, without the body, which Node leaves out by itself. */
export function isRead({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD';
}

export function refuseMethod(response: ServerResponse, allowed: string): void {
  response.setHeader('allow', allowed);
  sendJson(response, 405, { error: { reason: 'METHOD_NOT_ALLOWED', message: `allowed is ${allowed}` } });
}

export function errorBody(error: RequestError) {
  return {
    error: {
      code: error.kind.toUpperCase(),
      reason: error.reason,
      message: error.message.toWellFormed(),
      ...(error.violations.length > 0 && { violations: error.violations }),
      ...(error.quota !== undefined && { quota: error.quota }),
      ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
      ...(Object.keys(error.metadata).length > 0 && { metadata: error.metadata }),
    },
  };
}

/** What a handler knows of a caller over HTTP. */
export function contextOf(
  response: ServerResponse,
  { principal, scope }: Pick<CallContext, 'principal' | 'scope'>,
  ended: EndedCall,
): CallContext {
  return {
    principal,
    scope,
    get trace() {
      // Node joins headers that come twice.
      const { traceparent, tracestate } = response.req.headers;
      return traceContext(traceparent?.toString(), tracestate?.toString());
    },
    deadlineMs: undefined,
    remainingMs: () => undefined,
    get gone() {
      // Not by the request: it is destroyed as soon as its body was read.
      return ended.ended || (response.destroyed && !response.writableFinished);
    },
    onGone(listener) {
      ended.onEnd(listener);
      response.once('close', () => {
        if (!response.writableFinished && !ended.ended) listener('gone');
      });
    },
  };
}

/** A part of a path as it was meant. */
export function decodePathPart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // A broken escape names no execution.
    return part;
  }
}
