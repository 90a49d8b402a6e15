/** Brings spans to a receiver, by OTLP over HTTP with JSON (https://opentelemetry.io/docs/specs/otlp/#otlphttp). */
import type { Clock } from '../../domain/clock.ts';

/** What became of a request. */
export type Sent =
  /** It has them, but for `rejected`, which it will never take. */
  | { readonly kind: 'taken'; readonly rejected: number; readonly message: string }
  /** It will never take them. */
  | { readonly kind: 'refused'; readonly message: string }
  /** It may take them later. */
  | { readonly kind: 'unavailable'; readonly message: string; readonly retryAfterMs?: number };

export interface OtlpReceiver {
  /** A URL with the path. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
}

const requestMs = 10_000;
const mostAnswerBytes = 64 * 1024;
const longestRetryAfterMs = 300_000;
/** Those that the specification calls retryable. */
const later: readonly number[] = [429, 502, 503, 504];

/** Never rejects. `signal` gives the request up. */
export async function sendSpans(
  { endpoint, headers }: OtlpReceiver,
  body: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<Sent> {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  const timer = clock.setTimer(requestMs, abort);
  signal.addEventListener('abort', abort, { once: true });
  try {
    const response = await fetch(endpoint, {
      ...{ method: 'POST', body, redirect: 'error', signal: controller.signal },
      headers: { ...headers, 'content-type': 'application/json' },
    });
    const text = await answerText(response);
    if (response.ok) return taken(text);
    const message = `the receiver answered with HTTP ${response.status}`;
    if (!later.includes(response.status)) return { kind: 'refused', message };
    const retryAfterMs = retryAfter(response.headers.get('retry-after'), clock.now());
    return { kind: 'unavailable', message, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  } catch (error) {
    return { kind: 'unavailable', message: reasonOf(error) };
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', abort);
  }
}

/** What it says beyond the bound is nothing that we ask for. */
async function answerText({ body }: Response): Promise<string> {
  if (body === null) return '';
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const part of body) {
    bytes += part.byteLength;
    if (bytes > mostAnswerBytes) break;
    text += decoder.decode(part, { stream: true });
  }
  return text;
}

/** An answer may say that some of the spans were not good (`ExportTracePartialSuccess`). */
function taken(text: string): Sent {
  try {
    const answer: unknown = JSON.parse(text);
    if (typeof answer === 'object' && answer !== null && 'partialSuccess' in answer) {
      const { rejectedSpans = 0, errorMessage = '' } = (answer.partialSuccess ?? {}) as {
        readonly rejectedSpans?: unknown;
        readonly errorMessage?: unknown;
      };
      const rejected = Number(rejectedSpans);
      return {
        kind: 'taken',
        rejected: Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0,
        message: String(errorMessage).slice(0, 1024),
      };
    }
  } catch {
    // What is said beside a 200 is of no account where it cannot be read.
  }
  return { kind: 'taken', rejected: 0, message: '' };
}

/** Seconds, or an instant (RFC 9110, 10.2.3). */
function retryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? undefined : Math.min(longestRetryAfterMs, Math.max(0, ms));
}

/** `fetch` says why it failed in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'AbortError') return 'the receiver did not answer in time';
  return error.cause instanceof Error ? error.cause.message || error.cause.name : error.message;
}
