/**
 * What a document says of the clocks where it was taken. Two nodes' clocks may differ, so what travels is how far each
 * instant was from the moment at which the timers stopped; what passed on the way counts where somebody saw it pass.
 */
import { createHash } from 'node:crypto';
import { leastStepMs } from '../../domain/clock-record.ts';
import type { DocumentClock, Header } from '../../domain/snapshot/parts.ts';
import type { NodeTime } from '../time/node-time.ts';

/** As the wall clock of this node showed `takenAt`. */
export function clockAt(time: NodeTime, takenAt: number): DocumentClock {
  time.look();
  const at = Math.round(time.ofWall(takenAt));
  const { boot, ms } = time.uptimeOf(at);
  const uptimeMs = Math.round(ms);
  // It may have been before this start of the machine.
  return uptimeMs < 0 || boot === ''
    ? { time: at, boot: '', uptimeMs: 0 }
    : { time: at, boot: nameOf(boot), uptimeMs };
}

/** Where a document's instants are in this node's time. */
export interface Arrival {
  /** When its timers stopped, in milliseconds since the epoch, as deadlines count here. */
  readonly takenAt: number;
  /** What is to be added to its instants, in milliseconds. */
  readonly shiftMs: number;
}

export function arrivalOf(header: Header, time: NodeTime, nodeId: string): Arrival {
  time.look();
  const { clock = { time: header.takenAt, boot: '', uptimeMs: 0 } } = header;
  const takenAt = Math.round(time.now() - onTheWay(header, time, nodeId));
  const shiftMs = Math.round(takenAt - clock.time);
  return Math.abs(shiftMs) < leastStepMs ? { takenAt: takenAt - shiftMs, shiftMs: 0 } : { takenAt, shiftMs };
}

/** Milliseconds that passed since it was taken: by the same machine's count, or by this node's; else nobody knows. */
function onTheWay({ clock, nodeId, takenAt }: Header, time: NodeTime, ownId: string): number {
  const { boot, ms } = time.uptimeOf(time.now());
  if (clock !== undefined && boot !== '' && clock.boot === nameOf(boot))
    return Math.max(0, ms - clock.uptimeMs);
  return nodeId === ownId ? Math.max(0, time.now() - time.ofWall(takenAt)) : 0;
}

/** A document goes anywhere, and the id of a boot is the machine's own affair. */
function nameOf(boot: string): string {
  return createHash('sha256').update(`spear boot ${boot}`).digest('hex').slice(0, 32);
}
