/**
 * Callers in the clear at a port of TLS. A handshake begins with no letter, and a request in the clear with nothing
 * else, so that the first byte tells them apart; each is answered in what it speaks.
 */
import type { Socket } from 'node:net';
import type { Clock } from '../../domain/clock.ts';
import { RequestError } from '../../domain/errors.ts';
import { hangUp } from '../half-closed.ts';
import { errorBody } from '../http-answer.ts';

interface FirstBytesOptions {
  readonly clock: Pick<Clock, 'setTimer'>;
  /** How long a caller may take for the first of them, in milliseconds. */
  readonly withinMs: number;
  /** What it speaks, once that is known; the socket still has all that came. */
  take(speaks: 'tls' | 'http1' | 'http2'): void;
}

/** What a connection begins with (RFC 9113, 3.4). */
const http2Preface = 'PRI ';

/** Also destroys the connection of a caller that says nothing. */
export function onFirstBytes(socket: Socket, { clock, withinMs, take }: FirstBytesOptions): void {
  const timer = clock.setTimer(withinMs, () => socket.destroy());
  const look = (): void => {
    const part: Buffer | null = socket.read();
    // It has ended without a word.
    if (part === null) return;
    timer.cancel();
    socket.off('readable', look);
    socket.unshift(part);
    take(spokenIn(part));
  };
  socket.on('readable', look);
  socket.on('error', () => {});
  socket.once('close', () => timer.cancel());
}

function spokenIn(part: Buffer): 'tls' | 'http1' | 'http2' {
  const first = part.toString('latin1', 0, http2Preface.length);
  if (!/^[A-Za-z]/.test(first)) return 'tls';
  return first === http2Preface ? 'http2' : 'http1';
}

export function wantsTls(): RequestError {
  return new RequestError(
    'unavailable',
    'this port speaks TLS, and you came in the clear; ask for https:// (the command: --address https://HOST:PORT)',
    { reason: 'TLS_NEEDED' },
  );
}

/** Answers whatever request it is, and hangs up. */
export function refuseCleartext(socket: Socket, clock: Pick<Clock, 'setTimer'>): void {
  const body = JSON.stringify(errorBody(wantsTls()));
  const head = [
    'HTTP/1.1 400 Bad Request',
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  hangUp(socket, clock, `${head.join('\r\n')}\r\n\r\n${body}`);
}
