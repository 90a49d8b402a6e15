/**
 * A page of another origin may do nothing, whoever its reader is to the node, unless its origin is listed. Our own may
 * do what its role allows.
 */
import type { IncomingMessage } from 'node:http';
import { RequestError } from '../domain/errors.ts';

const listed = new WeakSet<IncomingMessage>();

/** The request is of a page whose origin is listed, for what such pages may call. */
export function mayCall(request: IncomingMessage): void {
  listed.add(request);
}

/** Throws permission_denied for a request of a page that may not make it. Whoever is no browser may. */
export function checkBrowser(request: IncomingMessage): void {
  if (!isBrowser(request) || listed.has(request) || !isForeign(request)) return;
  throw new RequestError('permission_denied', 'a page of another site may not do this', {
    reason: 'CROSS_SITE',
  });
}

/**
 * Each browser says where a request comes from, and no page can keep it from that. Other clients send some of the
 * headers, too: the fetch of Node has Sec-Fetch-Mode.
 */
function isBrowser({ headers }: IncomingMessage): boolean {
  return headers.origin !== undefined || headers['sec-fetch-site'] !== undefined;
}

function isForeign({ headers }: IncomingMessage): boolean {
  const { origin, host } = headers;
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) return true;
  const site = headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return false;
  // Somebody followed a link, and sees what comes; the page with the link does not.
  return headers['sec-fetch-mode'] !== 'navigate';
}
