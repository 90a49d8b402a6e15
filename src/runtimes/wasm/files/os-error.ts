import { type Errno, errnos, FileError } from './port.ts';

const known: ReadonlySet<string> = new Set(errnos);
const aliases: Readonly<Record<string, Errno>> = {
  EOPNOTSUPP: 'ENOTSUP',
  ENOSYS: 'ENOTSUP',
  // Node's own, for a number that no system call could be given.
  ERR_OUT_OF_RANGE: 'EINVAL',
};

/** Calls the operating system; what it throws becomes a FileError, and a mistake of our own stays what it is. */
export function attempt<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw isSystemError(error) ? new FileError(errnoOf(error.code)) : error;
  }
}

function errnoOf(code: string): Errno {
  return isErrno(code) ? code : (aliases[code] ?? 'EIO');
}

function isErrno(code: string): code is Errno {
  return known.has(code);
}

function isSystemError(error: unknown): error is Error & { readonly code: string } {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    ('syscall' in error || error.code === 'ERR_OUT_OF_RANGE')
  );
}
