import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';

/** User ids, from the first to the last. */
export interface UserRange {
  readonly first: number;
  readonly last: number;
  /** How many are taken at once. */
  readonly block: number;
}

/** Only root can write there, and it is empty after each start of the machine. */
const usersFolder = '/run/spear/users';
/** systemd has a file there for each dynamic user, named by its number. */
const dynamicUsers = '/run/systemd/dynamic-uid';

/**
 * Blocks of a range of user ids, each held by one owner on the machine at a time: all nodes take from the same range,
 * and no two may run programs as the same user.
 *
 * 1. Who wants a block makes a file that names the block and its own process.
 * 2. Then it looks for such files of others. Where one is of a process that lives, it removes its own and goes on to
 *    the next block: of two that want the same at once, at least one sees the other.
 *
 * A file of a process that is dead means nothing, so that it does not matter how a node ends. A process of another
 * process id namespace counts as one that lives. Nodes that do not share /run do not see each other.
 */
export class UserBlocks {
  readonly #range: UserRange;
  readonly #folder: string;
  readonly #owner: string;
  readonly #held = new Set<string>();

  constructor(range: UserRange, folder = usersFolder) {
    this.#range = range;
    this.#folder = folder;
    this.#owner = `${pidNamespace()}.${process.pid}.${startOf(process.pid) ?? ''}.${randomBytes(4).toString('hex')}`;
  }

  /**
   * The ids of one more block that nothing runs as; undefined where all blocks are held. Throws where the folder of the
   * files cannot be written.
   */
  take(): number[] | undefined {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const { first, last, block } = this.#range;
    const taken = new Set([...this.#others(), ...this.#held].map((file) => file.split('.')[0]));
    for (let start = first; start <= last; start += block) {
      if (taken.has(String(start)) || !this.#hold(start)) continue;
      const used = usersInUse();
      const ids = Array.from({ length: Math.min(block, last - start + 1) }, (_, index) => start + index);
      const free = ids.filter((uid) => !used.has(uid));
      // A block without any is kept until the owner ends, and not looked at again.
      if (free.length > 0) return free;
    }
    return undefined;
  }

  /** Nothing runs as one of its users any more, but what the next owner finds. */
  close(): void {
    for (const file of this.#held) rmSync(`${this.#folder}/${file}`, { force: true });
    this.#held.clear();
  }

  #hold(start: number): boolean {
    const file = `${start}.${this.#owner}`;
    writeFileSync(`${this.#folder}/${file}`, '', { mode: 0o600 });
    if (this.#others().some((other) => other.startsWith(`${start}.`))) {
      rmSync(`${this.#folder}/${file}`, { force: true });
      return false;
    }
    this.#held.add(file);
    return true;
  }

  /** The files of owners that live; removes those of others. */
  #others(): string[] {
    return readdirSync(this.#folder).filter((file) => {
      const [, namespace, pid, start] = file.split('.');
      if (file.endsWith(`.${this.#owner}`)) return false;
      if (namespace !== pidNamespace() || startOf(Number(pid)) === start) return true;
      rmSync(`${this.#folder}/${file}`, { force: true });
      return false;
    });
  }
}

function pidNamespace(): string {
  return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '';
}

/** When a process was started, in ticks since the machine was: field 22 of its `stat`; undefined where there is none. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    // It has ended.
    return undefined;
  }
}

/** Those that a process has as one of its ids, and those that systemd has given away. */
function usersInUse(): Set<number> {
  const used = new Set(namesIn(dynamicUsers).map(Number));
  for (const pid of namesIn('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'latin1');
      const [, ids = ''] = /^Uid:\s*(.*)$/m.exec(status) ?? [];
      for (const id of ids.split('\t')) used.add(Number(id));
    } catch {
      // It has ended.
    }
  }
  return used;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // A machine without systemd.
    return [];
  }
}
