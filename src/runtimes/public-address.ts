import { BlockList, isIPv4, isIPv6 } from 'node:net';

/**
 * IPv4 that is not the public internet, from the IANA registry of special-purpose addresses: this network, private,
 * shared (carrier NAT), loopback, link-local, protocol assignments, documentation, the 6to4 relays, benchmarks,
 * multicast, reserved and broadcast.
 */
const special4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];

/**
 * Everything but 2000::/3, which is all the IPv6 that is given out as public: so also loopback, unspecified, mapped
 * and translated IPv4 (::ffff:0:0/96, 64:ff9b::/96), unique local, link-local, multicast. Of 2000::/3 those that
 * carry an IPv4 address (Teredo in 2001::/23, 6to4 in 2002::/16) and those for documentation.
 */
const special6: readonly (readonly [string, number])[] = [
  ['::', 3],
  ['4000::', 2],
  ['8000::', 1],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

/** Two lists: an IPv4 address is in `::/3` of a list that has both, as a mapped one. */
const blocked4 = listOf(special4, 'ipv4');
const blocked6 = listOf(special6, 'ipv6');

/** Whether an IP address is one of the public internet; what is no address is not. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !blocked4.check(address, 'ipv4');
  // An address with a zone is of one link.
  return isIPv6(address) && !address.includes('%') && !blocked6.check(address, 'ipv6');
}

function listOf(subnets: readonly (readonly [string, number])[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const [address, prefix] of subnets) list.addSubnet(address, prefix, family);
  return list;
}
