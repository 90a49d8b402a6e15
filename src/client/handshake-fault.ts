/** What went wrong before a server could answer, out of the texts of grpc-js and of OpenSSL. */
import { otherNames } from './channel.ts';

export type HandshakeFault =
  | { readonly kind: 'plain' | 'notGrpc' | 'expired' | 'notYetValid' | 'untrusted' | 'failed' }
  | { readonly kind: 'otherNames'; readonly names: string };

/** `details` is grpc-js's text. Undefined where another try may well come through. */
export function handshakeFault(details: string): HandshakeFault | undefined {
  if (/wrong version number|packet length too long|record overflow/i.test(details)) return { kind: 'plain' };
  // What answers there is no gRPC server: most often a node's own HTTP address.
  if (/no application protocol|Protocol error|Parse Error/i.test(details)) return { kind: 'notGrpc' };
  if (/certificate has expired/i.test(details)) return { kind: 'expired' };
  if (/certificate is not yet valid/i.test(details)) return { kind: 'notYetValid' };
  const names = new RegExp(`${otherNames} ([^;]*);`).exec(details)?.[1];
  if (names !== undefined) return { kind: 'otherNames', names };
  if (
    /self[- ]signed certificate|unable to (?:get|verify).*certificate|UNABLE_TO_|DEPTH_ZERO_SELF_SIGNED|CERT_UNTRUSTED|invalid CA|signature failure/i.test(
      details,
    )
  ) {
    return { kind: 'untrusted' };
  }
  return /alert|SSL routines|\bTLS\b/.test(details) ? { kind: 'failed' } : undefined;
}
