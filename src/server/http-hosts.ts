/**
 * The names that HTTP answers to. A page of another site can have its own name lead to this machine (DNS rebinding),
 * and is then of one origin with whatever answers: so nothing answers to a name that nobody has named.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { plainName } from './tls/certificate-pair.ts';

export interface HostNames {
  /** The host of the address that was asked for, without brackets. */
  readonly bound: string;
  /** The hosts that `--http-host` names. A host without a port is allowed with any port. */
  readonly configured: readonly string[];
  /** The names in the TLS certificate that is in use; none without TLS. */
  readonly certificate: () => readonly string[];
}

/** Loopback by its usual names: a browser on this machine may use any of them. */
const loopbackNames: readonly string[] = ['localhost', '127.0.0.1', '::1'];

/** RFC 9112, 3.2.2: a target may be a whole URL, and then its host stands for the header. */
export const wholeUrl = /^https?:\/\/([^/?#]*)(.*)$/i;

export class HttpHosts {
  readonly #names: HostNames;
  readonly #isEverywhere: boolean;
  readonly #hasLoopback: boolean;

  constructor(names: HostNames) {
    const bound = plainName(names.bound);
    this.#names = { ...names, bound };
    this.#isEverywhere = bound === '0.0.0.0' || bound === '::';
    this.#hasLoopback = this.#isEverywhere || loopbackNames.includes(bound) || bound.startsWith('127.');
  }

  isOurs({ headers, url, socket }: IncomingMessage): boolean {
    const authority = (wholeUrl.exec(url ?? '')?.[1] ?? headers.host ?? '').toLowerCase();
    const { name, port } = parts(authority);
    if (name === '') return false;
    const { configured, certificate } = this.#names;
    return (
      ((port === '' || Number(port) === socket.localPort) && this.#isBound(name, socket)) ||
      configured.map(parts).some((each) => each.name === name && (each.port === '' || each.port === port)) ||
      certificate().some((each) => covers(each, name))
    );
  }

  #isBound(name: string, { localAddress = '' }: Socket): boolean {
    if (this.#hasLoopback && loopbackNames.includes(name)) return true;
    // Bound to all addresses of the machine, it goes by the one that it was reached at.
    return (
      name === (this.#isEverywhere ? plainName(localAddress.replace(/^::ffff:/, '')) : this.#names.bound)
    );
  }
}

/** The host in its plain form, empty for what is none, and the port, empty where none is named. */
function parts(authority: string): { readonly name: string; readonly port: string } {
  const [, address, name, port = ''] =
    /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(authority) ?? [];
  return { name: plainName(address ?? name ?? ''), port };
}

/** RFC 9525, 6.3: a wildcard stands for one label. */
function covers(certified: string, name: string): boolean {
  if (!certified.startsWith('*.')) return certified === name;
  const dot = name.indexOf('.');
  return dot > 0 && name.slice(dot) === certified.slice(1);
}
