import {
  closeSync,
  constants,
  fdatasyncSync,
  fsyncSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
} from 'node:fs';
import type { Anchor } from './anchor.ts';
import type { Handles } from './handles.ts';
import { Listing } from './listing.ts';
import { type DirectoryOpener, openAt } from './open.ts';
import { attempt } from './os-error.ts';
import {
  type Directory,
  type DirectoryEntry,
  FileError,
  type FileStat,
  type FileType,
  type NewTime,
  type OpenFile,
  type OpenOptions,
} from './port.ts';
import { statOf, typeOf } from './stat.ts';
import { timesToSet } from './times.ts';
import { checkText, followLink, isAbsolute, type Place, walk } from './walk.ts';

/** A directory that a guest has open; all paths start from its anchor. */
export class GuestDirectory implements Directory {
  readonly kind = 'directory';
  readonly #handles: Handles;
  readonly #listing: Listing;
  #anchor: Anchor | undefined;

  constructor(anchor: Anchor, handles: Handles) {
    this.#anchor = anchor;
    this.#handles = handles;
    this.#listing = new Listing(anchor);
    handles.add(this);
  }

  open(path: Uint8Array, options: OpenOptions): OpenFile | Directory {
    const directory: DirectoryOpener = (anchor) => new GuestDirectory(anchor, this.#handles);
    this.#handles.checkRoom();
    return openAt(this.#held(), path, options, this.#handles, directory);
  }

  *entries(cookie: bigint): Iterable<DirectoryEntry> {
    this.#held();
    yield* this.#listing.from(cookie);
  }

  stat(): FileStat {
    return statOf(this.#held().stats());
  }

  statAt(path: Uint8Array, follow: boolean): FileStat {
    return walk(this.#held(), path, (place) => lookAt(place, follow));
  }

  setTimes(accessed: NewTime, modified: NewTime): void {
    const anchor = this.#held();
    const times = timesToSet(accessed, modified, () => this.stat());
    attempt(() => utimesSync(anchor.path, ...times));
  }

  setTimesAt(path: Uint8Array, follow: boolean, accessed: NewTime, modified: NewTime): void {
    walk(this.#held(), path, (place) => {
      const stat = lookAt(place, follow);
      if (stat === followLink) return followLink;
      const times = timesToSet(accessed, modified, () => stat);
      return attempt(() => lutimesSync(place.directory.at(place.name), ...times));
    });
  }

  sync(): void {
    this.#sync(fsyncSync);
  }

  datasync(): void {
    this.#sync(fdatasyncSync);
  }

  makeDirectory(path: Uint8Array): void {
    walk(this.#held(), path, ({ directory, name }) => attempt(() => mkdirSync(directory.at(name))));
  }

  removeDirectory(path: Uint8Array): void {
    walk(this.#held(), path, ({ directory, name }) => attempt(() => rmdirSync(directory.at(name))));
  }

  unlink(path: Uint8Array): void {
    walk(this.#held(), path, (place) => {
      if (place.slash) throw new FileError(typeAt(place) === 'directory' ? 'EISDIR' : 'ENOTDIR');
      attempt(() => unlinkSync(place.directory.at(place.name)));
    });
  }

  rename(from: Uint8Array, toDirectory: Directory, to: Uint8Array): void {
    const target = anchorOf(toDirectory);
    walk(this.#held(), from, (old) =>
      walk(target, to, (place) => {
        if ((old.slash || place.slash) && typeAt(old) !== 'directory') throw new FileError('ENOTDIR');
        attempt(() => renameSync(old.directory.at(old.name), place.directory.at(place.name)));
      }),
    );
  }

  link(from: Uint8Array, follow: boolean, toDirectory: Directory, to: Uint8Array): void {
    const target = anchorOf(toDirectory);
    walk(this.#held(), from, (old) => {
      if (lookAt(old, follow) === followLink) return followLink;
      return walk(target, to, (place) => {
        if (place.slash) refuseSlash(place);
        attempt(() => linkSync(old.directory.at(old.name), place.directory.at(place.name)));
      });
    });
  }

  symlink(target: Uint8Array, path: Uint8Array): void {
    checkText(target);
    if (isAbsolute(target)) throw new FileError('EPERM');
    walk(this.#held(), path, (place) => {
      if (place.slash) refuseSlash(place);
      attempt(() => symlinkSync(Buffer.from(target), place.directory.at(place.name)));
    });
  }

  readlink(path: Uint8Array): Uint8Array {
    return walk(this.#held(), path, (place) => {
      if (lookAt(place, false) === followLink) return followLink;
      return attempt(() => readlinkSync(place.directory.at(place.name), { encoding: 'buffer' }));
    });
  }

  close(): void {
    if (this.#anchor === undefined) return;
    const anchor = this.#anchor;
    this.#anchor = undefined;
    this.#handles.remove(this);
    this.#listing.close();
    anchor.close();
  }

  /** The anchor of a directory that is another one's target. */
  static anchorOf(directory: GuestDirectory): Anchor {
    return directory.#held();
  }

  #held(): Anchor {
    if (this.#anchor === undefined) throw new FileError('EBADF');
    return this.#anchor;
  }

  #sync(sync: (fd: number) => void): void {
    const anchor = this.#held();
    attempt(() => {
      const fd = openSync(anchor.path, constants.O_RDONLY | constants.O_DIRECTORY);
      try {
        sync(fd);
      } finally {
        closeSync(fd);
      }
    });
  }
}

function anchorOf(directory: Directory): Anchor {
  if (!(directory instanceof GuestDirectory)) throw new FileError('EXDEV');
  return GuestDirectory.anchorOf(directory);
}

/** What is at the end of a path, unless it is a link to be followed; a slash follows, and wants a directory. */
function lookAt({ directory, name, slash }: Place, follow: boolean): FileStat | typeof followLink {
  const stat = statOf(attempt(() => lstatSync(directory.at(name), { bigint: true })));
  if (stat.type === 'symbolic-link' && (follow || slash)) return followLink;
  if (slash && stat.type !== 'directory') throw new FileError('ENOTDIR');
  return stat;
}

function typeAt({ directory, name }: Place): FileType {
  return typeOf(attempt(() => lstatSync(directory.at(name))));
}

/** A new name that is no directory cannot end in a slash. */
function refuseSlash(place: Place): never {
  typeAt(place);
  throw new FileError('EEXIST');
}
