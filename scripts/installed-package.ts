/** The package as a user gets it: packed, and installed into a prefix of its own, far from the checkout. */
import { execFileSync } from 'node:child_process';
import { type Dirent, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const mebibyte = 1024 * 1024;

interface InstalledPackage {
  /** The command. */
  readonly spear: string;
  /** The Node that npm brought; undefined where it has none for this machine. */
  readonly node: string | undefined;
  /** What it takes on the disk without Node, in MiB. */
  readonly mebibytes: number;
}

/** Packs the checkout into the folder; this builds the program. Returns the path of the tarball. */
export function pack(folder: string): string {
  npm('pack', '--pack-destination', folder);
  const [tarball] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error('npm pack made no package');
  return join(folder, tarball);
}

/** Installs the tarball as `npm install --global` does, with a prefix that is made. No script of a package runs. */
export function install(tarball: string, prefix: string): InstalledPackage {
  npm('install', '--global', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', prefix, tarball);
  const modules = join(prefix, 'lib/node_modules/spear');
  const nodes = readdirSync(join(modules, 'node_modules'), { withFileTypes: true }).filter(isNode);
  const node = nodes.map(({ name }) => join(modules, 'node_modules', name, 'bin/node'))[0];
  return {
    spear: join(prefix, 'bin/spear'),
    node,
    mebibytes: sizeOf(modules, (entry) => isNode(entry)) / mebibyte,
  };
}

function isNode(entry: Dirent): boolean {
  return /^node-(bin-)?(linux|darwin|win)-/.test(entry.name);
}

/** In bytes of the blocks that it takes, as `du` counts. */
function sizeOf(folder: string, without: (entry: Dirent) => boolean): number {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !without(entry))
    .reduce((sum, entry) => {
      const path = join(folder, entry.name);
      return sum + lstatSync(path).blocks * 512 + (entry.isDirectory() ? sizeOf(path, without) : 0);
    }, 0);
}

function npm(...args: string[]): void {
  execFileSync('npm', ['--silent', ...args], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
}
