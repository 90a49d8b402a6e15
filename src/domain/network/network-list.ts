/** What a task's network list lets its function reach: every connection and look-up of a guest is held to this. */
import type { TaskDefinition } from '../task.ts';
import {
  type AddressKind,
  type IpAddress,
  inRange,
  kindOfAddress,
  parseAddress,
  reachedAddress,
} from './address.ts';
import { type Destination, opensInside, parseDestination } from './destination.ts';

/**
 * Why a function may not go somewhere: `node` is a port of the node itself, `unlisted` a public address or a name that
 * its list does not have, and the others are kinds of addresses that it does not have.
 */
export type NetworkRule = 'node' | 'unlisted' | Exclude<AddressKind, 'public'>;

export const networkRules: readonly NetworkRule[] = [
  ...(['node', 'unlisted', 'loopback', 'private', 'link-local', 'metadata', 'multicast', 'special'] as const),
];

/** The entries of a definition; an older one says only whether there is a network. */
export function networkOf({
  network,
  allowNetwork,
}: Pick<TaskDefinition, 'network' | 'allowNetwork'>): readonly string[] {
  return network ?? (allowNetwork ? ['public'] : []);
}

/** Its entries that open more than public addresses. */
export function insideEntries(network: readonly string[]): readonly string[] {
  return network.filter((entry) => {
    const destination = parseDestination(entry);
    return destination !== undefined && opensInside(destination);
  });
}

/** What is the node's own, at any address of its machine. */
export interface OwnListeners {
  readonly ports: readonly number[];
  /** Addresses of the machine, as it has them now. */
  addresses(): readonly string[];
}

/** A place that somebody wants to connect to. */
export interface Target {
  /** As it was asked for; absent where there was only an address. */
  readonly name?: string;
  readonly address: string;
  readonly port: number;
}

/** Names that stay on the machine (RFC 6761), and so can be looked up without telling anybody. */
const localName = /(?:^|\.)localhost\.?$/i;

export class NetworkList {
  readonly #destinations: readonly Destination[];
  readonly #own: OwnListeners;

  constructor(entries: readonly string[], own: OwnListeners) {
    this.#destinations = entries.flatMap((entry) => parseDestination(entry) ?? []);
    this.#own = own;
  }

  /**
   * Why a target may not be reached; undefined where it may. `names` are those that its address was found for, beside
   * its own. A name opens public addresses only: an answer of a name server cannot open the machine or its network.
   */
  refusal({ name, address, port }: Target, names: readonly string[] = []): NetworkRule | undefined {
    const parsed = parseAddress(address.replace(/%.*$/, ''));
    if (parsed === undefined) return 'special';
    const reached = reachedAddress(parsed);
    const kind = kindOfAddress(reached);
    if (this.#own.ports.includes(port) && (kind === 'loopback' || this.#isOfMachine(reached))) return 'node';
    const listed = this.#destinations.some(
      (each) => each.kind === 'range' && opens(each, reached, kind, port),
    );
    if (listed) return undefined;
    if (kind !== 'public') return kind;
    const known = name === undefined ? names : [name, ...names];
    const named = this.#destinations.some(
      (each) => each.kind === 'public' || known.some((one) => hasName(each, one) && isAt(each, port)),
    );
    return named ? undefined : 'unlisted';
  }

  /** Whether somebody may be asked for the addresses of a name: a question tells the name to others. */
  mayLookUp(name: string): boolean {
    if (parseAddress(name) !== undefined || localName.test(name)) return true;
    return this.#destinations.some((each) => each.kind === 'public' || hasName(each, name));
  }

  /** Whether a peer at this address may connect to the function: anybody where it may reach all that is public. */
  accepts(address: string): boolean {
    const peer = parseAddress(address.replace(/%.*$/, ''));
    if (peer === undefined) return false;
    const reached = reachedAddress(peer);
    return this.#destinations.some(
      (each) => each.kind === 'public' || (each.kind === 'range' && inRange(reached, each.range)),
    );
  }

  #isOfMachine({ family, value }: IpAddress): boolean {
    return this.#own.addresses().some((text) => {
      const own = parseAddress(text.replace(/%.*$/, ''));
      return own !== undefined && own.family === family && own.value === value;
    });
  }
}

function isAt(destination: Destination, port: number): boolean {
  return destination.kind === 'public' || destination.port === undefined || destination.port === port;
}

/** A metadata service is opened by its own address alone, and by no range that happens to have it. */
function opens(
  destination: Extract<Destination, { kind: 'range' }>,
  address: IpAddress,
  kind: AddressKind,
  port: number,
): boolean {
  const { range } = destination;
  const exact = range.prefix === (range.family === 4 ? 32 : 128);
  return inRange(address, range) && isAt(destination, port) && (exact || kind !== 'metadata');
}

function hasName(destination: Destination, name: string): boolean {
  const plain = name.toLowerCase().replace(/\.$/, '');
  if (destination.kind === 'host') return destination.name === plain;
  return destination.kind === 'below' && plain.endsWith(`.${destination.domain}`);
}
