import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isRead, refuseMethod } from './http-answer.ts';
import { checkBrowser } from './http-browser.ts';

export const openApiPath = '/openapi.json';

/** Made by `npm run generate`. */
const file = new URL('./gen/openapi.json', import.meta.url);

/** The description of all this (OpenAPI 3.1), for everybody: it says of a node no more than its version. */
export async function sendOpenApi(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!isRead(request)) return refuseMethod(response, 'GET, HEAD');
  checkBrowser(request);
  const body = await readFile(file);
  response.writeHead(200, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': body.byteLength,
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}
