/** What a caller would like of its answer: the header `Prefer` (RFC 7240), of which these are known. */
import { isUtf8 } from 'node:buffer';
import { invalidArgument, quote } from '../domain/errors.ts';

export interface Preferences {
  /** Answer when it is accepted. */
  readonly respondAsync: boolean;
  /** How long to wait for the end, in seconds; undefined for as long as it takes. */
  readonly waitSeconds: number | undefined;
}

/** Longer than any execution takes: a year. */
const mostSeconds = 366 * 24 * 60 * 60;

/** Others are passed over, as the RFC says. Throws invalid_argument for a `wait` that is no number of seconds. */
export function preferencesOf(header: string | readonly string[] | undefined): Preferences {
  let respondAsync = false;
  let waitSeconds: number | undefined;
  const parts = [header ?? []].flat().flatMap((text) => text.split(','));
  for (const part of parts) {
    const [name = '', value] = (part.split(';', 1)[0] ?? '').split('=', 2).map((each) => each.trim());
    if (name.toLowerCase() === 'respond-async') respondAsync = true;
    // The first one counts where it comes twice.
    else if (name.toLowerCase() === 'wait') waitSeconds ??= secondsFrom(value ?? '');
  }
  return { respondAsync, waitSeconds };
}

function secondsFrom(text: string): number {
  const digits = text.replace(/^"(.*)"$/, '$1');
  const seconds = Number(digits);
  if (/^\d+$/.test(digits) && seconds <= mostSeconds) return seconds;
  throw invalidArgument(
    'Prefer',
    `has wait=${quote(text)}; allowed is a whole number of seconds up to ${mostSeconds}`,
  );
}

/** The key of the header `Idempotency-Key`, with or without quotation marks around it; empty for none. */
export function idempotencyKey(header: string | readonly string[] | undefined): string {
  const [text = '', second] = [header ?? []].flat();
  // Node joins what comes twice.
  if (second !== undefined) throw invalidArgument('Idempotency-Key', 'is given twice; allowed is once');
  const key = headerText('Idempotency-Key', text);
  return /^"(?:[^"\\]|\\["\\])*"$/.test(key) ? key.slice(1, -1).replace(/\\(["\\])/g, '$1') : key;
}

/** Node gives the bytes of a header as latin1; ours are UTF-8, as texts are elsewhere. Throws invalid_argument. */
export function headerText(name: string, value: string): string {
  const bytes = Buffer.from(value, 'latin1');
  if (!isUtf8(bytes)) throw invalidArgument(name, 'is not UTF-8; allowed is UTF-8');
  return bytes.toString();
}
