import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { FoundPlaces } from './hidden-places.ts';
import { emptyFolder, entry, isBelow, ownQueuesAndTerminals, sharedFolders } from './mount-table.ts';

/** Options of a file system that stands for a place that nothing is to be seen of. */
const nothing = 'ro,nosuid,nodev,noexec,size=4k,mode=0555';

/** What a program is to see although it is in a place that is covered. */
export interface Shown {
  /** Files are seen in their folder, and alone where that is covered for itself. */
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

/** Two lists of mounts, and the files that have to be made between them. */
export interface CoverPlan {
  readonly first: string;
  readonly files: readonly string[];
  readonly second: string;
}

interface Cover {
  readonly path: string;
  /** Whether the program may write there: a folder that everyone can write to. */
  readonly shared: boolean;
}

/**
 * What is laid over folders of the host for one program. A hidden place is an empty folder or an empty file, which
 * cannot be written; one that everyone can write to is an empty folder of memory. The folders that lead to a hidden
 * place are mounts, too: none that is one can be renamed or removed (rename(2), EBUSY), which would uncover the place
 * for the next program.
 */
export class Covers {
  readonly #folders: readonly string[];
  readonly #files: readonly string[];
  readonly #trusted: readonly string[];
  readonly #ancestors: readonly string[];
  readonly #outer: readonly Cover[];

  constructor({ folders, files, trusted, ancestors }: FoundPlaces) {
    const shared = sharedFolders();
    // One that everyone can write to would have to stay as it is, and nobody's secrets are there.
    this.#folders = folders.filter((path) => !shared.includes(path));
    this.#files = files;
    this.#trusted = trusted;
    this.#ancestors = ancestors;
    const all = [
      ...shared.map((path) => ({ path, shared: true })),
      ...this.#folders.map((path) => ({ path, shared: false })),
    ];
    this.#outer = all.filter(({ path }) => !all.some((other) => isBelow(path, other.path)));
  }

  /** Whether a path, which is there, is a hidden place or in one. */
  hides(path: string): boolean {
    const real = realpathSync(path);
    return [...this.#folders, ...this.#files].some((hidden) => real === hidden || isBelow(real, hidden));
  }

  /**
   * `stages` is a folder that is hidden itself, with one below it for each number that `stage` is asked for, and
   * `emptyFile` is a file there.
   */
  plan(shown: Shown, stages: string, emptyFile: string, stage: (index: number) => string): CoverPlan {
    const seen = this.#seen(shown, stages);
    const bound = (source: string, target: string) =>
      entry(source, target, 'none', `bind,ro${heldFlags(source)}`);
    // Before all else: what is put together elsewhere then has them, too.
    const first = [
      ...this.#ancestors.map((path) => entry(path, path, 'none', 'rbind')),
      ...this.#trusted.map((path) => bound(path, path)),
      ...this.#files.map((path) => bound(emptyFile, path)),
    ];
    const binds: string[] = [];
    const files: string[] = [];
    const rest: string[] = [];
    // What is put together there is reached through the one that the stages are in, so that comes last.
    const outer = this.#outer.toSorted(
      (a, b) => Number(isBelow(stages, a.path)) - Number(isBelow(stages, b.path)),
    );
    for (const [index, { path, shared }] of outer.entries()) {
      const within = seen.filter((place) => isBelow(place, path));
      if (within.length === 0) {
        rest.push(laidOver(path, shared));
        continue;
      }
      const place = stage(index);
      first.push(entry('spear', place, 'tmpfs', shared ? emptyFolder : 'nosuid,nodev,mode=0555'));
      for (const source of within) {
        const target = `${place}${source.slice(path.length)}`;
        if (statSync(source).isDirectory()) {
          first.push(entry(source, target, 'none', 'rbind,X-mount.mkdir=0755'));
        } else {
          files.push(target);
          binds.push(bound(source, target));
        }
      }
      rest.push(entry(place, path, 'none', shared ? 'rbind' : 'rbind,ro,nosuid,nodev'));
    }
    for (const hidden of this.#folders) {
      if (seen.some((place) => isBelow(hidden, place))) rest.push(laidOver(hidden, false));
    }
    rest.push(...ownQueuesAndTerminals());
    return files.length === 0
      ? { first: [...first, ...rest].join(''), files, second: '' }
      : { first: first.join(''), files, second: [...binds, ...rest].join('') };
  }

  /** Real paths of folders, and of files that are seen alone; none is in another. */
  #seen({ files, folders }: Shown, stages: string): string[] {
    const there = (path: string) => existsSync(path);
    const places = [
      ...files.filter(there).map((path) => this.#placeOf(realpathSync(path), stages)),
      ...folders.filter(there).map((path) => realpathSync(path)),
    ].filter((place) => !this.#folders.includes(place) && !this.#files.includes(place));
    return [...new Set(places)].filter((place) => !places.some((other) => isBelow(place, other)));
  }

  #placeOf(file: string, stages: string): string {
    const folder = dirname(file);
    const covered = this.#outer.some(({ path }) => path === folder) || this.hides(folder);
    return covered || isBelow(stages, folder) ? file : folder;
  }
}

function laidOver(folder: string, shared: boolean): string {
  return entry('spear', folder, 'tmpfs', shared ? emptyFolder : nothing);
}

/** Who has not made a mount may not take these from it: they have to be said again, each after a comma. */
function heldFlags(path: string): string {
  let best = { point: '', options: [] as readonly string[] };
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [, , , , place = '', options = ''] = line.split(' ');
    const point = place.replaceAll(/\\(\d{3})/g, (_all, code: string) =>
      String.fromCharCode(Number.parseInt(code, 8)),
    );
    const holds = point === '/' || path === point || isBelow(path, point);
    if (place !== '' && holds && point.length >= best.point.length) {
      best = { point, options: options.split(',') };
    }
  }
  return best.options
    .filter((option) => !['rw', 'ro'].includes(option))
    .map((option) => `,${option}`)
    .join('');
}
