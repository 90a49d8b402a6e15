import { networkInterfaces } from 'node:os';
import { NetworkList, type OwnListeners, type Target } from '../../domain/network/network-list.ts';
import { type NetworkRefusal, RefusalCount } from '../../domain/network/refusal.ts';
import { type FoundAddress, NameLookups } from './name-lookups.ts';

export interface GateOptions {
  /** The network list of the task. */
  readonly entries: readonly string[];
  /** Of the node, refused at every address of the machine. Asked each time: a node may listen only later. */
  readonly ownPorts: () => readonly number[];
  /** Hears of refusals, bounded in number. */
  readonly tell: (refusal: NetworkRefusal) => void;
  readonly lookups?: NameLookups;
}

/** Addresses that are remembered with the names that they were found for. */
const mostAddresses = 4096;

/** As the system refuses a connection that a firewall forbids. */
export function refused(): NodeJS.ErrnoException {
  return Object.assign(new Error('this address is not open to the function'), { code: 'EACCES' });
}

/** Where one attempt may connect to: it asks before each connection, and each refusal is told. */
export class NetworkGate {
  readonly #list: NetworkList;
  readonly #lookups: NameLookups;
  readonly #refusals: RefusalCount;
  /** By address: a socket is connected to an address, and the list may have the name that it was found for. */
  readonly #names = new Map<string, readonly string[]>();

  constructor({ entries, ownPorts, tell, lookups = new NameLookups() }: GateOptions) {
    const own: OwnListeners = {
      get ports() {
        return ownPorts();
      },
      addresses: addressesOfMachine,
    };
    this.#list = new NetworkList(entries, own);
    this.#lookups = lookups;
    this.#refusals = new RefusalCount(tell);
  }

  /** Whether an address may not be connected to, and then tells so. */
  refuses(address: string, port: number): boolean {
    const rule = this.#list.refusal({ address, port }, this.#names.get(address));
    if (rule !== undefined) this.#refusals.add({ host: address, port, address: '', rule });
    return rule !== undefined;
  }

  /** Whether a peer at this address may connect to the function. */
  accepts(address: string): boolean {
    return this.#list.accepts(address);
  }

  /**
   * The addresses of a name, whether they may be reached or not. Rejects with a LookupFailure, or with `refused` where
   * nobody may be asked for them. `port` is what they are wanted for; 0 where that is not known.
   */
  async find(name: string, port = 0): Promise<readonly FoundAddress[]> {
    if (!this.#list.mayLookUp(name)) {
      this.#refusals.add({ host: name, port, address: '', rule: 'unlisted' });
      throw refused();
    }
    const found = await this.#lookups.find(name);
    for (const { address } of found) this.#remember(address, name);
    return found;
  }

  /** Those of the name's addresses that may be connected to. Rejects as `find` does, and where there are none. */
  async open(name: string, port: number, family: 0 | 4 | 6 = 0): Promise<readonly FoundAddress[]> {
    const found = await this.find(name, port);
    const fitting = found.filter((each) => family === 0 || each.family === family);
    if (fitting.length === 0) throw { code: 'ENODATA' };
    const judged = fitting.map((each) => {
      const target: Target = { name, address: each.address, port };
      return { each, rule: this.#list.refusal(target) };
    });
    const open = judged.filter(({ rule }) => rule === undefined).map(({ each }) => each);
    const [first] = judged;
    if (open.length > 0 || first?.rule === undefined) return open;
    const address = first.each.address === name ? '' : first.each.address;
    this.#refusals.add({ host: name, port, address, rule: first.rule });
    throw refused();
  }

  /** Ends look-ups, and tells how many refusals were not told. */
  end(): void {
    this.#lookups.cancel();
    this.#refusals.end();
  }

  #remember(address: string, name: string): void {
    const names = this.#names.get(address) ?? [];
    if (names.includes(name)) return;
    this.#names.delete(address);
    this.#names.set(address, [...names, name].slice(-16));
    for (const oldest of this.#names.keys()) {
      if (this.#names.size <= mostAddresses) break;
      this.#names.delete(oldest);
    }
  }
}

/** Read anew each time: an interface may have come or changed. */
function addressesOfMachine(): string[] {
  return Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map(({ address }) => address));
}
