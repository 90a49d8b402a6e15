import { readFileSync } from 'node:fs';
import { findCommand, runCommand } from '../command.ts';

/**
 * A command to put before the spawner's, so that no program that it starts can gain a privilege, by a set-uid file or
 * otherwise: `no_new_privs` and an empty bounding set go from a process to all that it starts, so they cost nothing at
 * a start. Resolves with nothing where setpriv is not installed, or cannot do it.
 *
 * The spawner of a node that is root has to stay able to change users. With an empty bounding set a root process
 * keeps over an exec what is inheritable, and loses it when it becomes another user.
 */
export async function withoutNewPrivileges(): Promise<readonly string[]> {
  const setpriv = findCommand('setpriv');
  if (setpriv === undefined) return [];
  const plain = [setpriv, '--no-new-privs'];
  const choices = process.geteuid?.() === 0 ? [rootWrapper(setpriv), plain] : [plain];
  for (const wrapper of choices) {
    const [file = setpriv, ...args] = wrapper;
    if (await runCommand(file, [...args, '/bin/sh', '-c', ':'])) return wrapper;
  }
  return [];
}

/** In two steps, because what is not in the bounding set cannot be made inheritable. */
function rootWrapper(setpriv: string): readonly string[] {
  const inheritable = ['-all', ...ownCapabilities().map((number) => `+cap_${number}`)].join(',');
  return [setpriv, `--inh-caps=${inheritable}`, setpriv, '--no-new-privs', '--bounding-set=-all'];
}

function ownCapabilities(): number[] {
  const [, mask = '0'] = /^CapPrm:\s*(\w+)/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? [];
  const permitted = BigInt(`0x${mask}`);
  return Array.from({ length: 64 }, (_, number) => number).filter(
    (number) => (permitted >> BigInt(number)) & 1n,
  );
}
