import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import type { Identity } from './users/identity.ts';

/** What the commands that the node runs for itself find programs by; nothing of its own environment. */
export const commandEnvironment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };

/** Runs a command of the node's own without input or output. Resolves with whether it exited with 0. */
export function runCommand(file: string, args: readonly string[], as?: Identity): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const child = spawn(file, args, {
    stdio: 'ignore',
    env: commandEnvironment,
    cwd: '/',
    detached: true,
    ...as,
  });
  child.on('error', () => resolve(false));
  child.on('exit', (code) => resolve(code === 0));
  return promise;
}

/** The path of a command of the system; undefined where it is not installed. */
export function findCommand(name: string): string | undefined {
  return ['/usr/bin', '/bin', '/usr/sbin', '/sbin']
    .map((folder) => `${folder}/${name}`)
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        // Not there.
        return false;
      }
    });
}
