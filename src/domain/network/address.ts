/** IP addresses as numbers, and what each of them stands for. */

export interface IpAddress {
  readonly family: 4 | 6;
  /** In network order: 32 or 128 bits. */
  readonly value: bigint;
}

/**
 * What an address is, by the IANA registries of special-purpose addresses. `loopback` has the unspecified ones, which
 * Linux takes for it; `private` has unique local and carrier-grade ones; `metadata` is where clouds tell a machine its
 * credentials; `special` is all else that is not given out as public.
 */
export type AddressKind =
  | 'public'
  | 'loopback'
  | 'private'
  | 'link-local'
  | 'metadata'
  | 'multicast'
  | 'special';

/** As many first bits of an address as `prefix` says. */
export interface AddressRange extends IpAddress {
  readonly prefix: number;
}

/** Undefined where it is none. IPv4 is four decimal numbers without leading zeros; IPv6 has no zone and no brackets. */
export function parseAddress(text: string): IpAddress | undefined {
  const ipv4 = parseIpv4(text);
  if (ipv4 !== undefined) return { family: 4, value: ipv4 };
  const ipv6 = parseIpv6(text);
  return ipv6 === undefined ? undefined : { family: 6, value: ipv6 };
}

function parseIpv4(text: string): bigint | undefined {
  if (!/^(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){3}$/.test(text)) return undefined;
  const octets = text.split('.').map(Number);
  if (octets.some((octet) => octet > 255)) return undefined;
  return octets.reduce((value, octet) => (value << 8n) | BigInt(octet), 0n);
}

const groups = 8;

function parseIpv6(text: string): bigint | undefined {
  if (!/^[0-9a-fA-F:.]{2,45}$/.test(text)) return undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const parts = halves.map((half, index) => groupsOf(half, index === halves.length - 1));
  const [head, tail] = parts;
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const gap = groups - head.length - (tail?.length ?? 0);
  if (tail === undefined ? gap !== 0 : gap < 1) return undefined;
  const all = tail === undefined ? head : [...head, ...Array<number>(gap).fill(0), ...tail];
  return all.reduce((value, group) => (value << 16n) | BigInt(group), 0n);
}

/** Groups of 16 bits; the last two may be written as an IPv4 address where `last`. Undefined where one is none. */
function groupsOf(text: string, last: boolean): number[] | undefined {
  if (text === '') return [];
  const found: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    const ipv4 = last && index === parts.length - 1 ? parseIpv4(part) : undefined;
    if (ipv4 !== undefined) found.push(Number(ipv4 >> 16n), Number(ipv4 & 0xffffn));
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) found.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return found;
}

/**
 * The IPv4 address that an IPv6 address only carries, or the address itself: mapped (RFC 4291, 2.5.5.2), compatible
 * (2.5.5.1), NAT64 with the well-known prefix (RFC 6052) and 6to4 (RFC 3056).
 */
export function reachedAddress(address: IpAddress): IpAddress {
  if (address.family === 4) return address;
  const { value } = address;
  const low = value & 0xffff_ffffn;
  const high = value >> 32n;
  if (high === 0xffffn || high === 0x64_ff9b_0000_0000_0000_0000n) return { family: 4, value: low };
  // `::` and `::1` are addresses of their own.
  if (high === 0n && low > 1n) return { family: 4, value: low };
  if (value >> 112n === 0x2002n) return { family: 4, value: (value >> 80n) & 0xffff_ffffn };
  return address;
}

export function inRange({ family, value }: IpAddress, range: AddressRange): boolean {
  const bits = BigInt((range.family === 4 ? 32 : 128) - range.prefix);
  return family === range.family && value >> bits === range.value >> bits;
}

function ranges(kind: AddressKind, ...texts: readonly string[]): [AddressKind, AddressRange][] {
  return texts.map((text) => {
    const [base = '', prefix] = text.split('/');
    const address = parseAddress(base);
    if (address === undefined) throw new Error(`${text} is no range`);
    return [kind, { ...address, prefix: Number(prefix) }];
  });
}

/**
 * The first that has an address counts. Sources: IANA's IPv4 and IPv6 Special-Purpose Address Registries; the metadata
 * services of AWS (also for containers), Azure and Google (all 169.254.169.254), Alibaba and Oracle.
 */
const kinds: readonly (readonly [AddressKind, AddressRange])[] = [
  ...ranges('metadata', '169.254.169.254/32', '169.254.170.2/32', '169.254.170.23/32', '100.100.100.200/32'),
  ...ranges('metadata', '192.0.0.192/32', 'fd00:ec2::254/128', 'fd00:ec2::23/128'),
  ...ranges('loopback', '127.0.0.0/8', '0.0.0.0/8', '::1/128', '::/128'),
  ...ranges('private', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'),
  ...ranges('link-local', '169.254.0.0/16', 'fe80::/10'),
  ...ranges('multicast', '224.0.0.0/4', 'ff00::/8'),
  ...ranges('special', '192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '198.18.0.0/15'),
  ...ranges('special', '198.51.100.0/24', '203.0.113.0/24', '240.0.0.0/4'),
  // Teredo and other protocols, documentation.
  ...ranges('special', '2001::/23', '2001:db8::/32', '3fff::/20'),
  ...ranges('public', '0.0.0.0/0', '2000::/3'),
];

/** Of what it reaches: see `reachedAddress`. */
export function kindOfAddress(address: IpAddress): AddressKind {
  const reached = reachedAddress(address);
  return kinds.find(([, range]) => inRange(reached, range))?.[0] ?? 'special';
}

/** Whether every address of the range is a public one. */
export function isPublicRange(range: AddressRange): boolean {
  if (kindOfAddress(range) !== 'public') return false;
  return !kinds.some(([kind, other]) => kind !== 'public' && inRange(other, range));
}
