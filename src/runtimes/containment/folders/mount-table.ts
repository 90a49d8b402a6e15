/** Lines for `mount -a -T`, and what of the host each program gets one of its own of. */
import { existsSync, realpathSync } from 'node:fs';

/** Folders of the host that everyone can write to: what one program leaves there the next could find. */
const writableByAll = ['/tmp', '/var/tmp', '/dev/shm', '/run/lock'];
/** A mount of the host's leads to the host's message queues, whatever namespace one is in. */
const queues = '/dev/mqueue';
/**
 * The machine has `kernel.pty.max` terminals, 4096, and keeps the last `kernel.pty.reserve` of them, 1024, for its own
 * mount. `/dev/ptmx` makes them in the mount beside it. Source: the kernel's Documentation/filesystems/devpts.rst.
 */
const terminals = '/dev/pts';
/** Terminals of one program: 48 programs can have all of theirs. */
const maxTerminals = 64;

/** Options of a file system in memory that stands for a folder that everyone can write to. */
export const emptyFolder = 'nosuid,nodev,mode=1777';

/** The real paths of those that are there, each once. */
export function sharedFolders(): string[] {
  return [...new Set(writableByAll.filter((path) => existsSync(path)).map((path) => realpathSync(path)))];
}

/** In the host's, one program could leave none to anybody. */
export function ownQueuesAndTerminals(): string[] {
  const own = `newinstance,nosuid,noexec,ptmxmode=0666,mode=0620,max=${maxTerminals}`;
  return [
    ...(existsSync(queues) ? [entry('spear', queues, 'mqueue', 'nosuid,nodev,noexec')] : []),
    ...(existsSync(terminals) ? [entry('spear', terminals, 'devpts', own)] : []),
  ];
}

/** A line of the form of /etc/fstab. */
export function entry(source: string, target: string, type: string, options: string): string {
  const field = (text: string) =>
    text.replaceAll(/[\s\\#]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);
  return `${field(source)} ${field(target)} ${type} ${options} 0 0\n`;
}

export function isBelow(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`);
}
