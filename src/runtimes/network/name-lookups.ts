import { Resolver } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { isIP, isIPv6 } from 'node:net';

export interface FoundAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Where names are looked up; absent parts are the machine's. */
export interface LookupSources {
  /** Text in the form of hosts(5). */
  readonly hosts?: () => string;
  /** Text in the form of resolv.conf(5), for its `search` and `ndots`. */
  readonly settings?: () => string;
  /** HOST:PORT of name servers. */
  readonly servers?: readonly string[];
}

/** As Node's own look-ups fail; `code` is one of those of `node:dns`. */
export interface LookupFailure {
  readonly code: string;
}

/** Answers that say that there is no such name, or no address for it. */
const absent = ['ENOTFOUND', 'ENODATA'];

/**
 * Looks names up without a thread of the system's: in the hosts file, then at the name servers, with the search
 * domains. `getaddrinfo` cannot be cancelled, and holds one of four threads for as long as a silent server says nothing.
 */
export class NameLookups {
  readonly #sources: Required<Omit<LookupSources, 'servers'>> & Pick<LookupSources, 'servers'>;
  readonly #running = new Set<Resolver>();

  constructor(sources: LookupSources = {}) {
    this.#sources = {
      hosts: () => read('/etc/hosts'),
      settings: () => read('/etc/resolv.conf'),
      ...sources,
    };
  }

  /** At least one address, IPv4 first. Rejects with a LookupFailure. */
  async find(name: string): Promise<readonly FoundAddress[]> {
    if (isIP(name) !== 0) return [found(name)];
    const known = this.#inHosts(name.replace(/\.$/, ''));
    if (known.length > 0) return known;
    let failure: LookupFailure = { code: 'ENOTFOUND' };
    for (const candidate of this.#candidates(name)) {
      const answer = await this.#ask(candidate);
      if (!('code' in answer)) return answer;
      failure = answer;
      if (!absent.includes(answer.code)) break;
    }
    throw failure;
  }

  /** Ends all that run; they fail with `ECANCELLED`. */
  cancel(): void {
    for (const resolver of this.#running) resolver.cancel();
  }

  async #ask(name: string): Promise<readonly FoundAddress[] | LookupFailure> {
    const resolver = new Resolver();
    if (this.#sources.servers !== undefined) resolver.setServers(this.#sources.servers);
    this.#running.add(resolver);
    const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    this.#running.delete(resolver);
    const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (addresses.length > 0) return addresses.map(found);
    const codes = answers.map((answer) => (answer.status === 'rejected' ? codeOf(answer.reason) : 'ENODATA'));
    return { code: codes.find((code) => !absent.includes(code)) ?? codes[0] ?? 'ENOTFOUND' };
  }

  #inHosts(name: string): FoundAddress[] {
    const wanted = name.toLowerCase();
    const listed = this.#sources
      .hosts()
      .split('\n')
      .flatMap((line) => {
        const [address = '', ...names] = line.replace(/#.*/, '').trim().toLowerCase().split(/\s+/);
        return names.includes(wanted) && isIP(address) !== 0 ? [found(address)] : [];
      });
    // RFC 6761: such names are loopback, and no server is asked for them.
    const local = wanted === 'localhost' || wanted.endsWith('.localhost');
    const addresses = listed.length === 0 && local ? ['127.0.0.1', '::1'].map(found) : listed;
    return addresses.sort((a, b) => a.family - b.family);
  }

  /** The names to ask for, in order, as resolv.conf(5) says. */
  #candidates(name: string): string[] {
    if (name.endsWith('.')) return [name.slice(0, -1)];
    let domains: readonly string[] = [];
    let enoughDots = 1;
    for (const line of this.#sources.settings().split('\n')) {
      const [keyword, ...values] = line
        .replace(/[#;].*/, '')
        .trim()
        .split(/\s+/);
      if (keyword === 'search' || keyword === 'domain') domains = values;
      const dots = keyword === 'options' ? values.find((value) => /^ndots:\d+$/.test(value)) : undefined;
      if (dots !== undefined) enoughDots = Number(dots.slice('ndots:'.length));
    }
    const searched = domains.map((domain) => `${name}.${domain.replace(/\.$/, '')}`);
    return name.split('.').length > enoughDots ? [name, ...searched] : [...searched, name];
  }
}

function found(address: string): FoundAddress {
  return { address, family: isIPv6(address) ? 6 : 4 };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'EUNKNOWN';
}

/** Empty where there is none. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
