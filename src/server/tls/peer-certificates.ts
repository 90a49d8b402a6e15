/** The certificates that callers show, by connection: they are read once, where a connection begins. */
import type { TLSSocket } from 'node:tls';
import type { ShownCertificate } from '../../domain/certificate.ts';
import { alternativeNames } from './certificate-pair.ts';

/** Undefined where the caller has shown none. */
export function certificateOf(socket: TLSSocket): ShownCertificate | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  return {
    fingerprint: certificate.fingerprint256,
    names: alternativeNames(certificate.subjectAltName).map(({ kind, value }) => `${kind}:${value}`),
    expiresAt: certificate.validToDate.getTime(),
    ...(!socket.authorized && { untrusted: String(socket.authorizationError ?? 'not checked') }),
  };
}

/** Of the connections of one server, by the addresses of their other ends and their numbers. */
export class PeerCertificates {
  readonly #shown = new Map<string, ShownCertificate>();

  /** Keeps what a connection that has a number has shown until it closes. */
  add(socket: TLSSocket): void {
    const certificate = certificateOf(socket);
    if (certificate === undefined) return;
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    this.#shown.set(peer, certificate);
    socket.once('close', () => this.#shown.delete(peer));
  }

  /** `peer` is ADDRESS:NUMBER; undefined for one that is not known any more. */
  of(peer: string): ShownCertificate | undefined {
    return this.#shown.get(peer);
  }
}
