/** A certificate and the key that belongs to it, as both servers show them. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIP, SocketAddress } from 'node:net';
import { createSecureContext } from 'node:tls';

export interface CertificatePair {
  /** PEM: the server's own certificate, and those that lead from it to one that callers trust. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
  /** Host names and addresses that the certificate is for, in lower case; one with `*.` stands for many. */
  readonly names: readonly string[];
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** SHA-256 of the certificate, as openssl writes it. */
  readonly fingerprint: string;
}

/** Throws an Error that says which of the two is not good, and why. */
export function certificatePair(cert: string, key: string): CertificatePair {
  const certificate = parsed('certificate', () => new X509Certificate(cert));
  const privateKey = parsed('key', () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new Error('the key is not that of the certificate');
  }
  // What is wrong with the rest of the chain, or too weak for TLS.
  parsed('certificate', () => createSecureContext({ cert, key }));
  return {
    ...{ cert, key, names: namesOf(certificate), fingerprint: certificate.fingerprint256 },
    expiresAt: certificate.validToDate.getTime(),
  };
}

function parsed<Value>(what: string, parse: () => Value): Value {
  try {
    return parse();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`the ${what} cannot be used: ${why}`, { cause });
  }
}

/** RFC 5280, 4.2.1.6: what a client holds the address of a server against. The subject counts for nothing. */
function namesOf({ subjectAltName }: X509Certificate): readonly string[] {
  return alternativeNames(subjectAltName).flatMap(({ kind, value }) =>
    kind === 'DNS' || kind === 'IP Address' ? [plainName(value)] : [],
  );
}

/** As a URL has it, without brackets: an IPv6 address in its shortest form. */
export function plainName(name: string): string {
  return isIP(name) === 6 ? new SocketAddress({ address: name, family: 'ipv6' }).address : name.toLowerCase();
}

export interface AlternativeName {
  /** As openssl names it: `DNS`, `URI`, `IP Address`, `email`. */
  readonly kind: string;
  readonly value: string;
}

/** Node writes a name in quotes, as JSON, where a comma or the like in it could pass for a second name. */
export function alternativeNames(text: string | undefined): readonly AlternativeName[] {
  const names: AlternativeName[] = [];
  for (const [, kind = '', quoted, plain] of (text ?? '').matchAll(
    /(?:^|, )([A-Za-z ]+):(?:("(?:[^"\\]|\\.)*")|([^,]*))/g,
  )) {
    names.push({ kind, value: quoted === undefined ? (plain ?? '') : (JSON.parse(quoted) as string) });
  }
  return names;
}
