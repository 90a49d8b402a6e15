/** An entry of a task's network list: where its function may connect to. */
import { type AddressRange, isPublicRange, parseAddress, reachedAddress } from './address.ts';

/** `port` absent means all. */
export type Destination =
  /** Every public address. */
  | { readonly kind: 'public' }
  /** The host of this name, in lower case, at whatever public address it has. */
  | { readonly kind: 'host'; readonly name: string; readonly port?: number }
  /** All hosts below this domain. */
  | { readonly kind: 'below'; readonly domain: string; readonly port?: number }
  /** Addresses, whatever they are. */
  | { readonly kind: 'range'; readonly range: AddressRange; readonly port?: number };

export const destinationWords = {
  what: 'a destination',
  allowed: 'public, HOST, *.DOMAIN, an address or a CIDR, each but the first also with :PORT',
};

/** Of the whole entry; what fits may still be none, such as 300.0.0.0/8. */
export const destinationPattern =
  /^(?:public|\[[0-9a-fA-F:.]+(?:\/\d{1,3})?\](?::\d{1,5})?|[0-9a-fA-F:]*:[0-9a-fA-F:.]*(?:\/\d{1,3})?|(?:\*\.)?[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?(?:\/\d{1,2})?(?::\d{1,5})?)$/;

/** One label of a name (RFC 1123; names of services have underscores). */
const label = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;

/** Undefined where it is none. */
export function parseDestination(text: string): Destination | undefined {
  if (text === 'public') return { kind: 'public' };
  if (!destinationPattern.test(text)) return undefined;
  const bracketed = /^\[(.*)\](?::(\d+))?$/.exec(text);
  const plain = (text.match(/:/g)?.length ?? 0) > 1 ? [text, text] : /^(.*?)(?::(\d+))?$/.exec(text);
  const [, host = '', portText] = bracketed ?? plain ?? [];
  const port = bracketed === null && plain?.length === 2 ? undefined : portText;
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return undefined;
  const at = port === undefined ? {} : { port: Number(port) };
  const range = parseRange(host);
  if (range !== undefined) return { kind: 'range', range, ...at };
  if (bracketed !== null) return undefined;
  const below = host.startsWith('*.');
  const name = (below ? host.slice(2) : host).toLowerCase();
  if (!isName(name) || name === 'public') return undefined;
  return below ? { kind: 'below', domain: name, ...at } : { kind: 'host', name, ...at };
}

/** A name that is no way to write a number: `127.1`, `0x7f.1` and `2130706433` are addresses to some parsers. */
function isName(text: string): boolean {
  const labels = text.split('.');
  if (text.length > 253 || !labels.every((each) => label.test(each))) return false;
  return !/^(?:\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '');
}

/** An address, or one with the length of its prefix; one that only carries an IPv4 address is written as that. */
function parseRange(text: string): AddressRange | undefined {
  const [base = '', length] = text.split('/');
  const address = parseAddress(base);
  if (address === undefined || reachedAddress(address) !== address) return undefined;
  const most = address.family === 4 ? 32 : 128;
  const prefix = length === undefined ? most : Number(length);
  return prefix <= most ? { ...address, prefix } : undefined;
}

/** Whether it opens something else than public addresses. */
export function opensInside(destination: Destination): boolean {
  return destination.kind === 'range' && !isPublicRange(destination.range);
}
