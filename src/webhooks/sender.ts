/**
 * Posts to a receiver that is a stranger's: its addresses are checked as they are connected to, a redirect is not
 * followed, of its answer a little is read, and all of it has to be over soon.
 */
import { createHmac } from 'node:crypto';
import { type ClientRequest, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { type Sent, urlFault, type WebhookRule } from '../domain/webhook.ts';
import { checkedLookup, NotAllowed } from '../runtimes/checked-lookup.ts';

export interface Message {
  readonly id: string;
  readonly url: string;
  readonly body: Uint8Array;
  /** Seconds since the epoch. */
  readonly timestamp: number;
  /** Each signs. */
  readonly keys: readonly Uint8Array[];
}

export interface SenderOptions extends WebhookRule {
  readonly userAgent: string;
  readonly timeoutMs?: number;
  /** Certificate authorities to trust, as PEM, instead of those that come with Node. */
  readonly ca?: string;
}

const usualTimeoutMs = 15_000;
/** Of an answer: it says nothing that is looked at. */
const mostAnswerBytes = 16 * 1024;
const mostHeaderBytes = 16 * 1024;
const longestRetryAfterMs = 6 * 3_600_000;

/** Never rejects. */
export function post(message: Message, options: SenderOptions, signal: AbortSignal): Promise<Sent> {
  return new Promise((resolve) => {
    const { url, body } = message;
    // What was allowed when it was named need not be any more, and a socket asks `lookup` only about names.
    const fault = urlFault(url, options);
    if (fault !== undefined) {
      resolve({ kind: 'failed', error: `its URL ${fault}` });
      return;
    }
    const target = new URL(url);
    const { isAllowed, userAgent, timeoutMs = usualTimeoutMs, ca } = options;
    const request = target.protocol === 'http:' ? requestHttp : requestHttps;
    const sent: ClientRequest = request(target, {
      method: 'POST',
      // Not the shared agent: its sockets may be to addresses that were checked for someone else.
      agent: false,
      headers: {
        'content-type': 'application/cloudevents+json; charset=utf-8',
        'content-length': body.byteLength,
        'user-agent': userAgent,
        'webhook-id': message.id,
        'webhook-timestamp': String(message.timestamp),
        'webhook-signature': signatureOf(message),
      },
      lookup: checkedLookup(isAllowed),
      maxHeaderSize: mostHeaderBytes,
      signal,
      ...(ca !== undefined && { ca }),
    });
    let status: number | undefined;
    const settle = (answer: Sent): void => {
      clearTimeout(over);
      sent.destroy();
      resolve(answer);
    };
    const fail = (error: unknown): void =>
      settle({ kind: 'failed', error: wordsFor(error), ...(status !== undefined && { status }) });
    // By itself: a request whose connection Node has closed says nothing more of its end.
    const over = setTimeout(() => fail(new TookTooLong(timeoutMs)), timeoutMs);
    sent.on('error', fail);
    sent.on('close', () => fail(undefined));
    // 101 has no response that ends; the connection is another protocol's from there on.
    sent.on('upgrade', ({ statusCode = 0 }, socket) => {
      socket.destroy();
      settle(judged(statusCode, undefined));
    });
    sent.on('response', (response) => {
      status = response.statusCode ?? 0;
      const answer = judged(status, response.headers['retry-after']);
      let bytes = 0;
      response.on('data', (chunk: Uint8Array) => {
        bytes += chunk.byteLength;
        if (bytes > mostAnswerBytes) settle(answer);
      });
      response.on('end', () => settle(answer));
      response.on('error', fail);
    });
    sent.end(body);
  });
}

/** Standard Webhooks: for each key `v1,` and the HMAC-SHA256 of `ID.TIMESTAMP.BODY` in base64. */
function signatureOf({ id, timestamp, body, keys }: Message): string {
  const signed = (key: Uint8Array): string =>
    createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64');
  return keys.map((key) => `v1,${signed(key)}`).join(' ');
}

function judged(status: number, retryAfter: string | undefined): Sent {
  if (status >= 200 && status < 300) return { kind: 'delivered', status };
  if (status === 410)
    return { kind: 'failed', status, error: 'it is gone for good (HTTP 410)', isFinal: true };
  const error =
    status >= 300 && status < 400
      ? `it redirects (HTTP ${status}), which is not followed`
      : `it answered with HTTP ${status}`;
  const retryAfterMs = status === 429 || status === 503 ? delayOf(retryAfter) : undefined;
  return { kind: 'failed', status, error, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

/** RFC 9110, 10.2.3: seconds, or a date. */
function delayOf(retryAfter: string | undefined): number | undefined {
  if (retryAfter === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(longestRetryAfterMs, Math.max(0, ms));
}

class TookTooLong extends Error {
  constructor(ms: number) {
    super(`it did not answer within ${ms / 1000} s`);
  }
}

function notAllowed(host: string): string {
  return `${host} is not a host of the public internet; others are for a node with --allow-private-webhook-hosts`;
}

/** By the code only: a message could tell what stands in the node's network. */
function wordsFor(error: unknown): string {
  if (error instanceof NotAllowed) return notAllowed(error.host);
  if (error instanceof TookTooLong) return error.message;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the name of its host is not known';
  if (code === 'ECONNREFUSED') return 'its host refuses connections';
  return /^[A-Z0-9_]{1,60}$/.test(code) ? `the connection failed with ${code}` : 'the connection failed';
}
