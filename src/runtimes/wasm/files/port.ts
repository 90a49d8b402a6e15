// Files as a guest sees them, for WASI preview 1 and for components.
//
// 1. Every call is synchronous, on the guest's thread, and throws a FileError and nothing else.
// 2. A path is bytes, relative to a directory handle, with `/` between names. No path and no symbolic link leads
//    out of the handle it starts from: EPERM. That holds whatever others rename meanwhile.
// 3. Times are nanoseconds since 1970. They are read exactly and set right to a microsecond.
// 4. One call moves at most `maxTransfer` bytes, straight from or into the view that it is given.

/** The error numbers that a guest can see; whatever else the host says is EIO. */
export const errnos = [
  'EACCES',
  'EAGAIN',
  'EBADF',
  'EBUSY',
  'EDEADLK',
  'EDQUOT',
  'EEXIST',
  'EFBIG',
  'EILSEQ',
  'EINTR',
  'EINVAL',
  'EIO',
  'EISDIR',
  'ELOOP',
  'EMFILE',
  'EMLINK',
  'ENAMETOOLONG',
  'ENFILE',
  'ENODEV',
  'ENOENT',
  'ENOLCK',
  'ENOMEM',
  'ENOSPC',
  'ENOTDIR',
  'ENOTEMPTY',
  'ENOTSUP',
  'ENXIO',
  'EOVERFLOW',
  'EPERM',
  'EPIPE',
  'EROFS',
  'ESPIPE',
  'ETXTBSY',
  'EXDEV',
] as const;

export type Errno = (typeof errnos)[number];

/** Its message is the error number alone: a guest never sees a path of the host. */
export class FileError extends Error {
  override readonly name = 'FileError';
  readonly errno: Errno;

  constructor(errno: Errno) {
    super(errno);
    this.errno = errno;
  }
}

/** Bytes that one read or write moves at most; the rest is a short read or write. */
export const maxTransfer = 1024 * 1024;

/** The words of `wasi:filesystem`. */
export type FileType =
  | 'unknown'
  | 'block-device'
  | 'character-device'
  | 'directory'
  | 'fifo'
  | 'symbolic-link'
  | 'regular-file'
  | 'socket';

export interface FileStat {
  readonly device: bigint;
  readonly inode: bigint;
  readonly type: FileType;
  readonly links: bigint;
  /** Bytes. */
  readonly size: bigint;
  readonly accessed: bigint;
  readonly modified: bigint;
  /** When its status changed. */
  readonly changed: bigint;
}

/** A time to set; `omit` reads the old one and writes it again, so it is not atomic and is cut to a microsecond. */
export type NewTime = 'omit' | 'now' | bigint;

/** What can be changed while a file is open. */
export interface FileFlags {
  readonly append: boolean;
  /** A FIFO answers EAGAIN where it would wait; no other file waits. */
  readonly nonblock: boolean;
  /** Each write waits for the disk: data and metadata. */
  readonly sync: boolean;
  /** Each write waits for the disk: data. */
  readonly datasync: boolean;
}

export interface OpenOptions extends Partial<FileFlags> {
  /** Follows a symbolic link at the end of the path; without it such a link is ELOOP. */
  readonly follow?: boolean;
  readonly create?: boolean;
  /** With `create`: EEXIST where there is anything of that name. */
  readonly exclusive?: boolean;
  readonly truncate?: boolean;
  /** ENOTDIR where it is none. */
  readonly directory?: boolean;
  readonly read?: boolean;
  readonly write?: boolean;
}

export type Whence = 'start' | 'current' | 'end';

export interface DirectoryEntry {
  /** Any bytes but `/` and NUL. */
  readonly name: Uint8Array;
  readonly type: FileType;
  readonly inode: bigint;
  /** The cookie with which a listing goes on after this entry. */
  readonly next: bigint;
}

interface Handle {
  stat(): FileStat;
  setTimes(accessed: NewTime, modified: NewTime): void;
  sync(): void;
  datasync(): void;
  /** Once or more; every other call is then EBADF. */
  close(): void;
}

/** A regular file or a FIFO. */
export interface OpenFile extends Handle {
  readonly kind: 'file';
  readonly type: FileType;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly flags: FileFlags;
  setFlags(flags: FileFlags): void;
  /** The same file once more, with a position of its own, from 0. */
  reopen(flags: FileFlags): OpenFile;
  /** @returns bytes read at the position, which moves on; 0 at the end */
  read(into: Uint8Array): number;
  /** @returns bytes written at the position, or at the end of the file with `append` */
  write(bytes: Uint8Array): number;
  pread(into: Uint8Array, offset: bigint): number;
  /** With `append`, at the end of the file all the same, as on Linux. */
  pwrite(bytes: Uint8Array, offset: bigint): number;
  /** @returns the new position */
  seek(offset: bigint, whence: Whence): bigint;
  tell(): bigint;
  truncate(size: bigint): void;
  /** Makes the file as long as `offset + length` where it is shorter; it reserves no room on the disk. */
  allocate(offset: bigint, length: bigint): void;
  /** Checks its numbers; it has no other effect. */
  advise(offset: bigint, length: bigint): void;
}

export interface Directory extends Handle {
  readonly kind: 'directory';
  /**
   * Devices are EACCES and sockets ENXIO. A FIFO waits for the other end, unless `nonblock`.
   * Directories open for reading only: EISDIR with `write`.
   */
  open(path: Uint8Array, options: OpenOptions): OpenFile | Directory;
  /** From the cookie on, `.` and `..` first; 0n starts anew. Lazy: whoever has enough stops iterating. */
  entries(cookie: bigint): Iterable<DirectoryEntry>;
  statAt(path: Uint8Array, follow: boolean): FileStat;
  setTimesAt(path: Uint8Array, follow: boolean, accessed: NewTime, modified: NewTime): void;
  makeDirectory(path: Uint8Array): void;
  removeDirectory(path: Uint8Array): void;
  /** EISDIR for directories. */
  unlink(path: Uint8Array): void;
  rename(from: Uint8Array, toDirectory: Directory, to: Uint8Array): void;
  /** A hard link `to` to what is at `from`. */
  link(from: Uint8Array, follow: boolean, toDirectory: Directory, to: Uint8Array): void;
  /** EPERM for an absolute target. */
  symlink(target: Uint8Array, path: Uint8Array): void;
  readlink(path: Uint8Array): Uint8Array;
}

export interface Preopen {
  /** As the guest knows it. */
  readonly path: string;
  readonly directory: Directory;
}

/** What one guest sees, and all that it has open. */
export interface FileSystem {
  /** In the order of their paths. Closing one of them is the guest's loss alone. */
  readonly preopens: readonly Preopen[];
  /** Closes whatever the guest has left open. */
  close(): void;
}
