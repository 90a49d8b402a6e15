import { execFileSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { basename } from 'node:path';
import type { MountSettings } from 'dockerode';
import { commandEnvironment } from '../../containment/command.ts';

const shell = '/bin/sh';
/** Where its files are in a container. */
const folder = '/run/spear';

/**
 * Holds a program back until a line comes on its standard input, and then becomes it: the shell of the node's machine,
 * which needs nothing of the image. The program has its input from after that line on, as a shell reads no further.
 */
export interface StartGate {
  /** Put before the command of the program. */
  readonly entrypoint: readonly string[];
  readonly mounts: readonly MountSettings[];
}

/** What opens it. */
export const gateLine = Buffer.from('\n');

let found: StartGate | undefined;

/** Looked for once. Throws where the shell of this machine, or its libraries, cannot be found. */
export function findStartGate(): StartGate {
  found ??= lookForStartGate();
  return found;
}

function lookForStartGate(): StartGate {
  const listed = execFileSync('ldd', [shell], { encoding: 'utf8', env: commandEnvironment });
  const libraries = [...listed.matchAll(/=> (\/\S+) \(0x/g)].map(([, path = '']) => path);
  const loader = /^\s+(\/\S+) \(0x/m.exec(listed)?.[1];
  if (loader === undefined) throw new Error(`what loads ${shell} is not known`);
  const isBash = basename(realpathSync(shell)) === 'bash';
  const files = [
    [shell, `${folder}/sh`],
    [loader, `${folder}/loader`],
    ...libraries.filter((path) => path !== loader).map((path) => [path, `${folder}/lib/${basename(path)}`]),
  ];
  return {
    entrypoint: [
      ...[`${folder}/loader`, '--library-path', `${folder}/lib`, `${folder}/sh`],
      ...(isBash ? ['--norc', '--posix'] : []),
      ...['-c', 'read -r _ || exit; exec "$@"', 'sh'],
    ],
    mounts: files.map(([source = '', target = '']) => ({
      Type: 'bind',
      Source: realpathSync(source),
      Target: target,
      ReadOnly: true,
    })),
  };
}
