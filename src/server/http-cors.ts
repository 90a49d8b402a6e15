/**
 * Pages of other origins that an operator has listed (https://fetch.spec.whatwg.org/#http-cors-protocol).
 *
 * - They call methods, tasks and statuses; what the page of the node signs in with, and its files, are its own.
 * - Nothing that a browser adds by itself counts: `access-control-allow-credentials` is never sent, so that their calls
 *   may do what the token does that they send.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { mayCall } from './http-browser.ts';
import { openApiPath } from './http-openapi.ts';

/** Stands for any origin. */
export const anyOrigin = '*';

const allowedHeaders =
  /^(accept|authorization|content-type|idempotency-key|last-event-id|prefer|traceparent|tracestate|x-grpc-web|x-user-agent|(connect|grpc|spear)-[a-z-]+)$/;
const allowedMethods = 'GET, HEAD, POST';
const exposedHeaders = [
  ...['location', 'retry-after', 'preference-applied', 'www-authenticate'],
  ...['grpc-status', 'grpc-message', 'grpc-status-details-bin'],
  ...['spear-execution-id', 'spear-status', 'spear-attempt', 'spear-exit-code', 'spear-error-code'],
  ...['spear-joined', 'spear-cache', 'spear-cached-from', 'age'],
].join(', ');
/** No browser keeps it for longer than Firefox, a day; Chromium keeps it for two hours. In seconds. */
const maxAge = 86_400;

/** `/api/<Service>/<Method>`, and not what is the page's own beside it. */
const methodPath = /^\/api\/([a-z]\w*\.)*[A-Z]\w*\/\w+$/;

/** What pages of listed origins may call, beside the paths of services. */
export function isForPages(path: string): boolean {
  return (
    path.startsWith('/tasks/') || path.startsWith('/status/') || path === openApiPath || methodPath.test(path)
  );
}

export class AllowedOrigins {
  readonly #origins: ReadonlySet<string>;

  /** As browsers send them, or `anyOrigin` alone. */
  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins);
  }

  /** Lets a page of a listed origin call; true where it only asked whether it may, and has been answered. */
  admit(request: IncomingMessage, response: ServerResponse): boolean {
    if (this.#origins.size === 0) return false;
    const any = this.#origins.has(anyOrigin);
    // What is kept of an answer is not for pages of other origins.
    if (!any) response.setHeader('vary', 'origin');
    const { origin } = request.headers;
    if (origin === undefined || !(any || this.#origins.has(origin))) return false;
    mayCall(request);
    response.setHeader('access-control-allow-origin', any ? anyOrigin : origin);
    response.setHeader('access-control-expose-headers', exposedHeaders);
    if (request.method !== 'OPTIONS' || !('access-control-request-method' in request.headers)) return false;
    answerPreflight(request, response);
    return true;
  }
}

function answerPreflight({ headers }: IncomingMessage, response: ServerResponse): void {
  const wanted = String(headers['access-control-request-headers'] ?? '').split(',');
  const allowed = wanted.map((name) => name.trim().toLowerCase()).filter((name) => allowedHeaders.test(name));
  response.appendHeader('vary', 'access-control-request-headers');
  response.writeHead(204, {
    'access-control-allow-methods': allowedMethods,
    ...(allowed.length > 0 && { 'access-control-allow-headers': allowed.join(', ') }),
    'access-control-max-age': String(maxAge),
  });
  response.end();
}
