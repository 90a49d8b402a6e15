import { findCommand, runCommand } from '../command.ts';
import { keyctlNumber } from './keyrings.ts';

/**
 * Joins a new session keyring without a name, takes all rights to it from everybody, also the right to give them back,
 * and becomes the command. Where the kernel has no keys (ENOSYS), or lets nobody here have any (EPERM, as in a
 * container of Docker), programs have none either. Numbers are those of linux/keyctl.h.
 */
const lockedScript = `
use Errno qw(ENOSYS EPERM);
my ($keyctl, @command) = @ARGV;
my $keyring = syscall($keyctl, 1, 0);
if ($keyring > 0) { syscall($keyctl, 5, $keyring, 0) == 0 or exit 1 }
else { $! == ENOSYS || $! == EPERM or exit 1 }
exec { $command[0] } @command or exit 1;
`;

/**
 * A command to put before the spawner's, so that programs have neither the keys of the session that the node was
 * started in, nor a keyring in common: a session keyring goes to all that a process starts, and who has it needs no
 * other right to what is in it (keyrings(7)). A program may join one of its own. Resolves with nothing where perl is
 * missing or cannot do it.
 */
export async function withoutSessionKeyring(): Promise<readonly string[]> {
  const perl = findCommand('perl');
  const keyctl = keyctlNumber();
  if (perl === undefined || keyctl === undefined) return [];
  const wrapper = [perl, '-e', lockedScript, String(keyctl)];
  const [file = perl, ...args] = [...wrapper, '/bin/sh', '-c', ':'];
  return (await runCommand(file, args)) ? wrapper : [];
}
