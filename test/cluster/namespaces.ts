/**
 * A network namespace for each node of a harness, so that packets between a node and the rest of the machine can be
 * dropped without either end being told. Nodes reach each other and the database at one address of the machine, so that
 * nothing is forwarded; the machine reaches a node at an address of its own.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** 198.18.0.0/15 is for tests of networks (RFC 2544): a third octet for each harness that there is at a time. */
const mostNetworks = 200;
const addressesEach = 4;
const mostNodes = 32;

/** Which packets of a node are dropped. */
export interface Dropping {
  /** To the node, from it, or both. */
  readonly way: 'in' | 'out' | 'both';
  /** Of connections to these ports of the machine alone; absent for all packets. */
  readonly ports?: readonly number[];
}

export class Network {
  /** Where every node reaches the machine. */
  readonly address: string;
  readonly #name: string;
  readonly #prefix: string;
  readonly #namespaces: Namespace[] = [];

  private constructor(name: string, prefix: string) {
    this.#name = name;
    this.#prefix = prefix;
    this.address = `${prefix}.254`;
  }

  /** Undefined where this machine makes none: it lacks the programs, or the right to use them. */
  static async make(): Promise<Network | undefined> {
    try {
      await run('iptables', ['--version']);
      for (let octet = 0; octet < mostNetworks; octet++) {
        const network = new Network(`spt${octet}`, `198.18.${octet}`);
        // A name that is taken is another harness's, or what a killed one has left.
        if (await network.#take()) return network;
      }
    } catch {
      // Whichever it lacks, the faults that need it are left out.
    }
    return undefined;
  }

  async #take(): Promise<boolean> {
    try {
      await run('ip', ['netns', 'add', this.#name]);
    } catch (error) {
      if (String(error).includes('File exists')) return false;
      throw error;
    }
    // One that was killed may have left it.
    await run('ip', ['address', 'replace', `${this.address}/32`, 'dev', 'lo']);
    return true;
  }

  async namespace(): Promise<Namespace> {
    const number = this.#namespaces.length;
    if (number >= mostNodes) throw new Error(`a network has at most ${mostNodes} nodes`);
    const name = `${this.#name}n${number}`;
    const first = number * addressesEach;
    const namespace = new Namespace(name, `${this.#prefix}.${first + 2}`);
    this.#namespaces.push(namespace);
    const inside = ['-n', name];
    await run('ip', ['netns', 'add', name]);
    await run('ip', ['link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name]);
    await run('ip', ['address', 'add', `${this.#prefix}.${first + 1}/30`, 'dev', name]);
    await run('ip', ['link', 'set', name, 'up']);
    await run('ip', [...inside, 'address', 'add', `${namespace.address}/30`, 'dev', 'eth0']);
    for (const each of ['lo', 'eth0']) await run('ip', [...inside, 'link', 'set', each, 'up']);
    await run('ip', [...inside, 'route', 'add', 'default', 'via', `${this.#prefix}.${first + 1}`]);
    return namespace;
  }

  async remove(): Promise<void> {
    for (const { name } of this.#namespaces.splice(0)) {
      await run('ip', ['link', 'delete', name]).catch(() => {});
      await run('ip', ['netns', 'delete', name]).catch(() => {});
    }
    await run('ip', ['address', 'delete', `${this.address}/32`, 'dev', 'lo']).catch(() => {});
    await run('ip', ['netns', 'delete', this.#name]).catch(() => {});
  }
}

export class Namespace {
  readonly name: string;
  readonly address: string;

  constructor(name: string, address: string) {
    this.name = name;
    this.address = address;
  }

  /** In front of a program that is to run in it; the process is that program's. */
  get entry(): readonly string[] {
    return ['nsenter', `--net=/run/netns/${this.name}`];
  }

  async drop({ way, ports }: Dropping): Promise<void> {
    const tcp = ['-p', 'tcp', '-m', 'multiport'];
    const there = ports === undefined ? [] : [...tcp, '--dports', ports.join(',')];
    const back = ports === undefined ? [] : [...tcp, '--sports', ports.join(',')];
    if (way !== 'in') await this.#iptables('-A', 'OUTPUT', '-o', 'eth0', ...there, '-j', 'DROP');
    if (way !== 'out') await this.#iptables('-A', 'INPUT', '-i', 'eth0', ...back, '-j', 'DROP');
  }

  /** Nothing is dropped any more. */
  async heal(): Promise<void> {
    await this.#iptables('-F');
  }

  async #iptables(...args: string[]): Promise<void> {
    await run('nsenter', [`--net=/run/netns/${this.name}`, 'iptables', '-w', ...args]);
  }
}
