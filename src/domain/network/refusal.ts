/** Connections, datagrams and look-ups that a network list did not let a function make. */
import { type NetworkRule, networkRules } from './network-list.ts';

/** One of them, or with `more` how many there were beyond those that are told; all else is empty then. */
export interface NetworkRefusal {
  /** The name or the address that the function asked for. */
  readonly host: string;
  /** 0 for a look-up. */
  readonly port: number;
  /** The address that a name was found to have; empty where there was only an address, or no look-up. */
  readonly address: string;
  readonly rule: NetworkRule | '';
  readonly more: number;
}

/** Of one attempt, beside the one that tells how many more there were. */
export const mostRefusals = 32;

/** Bytes of a host in a refusal: a name has 253 at most, and a guest can ask for any text. */
const mostHost = 255;

const rules: readonly NetworkRefusal['rule'][] = [...networkRules, ''];

/** Tells the first refusals of an attempt one by one, and counts the rest. */
export class RefusalCount {
  readonly #tell: (refusal: NetworkRefusal) => void;
  #count = 0;

  constructor(tell: (refusal: NetworkRefusal) => void) {
    this.#tell = tell;
  }

  add(refusal: Omit<NetworkRefusal, 'more'>): void {
    this.#count += 1;
    if (this.#count <= mostRefusals) this.#tell({ ...refusal, more: 0 });
  }

  /** Nothing more is refused. */
  end(): void {
    const more = this.#count - mostRefusals;
    if (more > 0) this.#tell({ host: '', port: 0, address: '', rule: '', more });
  }
}

/** What a guest host says that it refused, which is not to be trusted; undefined where it is no refusal. */
export function refusalFrom(json: unknown): NetworkRefusal | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  const { host, port, address, rule, more } = json as Readonly<Record<string, unknown>>;
  const known = rules.find((each) => each === rule);
  if (known === undefined || typeof host !== 'string' || typeof address !== 'string') return undefined;
  if (!isCount(port, 65_535) || !isCount(more, Number.MAX_SAFE_INTEGER)) return undefined;
  return { host: shortened(host), port, address: shortened(address), rule: known, more };
}

function shortened(text: string): string {
  return text
    .slice(0, mostHost)
    .toWellFormed()
    .replaceAll(/\p{Cc}/gu, '\ufffd');
}

function isCount(value: unknown, most: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most;
}

/** `10.0.0.1:80 is private`, as people read it. */
export function refusalText({ host, port, address, rule, more }: NetworkRefusal): string {
  if (more > 0) return `${more} more connections refused`;
  const at = host.includes(':') && port !== 0 ? `[${host}]` : host;
  const place = port === 0 ? at : `${at}:${port}`;
  const found = address === '' || address === host ? '' : ` (${address})`;
  return `${place}${found} refused: ${reasons[rule]}`;
}

const reasons: Readonly<Record<NetworkRule | '', string>> = {
  node: 'a port of the node',
  unlisted: 'not in the network list of the task',
  loopback: 'loopback, which the network list does not have',
  private: 'a private address, which the network list does not have',
  'link-local': 'a link-local address, which the network list does not have',
  metadata: 'a metadata service, which the network list does not have',
  multicast: 'a multicast address, which the network list does not have',
  special: 'an address for special purposes, which the network list does not have',
  '': '',
};
