// What the thread of preview2-shim that has the sockets is given, as one of the extensions that it can load.

import type { NetworkRefusal } from '../../../../domain/network/refusal.ts';
import { NetworkGate } from '../../../network/gate.ts';
import { encodeRecordHeader, recordKind } from '../../hosts/channel.ts';
import type { NetworkRules } from '../../hosts/protocol.ts';
import { type SharedSocket, SocketWriter } from '../socket-writer.ts';
import { Connections } from './connections.ts';
import { installGuards } from './guards.ts';

/** What holds for one guest: its task's network list, and what the node says. */
export interface GuestRules extends NetworkRules {
  readonly entries: readonly string[];
}

/** Where refusals are told: at once, also where the guest itself never comes back. */
export interface RefusalReport {
  readonly socket: SharedSocket;
  /** Of the guest's job. */
  readonly ticket: number;
}

/** What it is asked for; `end` answers whether nothing is left open. */
export type Operation = readonly ['begin', GuestRules, RefusalReport] | readonly ['end'];

/** What `--allow-guest-loopback` adds to every list. */
const loopback = ['127.0.0.0/8', '0.0.0.0/8', '::1', '::'];

/** The extension: guests reach the network between `begin` and `end`, and what they opened ends with that. */
export default function createExtension(): (...operation: [string, readonly unknown[]]) => Promise<boolean> {
  const connections = new Connections();
  let gate: NetworkGate | undefined;
  installGuards({ gate: () => gate, opened: (connection) => connections.add(connection) });
  return async (operation, [rules, report]) => {
    if (operation === 'begin') {
      gate = gateOf(rules as GuestRules, report as RefusalReport);
      return true;
    }
    gate?.end();
    gate = undefined;
    return connections.close();
  };
}

function gateOf(
  { entries, loopback: open, ownPorts }: GuestRules,
  { socket, ticket }: RefusalReport,
): NetworkGate {
  const writer = new SocketWriter(socket);
  const tell = (refusal: NetworkRefusal): void => {
    const text = Buffer.from(JSON.stringify(refusal));
    writer.write(Buffer.concat([encodeRecordHeader(recordKind.refusal, ticket, text.length), text]));
  };
  return new NetworkGate({
    entries: open ? [...entries, ...loopback] : entries,
    ownPorts: () => ownPorts,
    tell,
  });
}
