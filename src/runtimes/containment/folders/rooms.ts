import { existsSync, mkdirSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { findCommand, runCommand } from '../command.ts';
import type { Identity } from '../users/identity.ts';
import { emptyFolder, entry, isBelow, ownQueuesAndTerminals, sharedFolders } from './mount-table.ts';

/** It ends with its stdin. Its arguments are two lists of mounts, and files to be made between them. */
const roomScript = `
first=$1; second=$2; shift 2
mount -a -T "$first" || exit
for file do : >"$file" || exit; done
[ $# -eq 0 ] || mount -a -T "$second" || exit
echo; read -r _ || :
`;

/** A kind of room, for one program at a time: each gets one of its own, and it is gone with the program. */
export interface Room {
  /** Makes one: says so in a line when it is ready, and stays in it until its stdin ends. */
  readonly command: readonly string[];
  /** Put before a command that is to run in it as a user; its namespaces are open at `descriptor` and the next. */
  enter(descriptor: number, identity: Identity | undefined): readonly string[];
}

interface Tools {
  readonly unshare: string;
  readonly nsenter: string;
}

/**
 * Rooms: mount namespaces with empty folders of memory in place of those that everyone can write to and terminals of
 * their own, and ipc namespaces. The node has to be root. What is in the folders counts as memory of the program.
 */
export class Rooms {
  readonly #folder: string;
  readonly #tools: Tools;
  readonly #shared: readonly string[];
  readonly #volumes: readonly string[];
  readonly #known = new Map<string, Room>();

  private constructor(folder: string, volumes: readonly string[], tools: Tools) {
    this.#volumes = volumes;
    this.#folder = folder;
    this.#tools = tools;
    const found = sharedFolders();
    // The one that the node's own folder is in comes last: all that is put together there is reached through it.
    const others = found.filter((path) => !isBelow(folder, path));
    this.#shared = [...others, ...found.filter((path) => isBelow(folder, path))];
  }

  /**
   * Resolves with why there can be none where they cannot be made. `folder` is the node's own; programs find their
   * folders in it, or in `volumes`, where more is made or mounted later. `wrapper` is what the spawner is started with.
   */
  static async make(
    { folder, volumes = [] }: { readonly folder: string; readonly volumes?: readonly string[] },
    wrapper: readonly string[],
  ): Promise<Rooms | { readonly reason: string }> {
    const [unshare, nsenter, mount] = ['unshare', 'nsenter', 'mount'].map(findCommand);
    if (unshare === undefined || nsenter === undefined || mount === undefined) {
      return { reason: 'unshare, nsenter and mount of util-linux are not installed' };
    }
    const places = volumes.map((path) => realpathSync(path));
    const rooms = new Rooms(realpathSync(folder), places, { unshare, nsenter });
    const [file = '', ...args] = [...wrapper, ...rooms.plain.command];
    return (await runCommand(file, args)) ? rooms : { reason: 'unshare and mount cannot make a namespace' };
  }

  /** The kind that shows nothing of what it hides. */
  get plain(): Room {
    return this.#showing([]);
  }

  /** One in which the folders of files, and these folders, are seen although they are in one that it hides. */
  showing(files: readonly string[], folders: readonly string[]): Room {
    const seen = [...files, ...folders].filter((path) =>
      this.#shared.some((folder) => isBelow(path, folder)),
    );
    // What is not there is missed by who looks for it.
    const there = [...new Set(seen)].filter((path) => existsSync(path));
    const real = [...new Set([...there, ...there.map((path) => realpathSync(path))])];
    const place = (path: string) =>
      statSync(path).isDirectory() || this.#shared.includes(dirname(path)) ? path : dirname(path);
    return this.#showing(real.map(place));
  }

  #showing(wanted: readonly string[]): Room {
    const hidden = wanted.filter((path) => this.#shared.some((folder) => isBelow(path, folder)));
    const shown = [...new Set(hidden)].filter((path) => !hidden.some((other) => isBelow(path, other))).sort();
    const key = shown.join('\0');
    const room = this.#known.get(key) ?? this.#describe(shown);
    this.#known.set(key, room);
    return room;
  }

  #describe(shown: readonly string[]): Room {
    const stages: string[] = [];
    const fileMounts: string[] = [];
    const places: string[] = [];
    const files: string[] = [];
    const tmpfs = (target: string) => entry('spear', target, 'tmpfs', emptyFolder);
    for (const [index, folder] of this.#shared.entries()) {
      const below = [this.#folder, ...this.#volumes, ...shown].filter((path) => isBelow(path, folder));
      if (below.length === 0) {
        places.push(tmpfs(folder));
        continue;
      }
      // Put together elsewhere, as what is shown could not be reached any more.
      const stage = `${this.#folder}/room-${index}`;
      mkdirSync(stage, { recursive: true, mode: 0o700 });
      stages.push(tmpfs(stage));
      places.push(entry(stage, folder, 'none', 'rbind'));
      for (const path of below) {
        const target = `${stage}${path.slice(folder.length)}`;
        if (this.#volumes.includes(path)) {
          stages.push(entry(path, target, 'none', 'rbind,X-mount.mkdir=0755'));
        } else if (statSync(path).isDirectory()) {
          stages.push(entry(path, target, 'none', 'bind,X-mount.mkdir=0755'));
        } else {
          files.push(target);
          fileMounts.push(entry(path, target, 'none', 'bind'));
        }
      }
    }
    places.push(...ownQueuesAndTerminals());
    const rest = [...fileMounts, ...places];
    const lists = files.length === 0 ? [[...stages, ...rest], []] : [stages, rest];
    return this.#room(lists, files);
  }

  #room(lists: readonly (readonly string[])[], files: readonly string[]): Room {
    const { unshare, nsenter } = this.#tools;
    const tables = lists.map((lines, index) => {
      const path = `${this.#folder}/mounts-${this.#known.size}-${index}`;
      writeFileSync(path, lines.join(''), { mode: 0o600 });
      return path;
    });
    // What the host unmounts later is not held on to.
    const spaces = ['--mount', '--ipc', '--propagation', 'slave'];
    return {
      command: [unshare, ...spaces, '/bin/sh', '-c', roomScript, 'sh', ...tables, ...files],
      enter: (descriptor, identity) => [
        nsenter,
        `--mount=/proc/self/fd/${descriptor}`,
        `--ipc=/proc/self/fd/${descriptor + 1}`,
        ...(identity === undefined ? [] : [`--setuid=${identity.uid}`, `--setgid=${identity.gid}`]),
      ],
    };
  }
}
