import type { FileStat, FileType, NewTime } from '../files/port.ts';
import { CallError } from './errno.ts';
import type { GuestMemory } from './memory.ts';
import type { InterfaceVersion } from './version.ts';

/** The interface has no word for a FIFO. */
export const fileTypeNumbers: Readonly<Record<FileType, number>> = {
  unknown: 0,
  'block-device': 1,
  'character-device': 2,
  directory: 3,
  'regular-file': 4,
  socket: 6,
  'symbolic-link': 7,
  fifo: 0,
};

/** Of a standard stream, about which there is nothing to tell. */
export const streamStat: FileStat = {
  device: 0n,
  inode: 0n,
  type: 'unknown',
  links: 1n,
  size: 0n,
  accessed: 0n,
  modified: 0n,
  changed: 0n,
};

export function writeStat(
  memory: GuestMemory,
  pointer: number,
  version: InterfaceVersion,
  stat: FileStat,
): void {
  const { stat: at } = version;
  const base = pointer >>> 0;
  memory.fill(base, at.bytes, 0);
  memory.setU64(base, stat.device);
  memory.setU64(base + 8, stat.inode);
  memory.setU8(base + 16, fileTypeNumbers[stat.type]);
  if (at.linksBytes === 8) memory.setU64(base + at.links, stat.links);
  else memory.setU32(base + at.links, Number(stat.links));
  memory.setU64(base + at.size, stat.size);
  memory.setU64(base + at.accessed, stat.accessed);
  memory.setU64(base + at.modified, stat.modified);
  memory.setU64(base + at.changed, stat.changed);
}

const timeFlags = { accessed: 1, accessedNow: 2, modified: 4, modifiedNow: 8 } as const;

/** The two times that a call asks for, by `fstflags`. */
export function newTimes(accessed: bigint, modified: bigint, flags: number): readonly [NewTime, NewTime] {
  if ((flags & ~0xf) !== 0) throw new CallError('EINVAL');
  return [
    newTime(accessed, (flags & timeFlags.accessed) !== 0, (flags & timeFlags.accessedNow) !== 0),
    newTime(modified, (flags & timeFlags.modified) !== 0, (flags & timeFlags.modifiedNow) !== 0),
  ];
}

function newTime(time: bigint, given: boolean, now: boolean): NewTime {
  if (given && now) throw new CallError('EINVAL');
  if (now) return 'now';
  return given ? BigInt.asUintN(64, time) : 'omit';
}
