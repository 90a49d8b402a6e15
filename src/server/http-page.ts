/** The page: files that the node has in memory, under a policy that lets them load nothing from elsewhere. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isRead, refuseMethod } from './http-answer.ts';

/** A file as it was read at the start. */
export interface PageFile {
  readonly contentType: string;
  /** In quotes, as HTTP has it. */
  readonly etag: string;
  readonly body: Buffer;
  readonly gzipped: Buffer;
}

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export function servePage(file: PageFile, request: IncomingMessage, response: ServerResponse): void {
  if (!isRead(request)) {
    refuseMethod(response, 'GET, HEAD');
    return;
  }
  const zipped = accepts(request, 'gzip');
  const headers = {
    'content-security-policy': policy,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    // Asked for again each time, so that a new version of the node never meets the page of an old one.
    'cache-control': 'no-cache',
    vary: 'accept-encoding',
    etag: file.etag,
  };
  if (knows(request, file.etag)) {
    response.writeHead(304, headers).end();
    return;
  }
  const body = zipped ? file.gzipped : file.body;
  response.writeHead(200, {
    ...headers,
    'content-type': file.contentType,
    'content-length': body.byteLength,
    ...(zipped && { 'content-encoding': 'gzip' }),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function accepts({ headers }: IncomingMessage, encoding: string): boolean {
  const named = String(headers['accept-encoding'] ?? '').split(',');
  return named.some((each) => {
    const [name, weight] = each.trim().split(';');
    return name === encoding && !/^q=0(\.0*)?$/.test(weight?.trim() ?? '');
  });
}

function knows({ headers }: IncomingMessage, etag: string): boolean {
  const known = String(headers['if-none-match'] ?? '').split(',');
  return known.some((each) => each.trim().replace(/^W\//, '') === etag);
}
