/** `/metrics`: the numbers of the node, for whoever may read what is of all tenants. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { mayReadAllTenants } from '../domain/access.ts';
import { quote, RequestError } from '../domain/errors.ts';
import { pathRoles } from '../domain/method-roles.ts';
import type { ChainOptions } from './chain.ts';
import { isRead, refuseMethod } from './http-answer.ts';
import { checkBrowser } from './http-browser.ts';
import { callerWith } from './http-caller.ts';

/** What a scrape reads. */
export interface MetricsSource {
  text(): Promise<{ readonly contentType: string; readonly text: string }>;
}

export interface MetricsOptions extends Pick<ChainOptions, 'authenticator' | 'calls'> {
  readonly metrics: MetricsSource;
}

/** Rejects with permission_denied for those who see one tenant: the numbers name all of them. */
export async function sendMetrics(
  options: MetricsOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!isRead(request)) return refuseMethod(response, 'GET, HEAD');
  checkBrowser(request);
  const { principal } = await callerWith(pathRoles.metrics, '/metrics', options, request, response);
  if (!mayReadAllTenants(principal)) {
    throw new RequestError(
      'permission_denied',
      `/metrics is of all tenants; ${quote(principal.name)} may read one. Make a token for it: spear token create NAME --role observe --all-tenants`,
      { reason: 'OUT_OF_SCOPE' },
    );
  }
  const { contentType, text } = await options.metrics.text();
  if (response.destroyed || response.writableEnded) return;
  response.writeHead(200, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(text);
}
