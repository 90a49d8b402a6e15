import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { findCommand, runCommand } from '../command.ts';
import type { Identity } from '../users/identity.ts';
import { Covers, type Shown } from './covers.ts';
import { HiddenPlaces } from './hidden-places.ts';

/**
 * Its arguments are the commands `mount` and `unshare`, a user and a group, two lists of mounts, the files to be made
 * between them, `--`, and the command that it becomes as that user.
 */
const confinementScript = `
mount=$1; unshare=$2; user=$3; group=$4; first=$5; second=$6; shift 6
"$mount" -a -T "$first" 2>/dev/null || exit
more=
while [ "$1" != -- ]; do : >"$1" || exit; more=1; shift; done
shift
[ -z "$more" ] || "$mount" -a -T "$second" 2>/dev/null || exit
echo 0 >/proc/sys/user/max_mnt_namespaces || exit
exec "$unshare" --user --map-user="$user" --map-group="$group" -- "$@"
`;

/** How one program is confined. */
export interface Confined {
  /** Put before a command that is to run confined; `unshare` is the process that the node sees. */
  readonly wrapper: readonly string[];
  /** The program has ended. */
  remove(): void;
}

interface Tools {
  readonly unshare: string;
  readonly mount: string;
}

interface ConfinementPlace {
  /** A folder for the lists of mounts, in one of those that are hidden. */
  readonly private: string;
  /** Files and folders that no program may see. */
  readonly hidden: readonly string[];
  /** Files that no program may write. */
  readonly trusted: readonly string[];
}

/**
 * Keeps programs of a node that is not root from what is the node's, though both are of one user. A program runs in two
 * user namespaces. The outer one owns the mounts that hide files, and namespaces of process ids and ipc; in the inner
 * one the program has its user and no capability. So:
 *
 * 1. what hides cannot be taken away, also not in a user namespace that the program makes: for that it is locked
 *    (mount_namespaces(7)). It makes no mount namespace: there it could leave all mounts behind, and rename what they
 *    keep in place (namespaces(7), max_mnt_namespaces);
 * 2. no process of the node can be named, so none can be signalled;
 * 3. no process outside can be looked into, as that needs a capability in its user namespace (ptrace(2)).
 */
export class Confinement {
  readonly #private: string;
  readonly #places: HiddenPlaces;
  readonly #tools: Tools;
  readonly #own: Identity;
  #unshared: readonly string[];
  #made = 0;

  private constructor(place: ConfinementPlace, tools: Tools, own: Identity) {
    this.#private = place.private;
    // Whoever reaches the services of a user's session can have them run anything outside.
    this.#places = new HiddenPlaces({
      lasting: place.hidden,
      passing: [`/run/user/${own.uid}`],
      trusted: place.trusted,
    });
    this.#tools = tools;
    this.#own = own;
    this.#unshared = this.#spaces(['--mount-proc']);
  }

  /**
   * Resolves with why there can be none where it cannot be made. `wrapper` is what the spawner is started with.
   * Where the system's /proc has something laid over, as in a container, programs see that one; `warn` is told.
   */
  static async make(
    place: ConfinementPlace,
    wrapper: readonly string[],
    warn: (reason: string) => void,
  ): Promise<Confinement | { readonly reason: string }> {
    const [unshare, mount] = ['unshare', 'mount'].map(findCommand);
    if (unshare === undefined || mount === undefined) {
      return { reason: 'unshare and mount of util-linux are not installed' };
    }
    const own = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
    const confinement = new Confinement(place, { unshare, mount }, own);
    if (await confinement.#works(wrapper)) return confinement;
    confinement.#unshared = confinement.#spaces([]);
    if (!(await confinement.#works(wrapper))) {
      return {
        reason:
          'unshare and mount cannot make user, process id and mount namespaces, or /proc/sys cannot be written there',
      };
    }
    warn('programs see in /proc which processes run, as none of their own can be mounted');
    return confinement;
  }

  /** Whether a path is in what programs do not see; one that is not there is not. */
  hides(path: string): boolean {
    try {
      return this.#covers().hides(path);
    } catch {
      // Whoever uses it says what is wrong with it.
      return false;
    }
  }

  /** For one program. Throws as the file system does, and a MovedPlaceError. */
  around(shown: Shown): Confined {
    const folder = this.#private;
    const covers = this.#covers();
    const emptyFile = `${folder}/empty`;
    if (!existsSync(emptyFile)) writeFileSync(emptyFile, '', { mode: 0o444 });
    const plan = covers.plan(shown, folder, emptyFile, (index) => {
      const stage = `${folder}/stage-${index}`;
      mkdirSync(stage, { recursive: true, mode: 0o700 });
      return stage;
    });
    this.#made += 1;
    const paths = [plan.first, plan.second].map((text, index) => {
      const path = `${folder}/mounts-${this.#made}-${index}`;
      if (text !== '') writeFileSync(path, text, { mode: 0o600 });
      return path;
    });
    const { mount, unshare } = this.#tools;
    const { uid, gid } = this.#own;
    const user = [String(uid), String(gid)];
    const script = ['/bin/sh', '-c', confinementScript, 'sh', mount, unshare, ...user];
    return {
      wrapper: [...this.#unshared, ...script, ...paths, ...plan.files, '--'],
      remove() {
        for (const path of paths) rmSync(path, { force: true });
      },
    };
  }

  /** Looked at for each program: what is hidden may have been made since. */
  #covers(): Covers {
    return new Covers(this.#places.find());
  }

  #spaces(more: readonly string[]): readonly string[] {
    const owned = ['--user', '--map-root-user', '--mount', '--ipc', '--pid', '--fork', '--kill-child'];
    return [this.#tools.unshare, ...owned, ...more, '--propagation', 'slave', '--'];
  }

  async #works(wrapper: readonly string[]): Promise<boolean> {
    const confined = this.around({ files: [], folders: [] });
    const [file = '', ...args] = [...wrapper, ...confined.wrapper, '/bin/sh', '-c', ':'];
    try {
      return await runCommand(file, args);
    } finally {
      confined.remove();
    }
  }
}
