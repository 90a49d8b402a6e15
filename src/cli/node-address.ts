/** The servers that a command talks to, as `--address` names them: HOST:PORT, or https://HOST:PORT over TLS. */
import { splitAddress } from '../config.ts';
import { quote } from '../domain/errors.ts';
import { UsageError } from './usage-error.ts';

export interface NodeAddress {
  /** HOST:PORT. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  /** It was named as one of TLS. */
  readonly tls: boolean;
}

/** Of one node, or of several of a cluster, separated by commas. Throws as `nodeAddress`. */
export function nodeAddresses(flag: string, text: string): readonly [NodeAddress, ...NodeAddress[]] {
  const [first = '', ...more] = text.split(',').map((each) => each.trim());
  return [nodeAddress(flag, first), ...more.map((each) => nodeAddress(flag, each))];
}

/** Throws a UsageError or a RequestError, both of which name the flag. */
function nodeAddress(flag: string, text: string): NodeAddress {
  const [, scheme = '', rest = ''] = /^(?:([A-Za-z][A-Za-z0-9+.-]*):\/\/)?(.*?)\/?$/s.exec(text) ?? [];
  if (scheme !== '' && scheme.toLowerCase() !== 'https') {
    throw new UsageError(
      `${flag}: is ${quote(text)}; allowed is HOST:PORT, such as 127.0.0.1:50051, or https://HOST:PORT over TLS`,
    );
  }
  const address = scheme === '' ? text : rest;
  return { address, ...splitAddress(flag, address), tls: scheme !== '' };
}
