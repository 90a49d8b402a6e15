/** The folders of one run of the harness, and what of the node is found on the host. */
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { layoutFolders } from '../../src/runtimes/containment/cells/layout.ts';
import { containersOf, docker } from '../runtimes/docker/tasks.ts';
import { processesWith } from '../runtimes/process/processes.ts';
import { type SlowSync, slowSync } from '../support/slow-sync.ts';
import { type Disk, mountDisk } from './disk.ts';
import type { Mark } from './history.ts';
import { workerScript } from './worker-kinds.ts';

/** What a sync takes longer on a slow disk: long enough for a reader, or an end of the server, to come in between. */
const slowMs = 40;

export class CrashSite {
  readonly folder: string;
  readonly dataDir: string;
  readonly marks: string;
  readonly program: string;
  readonly disk: Disk | undefined;
  readonly sync: SlowSync | undefined;

  private constructor(folder: string, disk: Disk | undefined, sync: SlowSync | undefined) {
    this.folder = folder;
    this.dataDir = join(folder, 'data');
    this.marks = join(folder, 'marks');
    this.program = join(folder, 'worker');
    this.disk = disk;
    this.sync = sync;
  }

  /** With a small disk of its own for the data folder where one may be mounted, slow at will where one may compile. */
  static async make({
    mount,
    compile,
  }: {
    readonly mount: boolean;
    readonly compile: boolean;
  }): Promise<CrashSite> {
    const folder = await mkdtemp(join(tmpdir(), 'spear-crash-'));
    const dataDir = join(folder, 'data');
    await mkdir(dataDir);
    const sync = compile ? await slowSync(folder, slowMs) : undefined;
    const site = new CrashSite(folder, mount ? await mountDisk(dataDir) : undefined, sync);
    await mkdir(site.marks);
    await writeFile(site.program, `#!/bin/sh\n${workerScript}`);
    // A process task runs as a user that owns nothing.
    for (const path of [folder, site.marks, site.program]) await chmod(path, 0o755);
    return site;
  }

  /** The file for the marks of a plan, which every user may write to. */
  marksOf(plan: number): string {
    const path = join(this.marks, String(plan));
    writeFileSync(path, '');
    chmodSync(path, 0o666);
    return path;
  }

  async readMarks(): Promise<Map<number, Mark[]>> {
    const marks = new Map<number, Mark[]>();
    for (const name of await readdir(this.marks)) {
      const lines = (await readFile(join(this.marks, name), 'utf8')).split('\n').filter(Boolean);
      const read = lines
        .map((line) => line.split(' '))
        .map(([attempt = '', what = '']) => ({ attempt, what }));
      marks.set(Number(name), read);
    }
    return marks;
  }

  /** Programs and containers of the node that still are, whatever its server does. */
  async running(withDocker: boolean): Promise<string[]> {
    const processes = processesWith(this.program).map((pid) => `process ${pid}`);
    const containers = withDocker ? await this.#containers() : [];
    return [...processes, ...containers.map((id) => `container ${id}`)];
  }

  /** All that the node may have left once its server is gone. */
  async left(withDocker: boolean): Promise<string[]> {
    const name = `spear-${await this.#nodeId()}`;
    const folders = [join(tmpdir(), name), ...layoutFolders(name)].filter((folder) => existsSync(folder));
    return [
      ...(await this.running(withDocker)),
      ...processesWith(name).map((pid) => `process ${pid} with ${name}`),
      ...processesWith(this.dataDir).map((pid) => `process ${pid} with ${basename(this.dataDir)}`),
      ...folders,
    ];
  }

  /** Also what a run that failed has left running. */
  async remove(withDocker: boolean): Promise<void> {
    const containers = withDocker ? await this.#containers() : [];
    await Promise.all(containers.map((id) => docker.getContainer(id).remove({ force: true })));
    await this.disk?.remove();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #containers(): Promise<string[]> {
    const nodeId = await this.#nodeId();
    return nodeId === '' ? [] : containersOf(nodeId);
  }

  /** Empty where no server has come so far as to have one. */
  async #nodeId(): Promise<string> {
    return (await readFile(join(this.dataDir, 'node-id'), 'utf8').catch(() => '')).trim();
  }
}
