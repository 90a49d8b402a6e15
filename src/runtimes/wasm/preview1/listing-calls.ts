import { fileTypeNumbers } from './filestat.ts';
import type { GuestHost, HostCalls } from './host.ts';
import { rights } from './rights.ts';

/** Bytes of a `dirent`, without the name that follows it. */
const headerBytes = 24;

/** `fd_readdir`. */
export function listingCalls({ memory, descriptors }: GuestHost): HostCalls {
  return {
    /** Fills the buffer; the last entry is cut where it ends. Less than the buffer is the end of the directory. */
    fd_readdir(fd: number, buffer: number, length: number, cookie: bigint, result: number) {
      const directory = descriptors.directory(fd, rights.fdReaddir);
      memory.check(buffer, length);
      memory.check(result, 4);
      const header = new Uint8Array(headerBytes);
      const view = new DataView(header.buffer);
      const start = buffer >>> 0;
      const end = start + (length >>> 0);
      let at = start;
      for (const { next, inode, name, type } of directory.entries(BigInt.asUintN(64, cookie))) {
        view.setBigUint64(0, next, true);
        view.setBigUint64(8, inode, true);
        view.setUint32(16, name.length, true);
        view.setUint32(20, fileTypeNumbers[type], true);
        for (const part of [header, name]) {
          const bytes = part.subarray(0, end - at);
          memory.put(at, bytes);
          at += bytes.length;
        }
        if (at === end) break;
      }
      memory.setU32(result, at - start);
    },
  };
}
