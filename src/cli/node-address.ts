/** The server that a command talks to, as `--address` names it: HOST:PORT, or https://HOST:PORT over TLS. */
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

/** Throws a UsageError or a RequestError, both of which name the flag. */
export function nodeAddress(flag: string, text: string): NodeAddress {
  const [, scheme = '', rest = ''] = /^(?:([A-Za-z][A-Za-z0-9+.-]*):\/\/)?(.*?)\/?$/s.exec(text) ?? [];
  if (scheme !== '' && scheme.toLowerCase() !== 'https') {
    throw new UsageError(
      `${flag}: is ${quote(text)}; allowed is HOST:PORT, such as 127.0.0.1:50051, or https://HOST:PORT over TLS`,
    );
  }
  const address = scheme === '' ? text : rest;
  return { address, ...splitAddress(flag, address), tls: scheme !== '' };
}
