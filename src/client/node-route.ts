/** Which way leads to a node: its socket, where it is this user's own on this machine, or TCP. */
import { isLoopback, noteOf } from '../node-notes.ts';

export interface RouteOptions {
  readonly host: string;
  readonly port: number;
  /** A token is to be shown. */
  readonly hasToken: boolean;
  readonly tls: boolean;
  /** A certificate of the caller's own is to be shown. */
  readonly hasCertificate: boolean;
  /** Folder of the notes of this user's nodes. */
  readonly notes: string;
}

export type Route =
  | { readonly kind: 'socket'; readonly path: string }
  | { readonly kind: 'tcp' }
  /** A token would go over a network in the clear. */
  | { readonly kind: 'tokenInTheClear' }
  /** The node there is known to speak TLS; a token in the clear would be shown to whoever is there instead. */
  | { readonly kind: 'tlsNeeded' };

export function routeTo({ host, port, hasToken, tls, hasCertificate, notes }: RouteOptions): Route {
  const isHere = isLoopback(host);
  if (!hasToken) {
    const note = isHere && !hasCertificate ? noteOf(notes, host, port) : undefined;
    return note === undefined ? { kind: 'tcp' } : { kind: 'socket', path: note.socket };
  }
  if (tls) return { kind: 'tcp' };
  if (!isHere) return { kind: 'tokenInTheClear' };
  return noteOf(notes, host, port)?.tls === true ? { kind: 'tlsNeeded' } : { kind: 'tcp' };
}

/** Whether a text can be sent as a token. */
export function isToken(text: string): boolean {
  return /^[!-~]{1,8192}$/.test(text);
}
