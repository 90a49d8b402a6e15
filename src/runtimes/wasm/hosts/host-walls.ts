import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { commandEnvironment } from '../../containment/command.ts';
import type { Identity } from '../../containment/users/identity.ts';
import type { HostProfile } from './host-process.ts';

/** The exit code of a host whose folders could not be mounted; Node and shells use no such one. */
export const notMounted = 97;

/** What the programs of a host are called inside its walls. */
const programs = { node: '/spear/node', setpriv: '/spear/setpriv' };

/** Where folders of the machine are inside. */
const preopensFolder = '/preopens';

/** What name lookups and certificates need of the machine. */
const networkFiles = [
  '/etc/resolv.conf',
  '/etc/hosts',
  '/etc/nsswitch.conf',
  '/etc/host.conf',
  '/etc/services',
  '/etc/ssl/certs/ca-certificates.crt',
];

/**
 * Of a host whose guests have folders: they are reached with the rights of the node's own user, who owns what guests
 * make there, and with no other right of that user.
 */
const folderCapabilities = ['dac_override', 'fowner', 'chown'];

/**
 * The walls of guest hosts on a node that is root: namespaces of mounts, processes, ipc and, but for those with a
 * network, networks; a root folder that holds the program, its libraries and the preopens, and no other file; a user
 * without privileges; no way to get any.
 *
 * 1. The root folder is made of empty files and folders, once for each profile; a host mounts over them, in a
 *    namespace of its own, so that nothing stays mounted when it ends.
 * 2. Preopens are mounted from their real folders when a host starts.
 */
export class HostWalls {
  readonly #folder: string;
  readonly #made = new Map<string, Enclosure>();
  readonly #libraries: readonly string[];
  readonly #setpriv: string;

  /**
   * @param folder of the node's, where the root folders are made
   * @throws Error where the tools are missing
   */
  constructor(folder: string) {
    this.#folder = folder;
    this.#setpriv = find('setpriv');
    for (const tool of ['unshare', 'mount', 'chroot']) find(tool);
    this.#libraries = librariesOf([process.execPath, this.#setpriv]);
  }

  /** The command of a host, to be run as root; the host's own command follows from Node's flags on. */
  command(profile: HostProfile, identity: Identity): string[] {
    const { fstab, root } = this.#enclosure(profile);
    const withFolders = Object.keys(profile.preopens).length > 0;
    const kept = withFolders ? folderCapabilities.map((name) => `,+${name}`).join('') : '';
    return [
      ...['unshare', '--mount', '--ipc', '--pid', '--fork', '--kill-child'],
      ...(profile.network ? [] : ['--net']),
      ...['--', '/bin/sh', '-c', `mount -a -T "$1" || exit ${notMounted}; shift; exec chroot "$@"`, 'sh'],
      ...[fstab, root, programs.setpriv, '--no-new-privs', `--bounding-set=-all${kept}`, '--inh-caps=-all'],
      ...['--clear-groups', `--regid=${identity.gid}`, `--reuid=${identity.uid}`, '--', programs.node],
    ];
  }

  /** The folders of a profile as its hosts see them, by guest path. */
  preopens(profile: HostProfile): Readonly<Record<string, string>> {
    const names = Object.keys(profile.preopens);
    return Object.fromEntries(names.map((name, index) => [name, `${preopensFolder}/${index}`]));
  }

