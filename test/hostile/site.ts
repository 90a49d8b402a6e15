/** The folders of a run: what attackers are given, and beside it what they must not touch. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { layoutFolders } from '../../src/runtimes/containment/layout.ts';
import { processesWith } from '../runtimes/process/processes.ts';

const execute = promisify(execFile);
const diskSize = 'size=96m';
/** Character and block devices, by number as mknod has them; nothing stands behind the last. */
const devices: readonly (readonly [name: string, kind: string, major: string, minor: string])[] = [
  ['null', 'c', '1', '3'],
  ['zero', 'c', '1', '5'],
  ['full', 'c', '1', '7'],
  ['disk', 'b', '240', '0'],
];
const depth = 40;
const retryMs = 100;

export class HostileSite {
  readonly folder: string;
  readonly dataDir: string;
  /** What nobody may read, print or be told. */
  readonly secret = `secret ${randomUUID()}`;
  readonly #disk: string;
  readonly #beside: string;
  #before: readonly string[] = [];

  private constructor(folder: string) {
    this.folder = folder;
    this.dataDir = join(folder, 'data');
    this.#disk = join(folder, 'disk');
    this.#beside = join(this.#disk, 'beside');
  }

  /** On a small disk of its own, so that links and renames may lead out, and writing ends. Needs root. */
  static async make(): Promise<HostileSite> {
    const folder = await mkdtemp(join(tmpdir(), 'spear-hostile-'));
    const site = new HostileSite(folder);
    await chmod(folder, 0o755);
    await mkdir(site.dataDir);
    await mkdir(site.#disk);
    await execute('mount', ['-t', 'tmpfs', '-o', diskSize, 'spear-hostile', site.#disk]);
    await mkdir(join(site.#beside, 'folder'), { recursive: true });
    await writeFile(site.secretFile, site.secret, { mode: 0o600 });
    await writeFile(join(site.#beside, 'open'), 'left alone', { mode: 0o666 });
    await writeFile(join(site.#beside, 'folder', 'inner'), 'left alone');
    site.#before = await site.#look();
    return site;
  }

  get secretFile(): string {
    return join(this.#beside, 'secret');
  }

  /** The folder of a lane, which is not there before it is stocked. */
  preopen(lane: number): string {
    return join(this.#disk, `preopen-${lane}`);
  }

  /** Puts into the folder of a lane what a guest may stumble over, and nothing else. */
  async stock(lane: number): Promise<void> {
    for (;;) {
      try {
        await this.#stock(lane);
        return;
      } catch (error) {
        // A guest of the other lane has filled the disk: there is room again when that lane is stocked.
        if (!/ENOSPC|No space left/.test(String(error))) throw error;
        await sleep(retryMs);
      }
    }
  }

  async #stock(lane: number): Promise<void> {
    const folder = this.preopen(lane);
    // Emptied and not replaced: hosts that run already have it open.
    await mkdir(folder, { recursive: true });
    for (const name of await readdir(folder, { encoding: 'buffer' })) {
      await rm(Buffer.concat([Buffer.from(`${folder}/`), name]), { recursive: true, force: true });
    }
    const at = (name: string) => join(folder, name);
    await writeFile(at('a'), 'text');
    await writeFile(at('big'), Buffer.alloc(300_000, 'x'));
    await mkdir(at('d/e'), { recursive: true });
    await mkdir(at(`deep/${'d/'.repeat(depth)}`), { recursive: true });
    for (const [name, target] of [
      ['out', '../beside'],
      ['out-file', '../beside/secret'],
      ['absolute', this.secretFile],
      ['self', '.'],
      ['loop', 'loop'],
    ] as const) {
      await symlink(target, at(name));
    }
    await execute('mkfifo', [at('fifo')]);
    await Promise.all(devices.map(([name, ...device]) => execute('mknod', [at(name), ...device])));
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(at('socket'), resolve));
    // What it leaves in the folder goes with it: nobody listens, as with most that are found.
    server.close();
    for (const name of [Buffer.from([0xff, 0xfe]), Buffer.from('a\\b'), Buffer.from('\x1b[2J')]) {
      await writeFile(Buffer.concat([Buffer.from(`${folder}/`), name]), 'odd');
    }
  }

  /** What is other than it was beside the folders of the attackers. */
  async touched(): Promise<string[]> {
    const now = await this.#look();
    return [
      ...this.#before.filter((entry) => !now.includes(entry)).map((entry) => `gone: ${entry}`),
      ...now.filter((entry) => !this.#before.includes(entry)).map((entry) => `new: ${entry}`),
    ];
  }

  /** What the node's folders, cgroups and sockets are named after, once it has started. */
  async nodeName(): Promise<string> {
    return `spear-${await this.nodeId()}`;
  }

  async nodeId(): Promise<string> {
    return (await readFile(join(this.dataDir, 'node-id'), 'utf8')).trim();
  }

  /** All that a node may have left once its server is gone, and what attackers have. */
  async left(attackMark: string): Promise<string[]> {
    const name = await this.nodeName();
    const folders = [name, `${name}-guests`]
      .flatMap((each) => [join(tmpdir(), each), ...layoutFolders(each)])
      .filter((folder) => existsSync(folder));
    const processes = [name, this.dataDir, attackMark].flatMap((text) =>
      processesWith(text).map((pid) => `process ${pid} with ${text}`),
    );
    return [...folders, ...processes];
  }

  async remove(): Promise<void> {
    await execute('umount', [this.#disk]);
    await rm(this.folder, { recursive: true, force: true });
  }

  /** One line for each entry on the disk that is not a guest's, with all that a touch would change. */
  async #look(): Promise<string[]> {
    const lines: string[] = [];
    const visit = async (folder: string): Promise<void> => {
      for (const name of (await readdir(folder)).sort()) {
        const path = join(folder, name);
        if (folder === this.#disk && /^preopen-\d+$/.test(name)) continue;
        const { mode, uid, ino, nlink, mtimeMs } = await lstat(path);
        const kind = mode & 0o170000;
        const content =
          kind === 0o100000 ? await readFile(path, 'latin1') : kind === 0o120000 ? await readlink(path) : '';
        // A folder's time changes with its entries, which have lines of their own.
        lines.push(
          `${path} mode ${mode.toString(8)} uid ${uid} inode ${ino} links ${nlink} mtime ${mtimeMs} ${content}`,
        );
        if (kind === 0o040000) await visit(path);
      }
    };
    await visit(this.#disk);
    return lines;
  }
}
