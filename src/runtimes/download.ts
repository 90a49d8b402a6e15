import type { IncomingMessage } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import { isIP } from 'node:net';
import { invalidArgument, quote, RequestError } from '../domain/errors.ts';
import { checkedLookup, NotAllowed } from './checked-lookup.ts';
import { isPublicAddress } from './public-address.ts';
import type { Fetching } from './runtime.ts';

export interface DownloadOptions extends Fetching {
  readonly maxBytes: number;
  /** Also fetches from addresses that are not of the public internet. */
  readonly allowPrivateHosts: boolean;
  /** Certificate authorities to trust, as PEM, instead of those that come with Node. */
  readonly ca?: string;
  /** Without a single byte for so long it is given up; 30 s unless told. */
  readonly stallMs?: number;
  /** Which addresses are public; the internet's unless told. */
  readonly isPublic?: (address: string) => boolean;
}

const field = 'definition.artifact.url';
const maxRedirects = 5;
const defaultStallMs = 30_000;

/** Progress is told once in so many bytes, and at the end. */
const progressBytes = 256 * 1024;

/**
 * Fetches a file over https. The URL is a stranger's, and the node stands where the stranger does not: so each host,
 * of a redirect too, must have public addresses only, and the addresses that are checked are those that the socket
 * connects to. Nothing is sent but the path.
 *
 * @throws RequestError invalid_argument for `definition.artifact.url` where the URL, or one that it redirects to, is
 *   not allowed, or the file is too large; failed_precondition ARTIFACT_UNAVAILABLE where it cannot be fetched
 * @throws the signal's reason where that ended it
 */
export async function download(url: string, options: DownloadOptions): Promise<Uint8Array> {
  try {
    return await follow(url, options);
  } catch (error) {
    options.signal.throwIfAborted();
    if (error instanceof RequestError) throw error;
    if (error instanceof NotAllowed) throw notPublic(error.host);
    throw unavailable(wordsFor(error), error);
  }
}

async function follow(first: string, options: DownloadOptions): Promise<Uint8Array> {
  let url = checkUrl(first, undefined, options);
  for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
    const response = await get(url, options);
    const { statusCode = 0, headers } = response;
    if (statusCode === 200) return await read(response, nameOf(url), options);
    response.destroy();
    if (![301, 302, 303, 307, 308].includes(statusCode) || headers.location === undefined) {
      throw unavailable(`its host answered with HTTP ${statusCode}`);
    }
    url = checkUrl(headers.location, url, options);
  }
  throw unavailable(`it redirects more than ${maxRedirects} times`);
}

function checkUrl(text: string, base: URL | undefined, options: DownloadOptions): URL {
  const what = base === undefined ? '' : 'redirects to what is not allowed: ';
  const url = URL.parse(text, base?.href);
  if (url === null) throw invalidArgument(field, `${what}${quote(text)} is not a URL`);
  if (url.protocol !== 'https:') {
    throw invalidArgument(field, `${what}its scheme is ${quote(url.protocol)}; allowed is https`);
  }
  if (url.username !== '' || url.password !== '') {
    throw invalidArgument(
      field,
      `${what}it has a user or password; allowed is none, as it is kept and shown`,
    );
  }
  const host = hostOf(url);
  // A socket asks `lookup` only about names.
  if (isIP(host) !== 0) checkAddress(host, host, options);
  return url;
}

/** Without the brackets of an IPv6 address. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

function checkAddress(host: string, address: string, options: DownloadOptions): void {
  if (!isAllowed(address, options)) throw notPublic(host);
}

function isAllowed(
  address: string,
  { allowPrivateHosts, isPublic = isPublicAddress }: DownloadOptions,
): boolean {
  return allowPrivateHosts || isPublic(address);
}

function notPublic(host: string): RequestError {
  return invalidArgument(
    field,
    `${quote(host)} is not a host of the public internet; others are for a node that was started with --allow-private-artifact-hosts`,
  );
}

function get(url: URL, options: DownloadOptions): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const settings: RequestOptions = {
    // Not the shared agent: its sockets may be to addresses that were checked for someone else.
    agent: false,
    headers: { 'accept-encoding': 'identity', accept: 'application/wasm, */*', 'user-agent': 'spear' },
    lookup: checkedLookup((address) => isAllowed(address, options)),
    signal: options.signal,
    timeout: options.stallMs ?? defaultStallMs,
    ...(options.ca !== undefined && { ca: options.ca }),
  };
  let open: { destroy(error: Error): unknown };
  const sent = request(url, settings, (response) => {
    open = response;
    resolve(response);
  });
  open = sent;
  sent.on('error', reject);
  sent.on('timeout', () => open.destroy(new Stalled()));
  sent.end();
  return promise;
}

class Stalled extends Error {}

async function read(response: IncomingMessage, part: string, options: DownloadOptions): Promise<Uint8Array> {
  const { maxBytes, progress } = options;
  const announced = Number(response.headers['content-length'] ?? 0);
  const totalBytes = Number.isSafeInteger(announced) ? announced : 0;
  try {
    if (totalBytes > maxBytes) throw tooLarge(maxBytes);
    if ((response.headers['content-encoding'] ?? 'identity') !== 'identity') {
      throw unavailable('its host sent it compressed, which it was not asked for');
    }
    const chunks: Uint8Array[] = [];
    let doneBytes = 0;
    let toldBytes = 0;
    for await (const chunk of response) {
      chunks.push(chunk);
      doneBytes += chunk.length;
      if (doneBytes > maxBytes) throw tooLarge(maxBytes);
      if (doneBytes - toldBytes < progressBytes) continue;
      toldBytes = doneBytes;
      progress({ part, status: 'downloading', doneBytes, totalBytes });
    }
    progress({ part, status: 'downloaded', doneBytes, totalBytes: doneBytes });
    return Buffer.concat(chunks);
  } finally {
    response.destroy();
  }
}

function nameOf(url: URL): string {
  return url.pathname.split('/').at(-1) || url.hostname;
}

function tooLarge(maxBytes: number): RequestError {
  return invalidArgument(field, `it has more than ${maxBytes} bytes, which is the most that is allowed`);
}

function unavailable(words: string, cause?: unknown): RequestError {
  const description = `the artifact cannot be fetched: ${words}`;
  return new RequestError('failed_precondition', `${field}: ${description}`, {
    reason: 'ARTIFACT_UNAVAILABLE',
    violations: [{ field, description }],
    cause,
  });
}

/** By the code only: a message could tell what stands in the node's network. */
function wordsFor(error: unknown): string {
  if (error instanceof Stalled) return 'its host sent nothing for too long';
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the name of its host is not known';
  if (code === 'ECONNREFUSED') return 'its host refuses connections';
  return /^[A-Z0-9_]{1,60}$/.test(code) ? `the connection failed with ${code}` : 'the connection failed';
}
