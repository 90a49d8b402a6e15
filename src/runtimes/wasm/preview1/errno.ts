import { type Errno, FileError } from '../files/port.ts';

/** The numbers of `errno` in both versions of the interface, as far as this host answers them. */
const numbers: Readonly<Record<Errno | 'EFAULT' | 'ENOSYS' | 'ENOTCAPABLE' | 'ENOTSOCK', number>> = {
  EACCES: 2,
  EAGAIN: 6,
  EBADF: 8,
  EBUSY: 10,
  EDEADLK: 16,
  EDQUOT: 19,
  EEXIST: 20,
  EFAULT: 21,
  EFBIG: 22,
  EILSEQ: 25,
  EINTR: 27,
  EINVAL: 28,
  EIO: 29,
  EISDIR: 31,
  ELOOP: 32,
  EMFILE: 33,
  EMLINK: 34,
  ENAMETOOLONG: 37,
  ENFILE: 41,
  ENODEV: 43,
  ENOENT: 44,
  ENOLCK: 46,
  ENOMEM: 48,
  ENOSPC: 51,
  ENOSYS: 52,
  ENOTDIR: 54,
  ENOTEMPTY: 55,
  ENOTSOCK: 57,
  ENOTSUP: 58,
  ENXIO: 60,
  EOVERFLOW: 61,
  EPERM: 63,
  EPIPE: 64,
  EROFS: 69,
  ESPIPE: 70,
  ETXTBSY: 74,
  EXDEV: 75,
  ENOTCAPABLE: 76,
};

/** What a call answers instead of a result. */
export class CallError extends Error {
  override readonly name = 'CallError';
  readonly errno: number;

  constructor(name: keyof typeof numbers) {
    super(name);
    this.errno = numbers[name];
  }
}

/** The number that the guest gets for what its call has thrown; `undefined` where that is no answer to a call. */
export function errnoOf(thrown: unknown): number | undefined {
  if (thrown instanceof CallError) return thrown.errno;
  if (thrown instanceof FileError) return numbers[thrown.errno];
  // An error of the host's system calls: its message may hold a path of the host.
  if (thrown instanceof Error && 'code' in thrown) return numbers.EIO;
  return undefined;
}
