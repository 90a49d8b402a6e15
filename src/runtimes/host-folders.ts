import { readFileSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { invalidArgument, quote } from '../domain/errors.ts';
import type { TaskDefinition } from '../domain/task.ts';

/** A folder or a socket that no function may see, and what it is for people. */
export interface Guarded {
  readonly path: string;
  readonly what: string;
}

/** A folder that may not be given, and why. */
interface FolderRefusal {
  /** Where the function would see it. */
  readonly guest: string;
  readonly reason: string;
}

/**
 * Folders of the host that functions may be given: none that has one of the guarded in it, or is in one. What counts is
 * what a path leads to, also by links and by mounts of one folder at several places.
 */
export class HostFolders {
  readonly #guarded: readonly Guarded[];

  constructor(guarded: readonly Guarded[]) {
    this.#guarded = guarded;
  }

  /** Why a task may not have its folders; undefined where it may. Looks at what is there now. */
  refusal(preopens: Readonly<Record<string, string>>): FolderRefusal | undefined {
    for (const [guest, folder] of Object.entries(preopens)) {
      const why = this.#refusalOf(folder);
      if (why !== undefined) return { guest, reason: `the host folder ${folder} ${why}` };
    }
    return undefined;
  }

  /** Throws invalid_argument for a definition that names a folder which may not be given. */
  check({ preopens }: Pick<TaskDefinition, 'preopens'>): void {
    const refused = this.refusal(preopens);
    if (refused === undefined) return;
    throw invalidArgument(
      `definition.preopens.${quote(refused.guest)}`,
      `${refused.reason}; allowed are folders apart from it`,
    );
  }

  #refusalOf(folder: string): string | undefined {
    const real = realPath(folder);
    // It cannot be given, either.
    if (real === undefined) return undefined;
    for (const { path, what } of this.#guarded) {
      const there = realPath(path);
      if (there !== undefined && isWithin(real, there)) return `is in ${what}`;
      const guarded = there ?? nearestPath(path);
      if (isWithin(guarded, real) || mountsBelow(real).some((place) => isWithin(guarded, place)))
        return `has ${what} in it`;
    }
    return undefined;
  }
}

/** Whether the folder, or one that it is in, is the other. */
function isWithin(path: string, other: string): boolean {
  const wanted = stat(other);
  if (wanted === undefined) return false;
  for (let at = path; ; at = dirname(at)) {
    if (isEqual(stat(at), wanted)) return true;
    if (at === dirname(at)) return false;
  }
}

function isEqual(a: Stats | undefined, b: Stats | undefined): boolean {
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino;
}

/** Undefined where it is not there, or cannot be looked at. */
function stat(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/** Its real path, or that of the nearest folder above it that is there: the rest may be made later. */
function nearestPath(path: string): string {
  for (let at = path; ; at = dirname(at)) {
    const real = realPath(at);
    if (real !== undefined || at === dirname(at)) return real ?? at;
  }
}

/** Where something else is mounted below a folder: none of it is above the folder by its path. */
function mountsBelow(folder: string): string[] {
  let table: string;
  try {
    table = readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return [];
  }
  const places = table.split('\n').flatMap((line) => {
    const place = line.split(' ')[4];
    // proc(5): spaces and the like stand there in octal.
    return place === undefined ? [] : [place.replaceAll(/\\(\d{3})/g, (_all, code: string) => octal(code))];
  });
  return places.filter((place) => place !== folder && place.startsWith(join(folder, '/')));
}

function octal(code: string): string {
  return String.fromCharCode(Number.parseInt(code, 8));
}
