/**
 * Connections that we have ended and whose other side has not. Node keeps such a socket for as long as its peer likes,
 * and none of the time limits of its HTTP server is for one that was upgraded, a tunnel's or one that is ending.
 */
import type { Duplex } from 'node:stream';
import type { Clock } from '../domain/clock.ts';

/** How long the other side may take to end what we have ended, in milliseconds. */
const lingerMs = 1000;

/** Destroys a socket of a server a while after our side of it is over, whatever the peer does. */
export function closeOnceEnded(socket: Duplex, clock: Pick<Clock, 'setTimer'>): void {
  socket.once('finish', () => destroySoon(socket, clock));
}

/** Ends a connection that nobody else looks after, also where its peer does not read what is still to be sent. */
export function hangUp(socket: Duplex, clock: Pick<Clock, 'setTimer'>, last?: string): void {
  // What still comes is thrown away: a close with unread bytes would reset the connection under the answer.
  socket.resume();
  if (last === undefined) socket.end();
  else socket.end(last);
  destroySoon(socket, clock);
}

function destroySoon(socket: Duplex, clock: Pick<Clock, 'setTimer'>): void {
  if (socket.destroyed) return;
  const timer = clock.setTimer(lingerMs, () => socket.destroy());
  socket.once('close', () => timer.cancel());
}
