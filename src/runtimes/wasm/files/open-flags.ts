import { constants } from 'node:fs';
import type { FileFlags, OpenOptions } from './port.ts';

export interface Access {
  readonly read: boolean;
  readonly write: boolean;
}

export function accessOf({ read = false, write = false }: OpenOptions): Access {
  return { read, write };
}

export function fileFlagsOf(options: OpenOptions): FileFlags {
  const { append = false, nonblock = false, sync = false, datasync = false } = options;
  return { append, nonblock, sync, datasync };
}

/** What the system is asked for: it never waits, whatever the file turns out to be. */
export function hostFlags({ read, write }: Access, flags: FileFlags): number {
  const access = write ? (read ? constants.O_RDWR : constants.O_WRONLY) : constants.O_RDONLY;
  return (
    access |
    constants.O_NONBLOCK |
    constants.O_NOCTTY |
    (flags.append ? constants.O_APPEND : 0) |
    (flags.sync ? constants.O_SYNC : 0) |
    (flags.datasync ? (constants.O_DSYNC ?? constants.O_SYNC) : 0)
  );
}
