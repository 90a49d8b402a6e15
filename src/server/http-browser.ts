/**
 * What a page in a browser may do. A page of another origin may do nothing. Our own may do what the role of its token
 * allows; without a token anything that a browser can be made to send must be refused where it changes something,
 * unless the node was told to let it.
 */
import type { IncomingMessage } from 'node:http';
import { RequestError } from '../domain/errors.ts';

/** Throws permission_denied for a request of a page that may not make it. Whoever is no browser may. */
export function checkBrowser(
  request: IncomingMessage,
  { changes, actionsAllowed }: { readonly changes: boolean; readonly actionsAllowed: boolean },
): void {
  if (!isBrowser(request)) return;
  if (isForeign(request)) {
    throw new RequestError('permission_denied', 'a page of another site may not do this', {
      reason: 'CROSS_SITE',
    });
  }
  // Whether the token is good is told by whoever looks for its principal.
  if (changes && !actionsAllowed && request.headers.authorization === undefined) {
    throw new RequestError(
      'permission_denied',
      'this node does not let a page without a token change anything; the link of spear page has one, and spear serve --allow-ui-actions lets a page do without',
      { reason: 'ACTIONS_NOT_ALLOWED' },
    );
  }
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

/** A method that only reads, by its name. */
export function isReading(method: string): boolean {
  return /^(Get|List|Describe|Explain|Watch|Wait)[A-Z]/.test(method);
}
