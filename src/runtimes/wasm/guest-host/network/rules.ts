import { BlockList, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { NetworkRules } from '../../hosts/protocol.ts';

/**
 * Addresses that a connection to stays on the machine: 127.0.0.0/8 and ::1 (RFC 1122, RFC 4291), the unspecified
 * ones, which Linux takes for loopback, and those that only carry an IPv4 address (RFC 4291, RFC 6052). A mapped one
 * (::ffff:0:0/96) is found by the IPv4 address in it.
 */
const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addSubnet('0.0.0.0', 8, 'ipv4');
loopback.addSubnet('::', 96, 'ipv6');
loopback.addSubnet('64:ff9b::7f00:0', 104, 'ipv6');

/** Whether a guest may not send to this port of this address, which is what is connected to and no name. */
export function isRefused(rules: NetworkRules, address: string, port: number): boolean {
  const [plain = ''] = address.split('%');
  const own = rules.ownPorts.includes(port);
  if (contains(loopback, plain)) return own || !rules.loopback;
  return own && contains(addressesOfMachine(), plain);
}

/** Read anew each time: an interface may have come or changed. */
function addressesOfMachine(): BlockList {
  const list = new BlockList();
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { address, family } of addresses ?? []) {
      list.addAddress(address.split('%')[0] ?? address, family === 'IPv6' ? 'ipv6' : 'ipv4');
    }
  }
  return list;
}

function contains(list: BlockList, address: string): boolean {
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}
