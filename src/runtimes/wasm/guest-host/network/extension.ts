// What the thread of preview2-shim that has the sockets is given, as one of the extensions that it can load.

import type { NetworkRules } from '../../hosts/protocol.ts';
import { Connections } from './connections.ts';
import { installGuards } from './guards.ts';
import { NameLookups } from './name-lookups.ts';
import { isRefused } from './rules.ts';

/** What it is asked for; `end` answers whether nothing is left open. */
export type Operation = readonly ['begin', NetworkRules] | readonly ['end'];

/** The extension: guests reach the network between `begin` and `end`, and what they opened ends with that. */
export default function createExtension(): (...operation: [string, readonly unknown[]]) => Promise<boolean> {
  const connections = new Connections();
  const lookups = new NameLookups();
  let rules: NetworkRules | undefined;
  installGuards({
    allows: (address, port) => rules !== undefined && !isRefused(rules, address, port),
    find: (name) => (rules === undefined ? Promise.reject({ code: 'ECANCELLED' }) : lookups.find(name)),
    opened: (connection) => connections.add(connection),
  });
  return async (operation, [given]) => {
    if (operation === 'begin') {
      rules = given as NetworkRules;
      return true;
    }
    rules = undefined;
    lookups.cancel();
    return connections.close();
  };
}
