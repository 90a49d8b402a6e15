import { readFileSync } from 'node:fs';
import { invalidArgument, quote } from '../../domain/errors.ts';
import type { Identity } from '../containment/users/identity.ts';
import { anyLeasedUser } from '../containment/users/leased-users.ts';

/** By custom `nogroup`. */
const noGroup = 65534;
/** The kernel keeps the last number for "no change". */
const highestId = 2 ** 32 - 2;

/** Which users this node can run programs as. */
export class Identities {
  readonly #own: Identity;
  readonly #root: string;
  readonly #known = new Map<string, Identity>();

  /** `own` is the node's; `root` is the folder that has etc/passwd and etc/group in it. */
  constructor(own: Identity, root = '/') {
    this.#own = own;
    this.#root = root;
  }

  /** Whether the node can run programs as any user but its own. */
  get anyUser(): boolean {
    return this.#own.uid === 0;
  }

  /**
   * `user` is `USER` or `USER:GROUP`, names or numbers; empty is one without privileges, which stands for all that are
   * leased. Without a group it is the user's own. Throws a RequestError that names the field.
   */
  find(user: string): Identity {
    let identity = this.#known.get(user);
    if (identity === undefined) {
      identity = this.#check(user);
      this.#known.set(user, identity);
    }
    return identity;
  }

  #check(user: string): Identity {
    if (user === '') return this.anyUser ? anyLeasedUser : this.#own;
    const asked = this.#parse(user);
    if (!this.anyUser && (asked.uid !== this.#own.uid || asked.gid !== this.#own.gid)) {
      const { uid, gid } = this.#own;
      throw invalidUser(
        `the node is not root and can only run programs as itself; allowed is empty or ${uid}:${gid}`,
      );
    }
    return asked;
  }

  #parse(user: string): Identity {
    const [name = '', group, ...rest] = user.split(':');
    if (name === '' || group === '' || rest.length > 0) {
      throw invalidUser(`${quote(user)} is not USER or USER:GROUP, as names or numbers`);
    }
    const number = idNumber(name);
    const entry = this.#entries('passwd').find((fields) =>
      number === undefined ? fields[0] === name : fields[2] === String(number),
    );
    const uid = number ?? Number(entry?.[2] ?? Number.NaN);
    if (Number.isNaN(uid))
      throw invalidUser(`/etc/passwd has no user ${quote(name)}; a number works without one`);
    return { uid, gid: group === undefined ? Number(entry?.[3] ?? noGroup) : this.#group(group) };
  }

  #group(name: string): number {
    const entry = this.#entries('group').find((fields) => fields[0] === name);
    const gid = idNumber(name) ?? Number(entry?.[2] ?? Number.NaN);
    if (Number.isNaN(gid))
      throw invalidUser(`/etc/group has no group ${quote(name)}; a number works without one`);
    return gid;
  }

  #entries(file: 'passwd' | 'group'): string[][] {
    try {
      const text = readFileSync(`${this.#root}/etc/${file}`, 'utf8');
      return text.split('\n').map((line) => line.split(':'));
    } catch {
      // A system without the file has no names; numbers work.
      return [];
    }
  }
}

function idNumber(text: string): number | undefined {
  if (!/^\d+$/.test(text)) return undefined;
  const id = Number(text);
  if (id > highestId)
    throw invalidUser(`${text} is not a user or group number; allowed is 0 to ${highestId}`);
  return id;
}

function invalidUser(description: string): Error {
  return invalidArgument('definition.user', description);
}