  #enclosure(profile: HostProfile): Enclosure {
    const key = JSON.stringify(profile);
    let enclosure = this.#made.get(key);
    if (enclosure === undefined) {
      enclosure = this.#make(profile);
      this.#made.set(key, enclosure);
    }
    return enclosure;
  }

  #make({ preopens, network, packages }: HostProfile): Enclosure {
    const folder = `${this.#folder}/host-root-${this.#made.size}`;
    const root = `${folder}/root`;
    const folders = packageFolders(packages);
    const mounts: Mount[] = [
      { source: process.execPath, target: programs.node },
      { source: this.#setpriv, target: programs.setpriv },
      ...[...new Set([...this.#libraries, ...librariesOf(addonsIn(folders))]), '/etc/ld.so.cache'].map(
        (path) => ({ source: path, target: path }),
      ),
      ...[...(network ? networkFiles : []), ...folders].map((path) => ({ source: path, target: path })),
    ];
    const there = mounts.filter(({ source }) => existsSync(source));
    mkdirSync(folder, { mode: 0o700 });
    mkdirSync(root, { mode: 0o755 });
    mkdirSync(`${root}/proc`);
    const lines = [
      line(root, root, 'bind,ro'),
      `proc ${escaped(`${root}/proc`)} proc nosuid,nodev,noexec 0 0`,
    ];
    for (const { source, target } of there) {
      const real = realpathSync(source);
      const place = root + target;
      mkdirSync(dirname(place), { recursive: true, mode: 0o755 });
      if (folders.includes(source)) mkdirSync(place, { recursive: true, mode: 0o755 });
      else writeFileSync(place, '');
      lines.push(line(real, place, 'bind,ro,nosuid,nodev'));
    }
    for (const [index, source] of Object.values(preopens).entries()) {
      const place = `${root}${preopensFolder}/${index}`;
      mkdirSync(place, { recursive: true, mode: 0o755 });
      lines.push(line(source, place, 'rbind,rw,nosuid,nodev'));
    }
    const fstab = `${folder}/fstab`;
    writeFileSync(fstab, `${lines.join('\n')}\n`);
    return { root, fstab };
  }
}

interface Enclosure {
  readonly root: string;
  readonly fstab: string;
}

interface Mount {
  readonly source: string;
  readonly target: string;
}

/** The folders of packages and of all that they depend on, as far as it is installed. */
function packageFolders(names: readonly string[]): string[] {
  const folders = new Set<string>();
  const open = names.map((name) => ({ name, from: import.meta.url }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const file = findPackage(next.name, next.from);
    if (file === undefined || folders.has(dirname(file))) continue;
    folders.add(dirname(file));
    const { dependencies = {}, optionalDependencies = {} } = JSON.parse(
      readFileSync(file, 'utf8'),
    ) as Package;
    for (const name of [...Object.keys(dependencies), ...Object.keys(optionalDependencies)]) {
      open.push({ name, from: pathToFileURL(file).href });
    }
  }
  return [...folders];
}

interface Package {
  readonly dependencies?: object;
  readonly optionalDependencies?: object;
}

function findPackage(name: string, from: string): string | undefined {
  try {
    return findPackageJSON(name, from);
  } catch {
    // It is of another platform.
    return undefined;
  }
}

/** Native code that packages bring. */
function addonsIn(folders: readonly string[]): string[] {
  return folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.node'))
      .map((name) => `${folder}/${name}`),
  );
}

/** What was found out already, by the files: they stay what they are as long as this process, and to ask takes a process. */
const foundLibraries = new Map<string, readonly string[]>();

/** Their shared libraries, and what loads those. */
function librariesOf(files: readonly string[]): readonly string[] {
  if (files.length === 0) return [];
  const key = files.join('\0');
  const found = foundLibraries.get(key) ?? findLibraries(files);
  foundLibraries.set(key, found);
  return found;
}

function findLibraries(files: readonly string[]): readonly string[] {
  const listed = execFileSync('ldd', files, { encoding: 'utf8', env: commandEnvironment });
  const paths = listed.split('\n').flatMap((text) => /(?:=> |^\s+)(\/\S+) \(0x/.exec(text)?.[1] ?? []);
  return [...new Set(paths)];
}

function find(name: string): string {
  const path = ['/usr/bin', '/bin', '/usr/sbin', '/sbin']
    .map((folder) => `${folder}/${name}`)
    .find(existsSync);
  if (path === undefined) throw new Error(`${name} is not installed`);
  return path;
}

function line(source: string, target: string, options: string): string {
  return `${escaped(source)} ${escaped(target)} none ${options} 0 0`;
}

/** fstab takes space, tab, newline, backslash and the mark of a comment in octal. */
function escaped(path: string): string {
  return path.replaceAll(/[\s\\#]/g, (letter) => `\\${letter.charCodeAt(0).toString(8).padStart(3, '0')}`);
}
