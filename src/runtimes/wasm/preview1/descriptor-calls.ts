import type { FileFlags } from '../files/port.ts';
import type { Descriptor } from './descriptors.ts';
import { CallError } from './errno.ts';
import { fileTypeNumbers, newTimes, streamStat, writeStat } from './filestat.ts';
import type { GuestHost, HostCalls } from './host.ts';
import { rights, rightsOf } from './rights.ts';
import type { InterfaceVersion } from './version.ts';

const flagBits = { append: 1, datasync: 2, nonblock: 4, readSync: 8, sync: 16 } as const;
const allFlags = 0x1f;
const advices = 6;

/** @throws CallError EINVAL for flags that there are not */
export function fileFlags(bits: number): FileFlags {
  if ((bits & ~allFlags) !== 0) throw new CallError('EINVAL');
  return {
    append: (bits & flagBits.append) !== 0,
    datasync: (bits & flagBits.datasync) !== 0,
    nonblock: (bits & flagBits.nonblock) !== 0,
    // On Linux, too, O_RSYNC is O_SYNC.
    sync: (bits & (flagBits.sync | flagBits.readSync)) !== 0,
  };
}

/** `fd_*`, but for those that move bytes, and for the listing of a directory. */
export function descriptorCalls({ memory, descriptors }: GuestHost, version: InterfaceVersion): HostCalls {
  return {
    fd_advise(fd: number, offset: bigint, length: bigint, advice: number) {
      const file = descriptors.file(fd, rights.fdAdvise);
      if (advice >>> 0 >= advices) throw new CallError('EINVAL');
      file.advise(BigInt.asUintN(64, offset), BigInt.asUintN(64, length));
    },
    fd_allocate(fd: number, offset: bigint, length: bigint) {
      const file = descriptors.file(fd, rights.fdAllocate);
      file.allocate(BigInt.asUintN(64, offset), BigInt.asUintN(64, length));
    },
    fd_close(fd: number) {
      descriptors.close(fd);
    },
    fd_datasync(fd: number) {
      descriptors.stored(fd, rights.fdDatasync).datasync();
    },
    fd_sync(fd: number) {
      descriptors.stored(fd, rights.fdSync).sync();
    },
    fd_fdstat_get(fd: number, result: number) {
      const descriptor = descriptors.get(fd);
      const base = result >>> 0;
      memory.fill(base, 24, 0);
      memory.setU8(base, fileTypeNumbers[typeOf(descriptor)]);
      memory.setU16(base + 2, flagsOf(descriptor));
      memory.setU64(base + 8, BigInt(descriptor.rights));
      memory.setU64(base + 16, BigInt(descriptor.inheriting));
    },
    fd_fdstat_set_flags(fd: number, bits: number) {
      const node = descriptors.node(fd, rights.fdFdstatSetFlags);
      const flags = fileFlags(bits);
      if (node.kind === 'file') node.setFlags(flags);
      else if (node.kind === 'stream') descriptors.get(fd).streamFlags = bits;
    },
    fd_fdstat_set_rights(fd: number, base: bigint, inheriting: bigint) {
      const descriptor = descriptors.get(fd);
      const wanted = { rights: rightsOf(base), inheriting: rightsOf(inheriting) };
      const more = (wanted.rights & ~descriptor.rights) | (wanted.inheriting & ~descriptor.inheriting);
      if (more !== 0) throw new CallError('ENOTCAPABLE');
      Object.assign(descriptor, wanted);
    },
    fd_filestat_get(fd: number, result: number) {
      const node = descriptors.node(fd, rights.fdFilestatGet);
      writeStat(memory, result, version, node.kind === 'stream' ? streamStat : node.stat());
    },
    fd_filestat_set_size(fd: number, size: bigint) {
      const { kind } = descriptors.get(fd).node;
      if (kind !== 'file') throw new CallError('EINVAL');
      descriptors.file(fd, rights.fdFilestatSetSize).truncate(BigInt.asUintN(64, size));
    },
    fd_filestat_set_times(fd: number, accessed: bigint, modified: bigint, flags: number) {
      const times = newTimes(accessed, modified, flags);
      descriptors.stored(fd, rights.fdFilestatSetTimes).setTimes(...times);
    },
    fd_prestat_get(fd: number, result: number) {
      const { preopen } = descriptors.get(fd);
      if (preopen === undefined) throw new CallError('EBADF');
      memory.check(result, 8);
      memory.setU32(result, 0);
      memory.setU32((result >>> 0) + 4, preopen.length);
    },
    fd_prestat_dir_name(fd: number, pointer: number, length: number) {
      const { preopen } = descriptors.get(fd);
      if (preopen === undefined) throw new CallError('EBADF');
      if (preopen.length > length >>> 0) throw new CallError('ENAMETOOLONG');
      memory.put(pointer, preopen);
    },
    fd_renumber(from: number, to: number) {
      descriptors.renumber(from, to);
    },
    fd_seek(fd: number, offset: bigint, whence: number, result: number) {
      const file = descriptors.file(fd, rights.fdSeek | rights.fdTell);
      const origin = version.whence[whence];
      if (origin === undefined) throw new CallError('EINVAL');
      memory.check(result, 8);
      memory.setU64(result, file.seek(offset, origin));
    },
    fd_tell(fd: number, result: number) {
      const file = descriptors.file(fd, rights.fdTell);
      memory.check(result, 8);
      memory.setU64(result, file.tell());
    },
  };
}

function typeOf({ node }: Descriptor) {
  if (node.kind === 'stream') return 'unknown';
  return node.kind === 'directory' ? 'directory' : node.type;
}

function flagsOf({ node, streamFlags }: Descriptor): number {
  if (node.kind === 'stream') return streamFlags;
  if (node.kind === 'directory') return 0;
  const { append, datasync, nonblock, sync } = node.flags;
  return (
    (append ? flagBits.append : 0) |
    (datasync ? flagBits.datasync : 0) |
    (nonblock ? flagBits.nonblock : 0) |
    (sync ? flagBits.sync : 0)
  );
}
