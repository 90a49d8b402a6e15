import { type Errno, FileError, type FileStat, type FileType, type NewTime } from '../../files/port.ts';

/** The words of `wasi:filesystem/types`, as transpiled code has them. */
export interface Datetime {
  readonly seconds: bigint;
  readonly nanoseconds: number;
}

export type NewTimestamp =
  | { readonly tag: 'no-change' }
  | { readonly tag: 'now' }
  | { readonly tag: 'timestamp'; readonly val: Datetime };

export interface DescriptorStat {
  readonly type: FileType;
  readonly linkCount: bigint;
  readonly size: bigint;
  readonly dataAccessTimestamp: Datetime | undefined;
  readonly dataModificationTimestamp: Datetime | undefined;
  readonly statusChangeTimestamp: Datetime | undefined;
}

export interface DescriptorFlags {
  readonly read?: boolean;
  readonly write?: boolean;
  readonly fileIntegritySync?: boolean;
  readonly dataIntegritySync?: boolean;
  readonly requestedWriteSync?: boolean;
  readonly mutateDirectory?: boolean;
}

export interface PathFlags {
  readonly symlinkFollow?: boolean;
}

export interface OpenFlags {
  readonly create?: boolean;
  readonly directory?: boolean;
  readonly exclusive?: boolean;
  readonly truncate?: boolean;
}

const second = 1_000_000_000n;

export function newTime(timestamp: NewTimestamp): NewTime {
  if (timestamp.tag === 'now') return 'now';
  if (timestamp.tag === 'no-change') return 'omit';
  return timestamp.val.seconds * second + BigInt(timestamp.val.nanoseconds);
}

export function descriptorStat(stat: FileStat): DescriptorStat {
  return {
    type: stat.type,
    linkCount: stat.links,
    size: stat.size,
    dataAccessTimestamp: datetime(stat.accessed),
    dataModificationTimestamp: datetime(stat.modified),
    statusChangeTimestamp: datetime(stat.changed),
  };
}

/** There is no word for a time before 1970. */
function datetime(time: bigint): Datetime | undefined {
  return time < 0n ? undefined : { seconds: time / second, nanoseconds: Number(time % second) };
}

/** Calls the file system; its errors become error codes, thrown as transpiled code expects them. */
export function answering<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw error instanceof FileError ? errorCodes[error.errno] : error;
  }
}

export const errorCodes = {
  EACCES: 'access',
  EAGAIN: 'would-block',
  EBADF: 'bad-descriptor',
  EBUSY: 'busy',
  EDEADLK: 'deadlock',
  EDQUOT: 'quota',
  EEXIST: 'exist',
  EFBIG: 'file-too-large',
  EILSEQ: 'illegal-byte-sequence',
  EINTR: 'interrupted',
  EINVAL: 'invalid',
  EIO: 'io',
  EISDIR: 'is-directory',
  ELOOP: 'loop',
  // The interface has no word for too many open files.
  EMFILE: 'insufficient-memory',
  EMLINK: 'too-many-links',
  ENAMETOOLONG: 'name-too-long',
  ENFILE: 'insufficient-memory',
  ENODEV: 'no-device',
  ENOENT: 'no-entry',
  ENOLCK: 'no-lock',
  ENOMEM: 'insufficient-memory',
  ENOSPC: 'insufficient-space',
  ENOTDIR: 'not-directory',
  ENOTEMPTY: 'not-empty',
  ENOTSUP: 'unsupported',
  ENXIO: 'no-such-device',
  EOVERFLOW: 'overflow',
  EPERM: 'not-permitted',
  EPIPE: 'pipe',
  EROFS: 'read-only',
  ESPIPE: 'invalid-seek',
  ETXTBSY: 'text-file-busy',
  EXDEV: 'cross-device',
} as const satisfies Record<Errno, string>;

export type ErrorCode = (typeof errorCodes)[Errno];
