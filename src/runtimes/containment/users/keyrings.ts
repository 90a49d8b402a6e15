import { readFileSync } from 'node:fs';
import { findCommand, runCommand } from '../command.ts';

/** The number of keyctl(2). Source: the kernel's arch/x86/entry/syscalls/syscall_64.tbl, asm-generic/unistd.h. */
const keyctlNumbers: Readonly<Record<string, number>> = { x64: 250, arm64: 219, riscv64: 219 };

/** The number of keyctl(2) on this machine; undefined where it is not known. */
export function keyctlNumber(): number | undefined {
  return keyctlNumbers[process.arch];
}

/** Those that the kernel keeps for a user: its own, that of its sessions, and the persistent one. */
const keptKeyrings = 3;

/**
 * As each user, empties the keyrings that are kept for it; its own may have lost the rights for that. Then waits for
 * the kernel to be rid of the keys, for two seconds at most. Numbers are those of linux/keyctl.h.
 */
const clearScript = `
use POSIX ();
my ($keyctl, $kept, @uids) = @ARGV;
for my $uid (@uids) {
  my $child = fork // exit 1;
  if ($child) { waitpid $child, 0; next }
  POSIX::setgid($uid); POSIX::setuid($uid);
  exit 1 if $< != $uid || $> != $uid;
  my $persistent = syscall($keyctl, 22, -1, -2);
  syscall($keyctl, 5, $_, 0x1f3f0000) for -4, -5;
  syscall($keyctl, 7, $_) for -4, -5, $persistent > 0 ? $persistent : ();
  exit 0;
}
for (1 .. 100) {
  open my $file, '<', '/proc/key-users' or exit 1;
  my %keys = map { /^\\s*(\\d+):\\s+\\d+\\s+(\\d+)/ ? ($1, $2) : () } <$file>;
  last unless grep { ($keys{$_} // 0) > $kept } @uids;
  select undef, undef, undef, 0.02;
}
`;

/**
 * The kernel's keys of users, which outlive all processes: what one program keeps there the next of that user could
 * read, and too many keep it from having any.
 */
export class Keyrings {
  /** Keys that empty keyrings count for, of users that were cleared. */
  readonly #kept = new Map<number, number>();

  /** Those of these users that have keys. */
  withKeys(uids: readonly number[]): number[] {
    const keys = readKeys();
    return uids.filter((uid) => (keys.get(uid) ?? 0) > (this.#kept.get(uid) ?? 0));
  }

  /** Removes the keys of users. Resolves with the users that have none any more. */
  async clear(uids: readonly number[]): Promise<number[]> {
    const perl = findCommand('perl');
    const keyctl = keyctlNumber();
    if (perl === undefined || keyctl === undefined) return [];
    const args = [keyctl, keptKeyrings, ...uids].map(String);
    if (!(await runCommand(perl, ['-e', clearScript, ...args]))) return [];
    const keys = readKeys();
    const cleared = uids.filter((uid) => (keys.get(uid) ?? 0) <= keptKeyrings);
    for (const uid of cleared) this.#kept.set(uid, keys.get(uid) ?? 0);
    return cleared;
  }
}

/** How many keys each user has, of those that have any; none where the kernel keeps no keys. */
function readKeys(): Map<number, number> {
  try {
    const lines = readFileSync('/proc/key-users', 'latin1').matchAll(/^\s*(\d+):\s+\d+\s+(\d+)/gm);
    return new Map(Array.from(lines, ([, uid, keys]) => [Number(uid), Number(keys)]));
  } catch {
    return new Map();
  }
}
