import { constants, openSync } from 'node:fs';
import type { Anchor, Entry } from './anchor.ts';
import { Fifo } from './fifo.ts';
import type { Handles } from './handles.ts';
import { accessOf, fileFlagsOf, hostFlags } from './open-flags.ts';
import { attempt } from './os-error.ts';
import { type Directory, FileError, type OpenFile, type OpenOptions } from './port.ts';
import { RegularFile } from './regular-file.ts';
import { typeOf } from './stat.ts';
import { followLink, type Place, walk } from './walk.ts';

export type DirectoryOpener = (anchor: Anchor) => Directory;

type Opened = OpenFile | Directory;

/** Looks at what a path leads to before it opens anything, and opens only files, directories and FIFOs. */
export function openAt(
  start: Anchor,
  path: Uint8Array,
  options: OpenOptions,
  handles: Handles,
  directory: DirectoryOpener,
): Opened {
  const { create = false, exclusive = false, truncate = false } = options;
  if (options.directory === true && (create || exclusive || truncate)) throw new FileError('EINVAL');
  return walk(start, path, (place): Opened | typeof followLink => {
    for (;;) {
      const entry = lookOrMiss(place, create);
      if (entry !== undefined) {
        if (create && exclusive) {
          entry.close();
          throw new FileError('EEXIST');
        }
        return openEntry(place, entry, options, handles, directory);
      }
      const made = makeOrMiss(place, options, handles);
      if (made !== undefined) return made;
    }
  });
}

function lookOrMiss({ directory, name }: Place, create: boolean): Entry | undefined {
  try {
    return directory.look(name);
  } catch (error) {
    if (create && error instanceof FileError && error.errno === 'ENOENT') return undefined;
    throw error;
  }
}

/** Makes the file; undefined where somebody else has made something of that name meanwhile. */
function makeOrMiss(place: Place, options: OpenOptions, handles: Handles): OpenFile | undefined {
  if (place.slash) throw new FileError('EISDIR');
  const access = accessOf(options);
  const flags = fileFlagsOf(options);
  const { O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  try {
    const wanted = hostFlags(access, flags) | O_CREAT | O_EXCL | O_NOFOLLOW;
    const fd = attempt(() => openSync(place.directory.at(place.name), wanted, 0o666));
    return new RegularFile(fd, handles, access, flags, place.directory.reopener(place.name));
  } catch (error) {
    if (error instanceof FileError && error.errno === 'EEXIST') return undefined;
    throw error;
  }
}

/** Takes the entry over. */
function openEntry(
  place: Place,
  entry: Entry,
  options: OpenOptions,
  handles: Handles,
  directory: DirectoryOpener,
): Opened | typeof followLink {
  const type = typeOf(entry.stats);
  const changes = options.write === true || options.truncate === true || options.create === true;
  if (type === 'directory' && !changes) return directory(entry.anchor());
  const onlyDirectory = options.directory === true || place.slash;
  const access = accessOf(options);
  const flags = fileFlagsOf(options);
  try {
    if (type === 'directory') throw new FileError('EISDIR');
    if (type === 'symbolic-link') {
      if (options.follow === true || place.slash) return followLink;
      throw new FileError(onlyDirectory ? 'ENOTDIR' : 'ELOOP');
    }
    if (onlyDirectory) throw new FileError('ENOTDIR');
    if (type === 'fifo') return Fifo.open(entry, handles, access, flags);
    // As the kernel answers for a socket, and for a device where it is told that there are none (nodev).
    if (type !== 'regular-file') throw new FileError(type === 'socket' ? 'ENXIO' : 'EACCES');
    const truncation = options.truncate === true ? constants.O_TRUNC : 0;
    const fd = entry.open(hostFlags(access, flags) | truncation);
    return new RegularFile(fd, handles, access, flags, place.directory.reopener(place.name));
  } finally {
    entry.close();
  }
}
