import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** A folder that is hidden from programs is not where it was, so that nobody knows where it is. */
export class MovedPlaceError extends Error {
  override readonly name = 'MovedPlaceError';
  readonly path: string;

  constructor(path: string, now: string) {
    super(`${path} ${now}`);
    this.path = path;
  }
}

/** Which file a path led to. */
interface Known {
  readonly device: bigint;
  readonly inode: bigint;
}

/** What is to be hidden, by its paths. */
interface WantedPlaces {
  readonly lasting: readonly string[];
  /** Folders of the system, which makes them anew. */
  readonly passing: readonly string[];
  /** Files that may be read. */
  readonly trusted: readonly string[];
}

/** What there is to be hidden, as real paths. */
export interface FoundPlaces {
  readonly folders: readonly string[];
  readonly files: readonly string[];
  /** Files that may be read, and not written. */
  readonly trusted: readonly string[];
  /** The folders that lead to them, without `/`: from the top down, none of them in one that is hidden. */
  readonly ancestors: readonly string[];
}

/**
 * Files and folders that are to be hidden from programs, by their paths. A folder stays what it was when it was first
 * seen: a path that leads elsewhere would hide something else. A file may be replaced, as certificates are; all that
 * its path has led to stays hidden while it is there.
 */
export class HiddenPlaces {
  readonly #wanted: WantedPlaces;
  readonly #folders = new Map<string, Known>();
  readonly #files = new Map<string, Set<string>>();

  /** Looks at nothing yet. */
  constructor(wanted: WantedPlaces) {
    this.#wanted = wanted;
  }

  /** Looks at what is there now; what is not there and never was is left out. Throws a MovedPlaceError. */
  find(): FoundPlaces {
    const folders = new Set<string>();
    const files = new Set<string>();
    const trusted = new Set<string>();
    const given: string[] = [];
    const { lasting, passing } = this.#wanted;
    for (const path of [...lasting, ...passing]) {
      const is = this.#look(path);
      if (is === 'folder') folders.add(realpathSync(path));
      if (is !== 'nothing') given.push(path);
      for (const file of this.#filesOf(path, is === 'file')) files.add(file);
    }
    for (const path of this.#wanted.trusted) {
      const isFile = lookAt(path)?.isFile() === true;
      if (isFile) given.push(path);
      for (const file of this.#filesOf(path, isFile)) trusted.add(file);
    }
    const ancestors = new Set([...given, ...folders, ...files, ...trusted].flatMap(ancestorsOf));
    const hidden = (path: string) =>
      folders.has(path) || pathsAbove(path).some((above) => folders.has(above));
    return {
      folders: [...folders],
      files: [...files],
      trusted: [...trusted],
      ancestors: [...ancestors].filter((path) => !hidden(path)).toSorted((a, b) => depth(a) - depth(b)),
    };
  }

  #look(path: string): 'folder' | 'file' | 'nothing' {
    const is = lookAt(path);
    const known = this.#folders.get(path);
    if (known !== undefined && is === undefined) throw new MovedPlaceError(path, 'is no longer there');
    if (is === undefined) return 'nothing';
    if (known !== undefined && (known.device !== is.dev || known.inode !== is.ino)) {
      throw new MovedPlaceError(path, 'is another folder than it was');
    }
    if (!is.isDirectory()) return 'file';
    if (this.#wanted.lasting.includes(path)) this.#folders.set(path, { device: is.dev, inode: is.ino });
    return 'folder';
  }

  #filesOf(path: string, isFile: boolean): ReadonlySet<string> {
    const files = this.#files.get(path) ?? new Set<string>();
    for (const file of files) if (lookAt(file) === undefined) files.delete(file);
    if (isFile) files.add(realpathSync(path));
    if (files.size > 0) this.#files.set(path, files);
    return files;
  }
}

/** Undefined where it is not there, or cannot be looked at. */
function lookAt(path: string) {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined;
  }
}

/** The real paths of all that leads to a path as it is given, by links too. */
function ancestorsOf(path: string): string[] {
  return pathsAbove(path).flatMap((above) => {
    const real = realpathSync(above);
    return [...pathsAbove(real), real];
  });
}

/** Without `/`. */
function pathsAbove(path: string): string[] {
  const above = dirname(path);
  return above === '/' || above === path ? [] : [...pathsAbove(above), above];
}

function depth(path: string): number {
  return path.split('/').length;
}
