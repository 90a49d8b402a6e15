import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { noStartup } from './launcher.ts';

const closeOnExec = 0o2000000;

/**
 * Descriptors that the node itself was started with and would hand on to its programs. Node closes those up to
 * the first gap above 15 by itself.
 */
export function inheritedDescriptors(): number[] {
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => fd > 2 && !closesOnExec(fd));
}

function closesOnExec(fd: number): boolean {
  try {
    const [, flags = ''] = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1')) ?? [];
    return (Number.parseInt(flags, 8) & closeOnExec) !== 0;
  } catch {
    // It was the descriptor that the folder was read with.
    return true;
  }
}

const bash = '/bin/bash';

/**
 * A command to put before another so that it does not get these descriptors; undefined where no shell here can close
 * them: dash only knows those up to 9.
 */
export function closing(inherited: readonly number[], shell = '/bin/sh'): readonly string[] | undefined {
  if (inherited.length === 0) return [];
  const script = `${inherited.map((fd) => `exec ${fd}>&-`).join('; ')}; exec "$@"`;
  if (existsSync(bash)) return [bash, noStartup, '-c', script, 'bash'];
  return basename(realpathSync(shell)) === 'dash' ? undefined : [shell, '-c', script, 'sh'];
}
