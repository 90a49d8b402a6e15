import type { Directory, OpenFile } from '../files/port.ts';
import { fileFlags } from './descriptor-calls.ts';
import { CallError } from './errno.ts';
import { newTimes, writeStat } from './filestat.ts';
import type { GuestHost, HostCalls } from './host.ts';
import { directoryRights, fileRights, rights, rightsOf, writingRights } from './rights.ts';
import type { InterfaceVersion } from './version.ts';

/** Linux's PATH_MAX. */
const maxPathBytes = 4096;

const openFlags = { create: 1, directory: 2, exclusive: 4, truncate: 8 } as const;

/** `path_*`. */
export function pathCalls({ memory, descriptors }: GuestHost, version: InterfaceVersion): HostCalls {
  const directory = (fd: number, right: number) => descriptors.directory(fd, right);

  /** A view: it holds for this call only. */
  function path(pointer: number, length: number): Uint8Array {
    if (length >>> 0 > maxPathBytes) {
      memory.check(pointer, length);
      throw new CallError('ENAMETOOLONG');
    }
    return memory.bytes(pointer, length);
  }

  return {
    path_create_directory(fd: number, pointer: number, length: number) {
      directory(fd, rights.pathCreateDirectory).makeDirectory(path(pointer, length));
    },
    path_filestat_get(fd: number, lookup: number, pointer: number, length: number, result: number) {
      const from = directory(fd, rights.pathFilestatGet);
      memory.check(result, version.stat.bytes);
      writeStat(memory, result, version, from.statAt(path(pointer, length), follows(lookup)));
    },
    path_filestat_set_times(
      fd: number,
      lookup: number,
      pointer: number,
      length: number,
      accessed: bigint,
      modified: bigint,
      flags: number,
    ) {
      const from = directory(fd, rights.pathFilestatSetTimes);
      const times = newTimes(accessed, modified, flags);
      from.setTimesAt(path(pointer, length), follows(lookup), ...times);
    },
    path_link(
      fd: number,
      lookup: number,
      pointer: number,
      length: number,
      newFd: number,
      newPointer: number,
      newLength: number,
    ) {
      const from = directory(fd, rights.pathLinkSource);
      const to = directory(newFd, rights.pathLinkTarget);
      from.link(path(pointer, length), follows(lookup), to, path(newPointer, newLength));
    },
    path_open(
      fd: number,
      lookup: number,
      pointer: number,
      length: number,
      oflags: number,
      base: bigint,
      _inheriting: bigint,
      bits: number,
      result: number,
    ) {
      const wanted = rightsOf(base);
      const truncate = (oflags & openFlags.truncate) !== 0;
      const create = (oflags & openFlags.create) !== 0;
      if ((oflags & ~0xf) !== 0) throw new CallError('EINVAL');
      const from = directory(fd, rights.pathOpen);
      if (create) directory(fd, rights.pathCreateFile);
      if (truncate) directory(fd, rights.pathFilestatSetSize);
      const granted = descriptors.get(fd).inheriting;
      const read = (wanted & rights.fdRead) !== 0;
      const write = (wanted & rights.fdWrite) !== 0;
      if ((wanted & (rights.fdRead | rights.fdWrite) & ~granted) !== 0) throw new CallError('ENOTCAPABLE');
      memory.check(result, 4);
      const node = from.open(path(pointer, length), {
        ...fileFlags(bits),
        follow: follows(lookup),
        create,
        exclusive: (oflags & openFlags.exclusive) !== 0,
        truncate,
        directory: (oflags & openFlags.directory) !== 0,
        read,
        write,
      });
      const opened = descriptors.insert({
        node,
        rights: openedRights(node, wanted) & granted,
        inheriting: node.kind === 'directory' ? granted : 0,
        streamFlags: 0,
      });
      memory.setU32(result, opened);
    },
    path_readlink(
      fd: number,
      pointer: number,
      length: number,
      buffer: number,
      bufferLength: number,
      result: number,
    ) {
      const from = directory(fd, rights.pathReadlink);
      memory.check(result, 4);
      memory.check(buffer, bufferLength);
      const target = from.readlink(path(pointer, length)).subarray(0, bufferLength >>> 0);
      memory.put(buffer, target);
      memory.setU32(result, target.length);
    },
    path_remove_directory(fd: number, pointer: number, length: number) {
      directory(fd, rights.pathRemoveDirectory).removeDirectory(path(pointer, length));
    },
    path_rename(
      fd: number,
      pointer: number,
      length: number,
      newFd: number,
      newPointer: number,
      newLength: number,
    ) {
      const from = directory(fd, rights.pathRenameSource);
      const to = directory(newFd, rights.pathRenameTarget);
      from.rename(path(pointer, length), to, path(newPointer, newLength));
    },
    path_symlink(target: number, targetLength: number, fd: number, pointer: number, length: number) {
      const from = directory(fd, rights.pathSymlink);
      from.symlink(path(target, targetLength), path(pointer, length));
    },
    path_unlink_file(fd: number, pointer: number, length: number) {
      directory(fd, rights.pathUnlinkFile).unlink(path(pointer, length));
    },
  };
}

function follows(lookup: number): boolean {
  if ((lookup & ~1) !== 0) throw new CallError('EINVAL');
  return lookup === 1;
}

/**
 * All that its kind can have, but for reading and writing where the guest did not ask to. Of what it asks for,
 * `fd_read` and `fd_write` alone say how it opens: Go asks for `fd_filestat_set_size` of what it only reads.
 */
function openedRights(node: OpenFile | Directory, wanted: number): number {
  if (node.kind === 'directory') return directoryRights;
  const asked = wanted & rights.fdRead;
  const writes = (wanted & rights.fdWrite) === 0 ? 0 : writingRights;
  return (fileRights & ~(writingRights | rights.fdRead)) | asked | writes;
}
