/** What may not stand in a host, but would be taken for another part of a URL, or be left out of it. */
const foreign = /[\s/?#@\\%\0]/;

/** Names under this stand for an IPv6 address where a colon cannot stand; `.invalid` is never a real one (RFC 2606). */
const literalSuffix = '.ipv6-literal.invalid';

/** An authority of HTTP, taken apart: `port` is empty where it names none. */
export interface Authority {
  /** As `canonicalHost` gives it. */
  readonly host: string;
  readonly port: string;
}

/**
 * A name in lower case and ASCII, or an address without brackets in the one form that every parser reads alike:
 * `127.1` is `127.0.0.1`, and `::ffff:1.2.3.4` is `::ffff:102:304`. Undefined where it is neither.
 */
export function canonicalHost(text: string): string | undefined {
  const bracketed = text.includes(':') && !text.startsWith('[') ? `[${text}]` : text;
  const authority = parseAuthority(bracketed);
  return authority?.port === '' ? authority.host : undefined;
}

/** Undefined where it is no HOST or HOST:PORT; a user is refused, too (RFC 9110, section 4.2.4). */
export function parseAuthority(text: string): Authority | undefined {
  const port = /:(\d+)$/.exec(text)?.[1] ?? '';
  const name = port === '' ? text : text.slice(0, -port.length - 1);
  if (foreign.test(text) || Number(port) > 65_535 || !URL.canParse(`http://${name}`)) return undefined;
  const url = new URL(`http://${name}`);
  if (url.hostname === '' || url.port !== '' || name.endsWith(':')) return undefined;
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port };
}

/** The address as a name without colons, for a parser that splits at them. */
export function literalAsName(address: string): string {
  return address.replaceAll(':', '-') + literalSuffix;
}

/** The address that `literalAsName` made such a name of; any other name as it is. */
export function literalOfName(name: string): string {
  return name.endsWith(literalSuffix) ? name.slice(0, -literalSuffix.length).replaceAll('-', ':') : name;
}
