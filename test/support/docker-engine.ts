import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import Docker from 'dockerode';

/** With --bridge=none a daemon removes docker0, and that would be the one of the machine's own engine. */
const ownNetwork = 'unshare';

const startMs = 90_000;
const endMs = 60_000;
const pollMs = 50;

/** A Docker engine of the test's own, beside the one of the machine; it can be killed. Needs root. */
export class TestEngine {
  readonly socketPath: string;
  readonly docker: Docker;
  readonly #folder: string;
  readonly #cgroup: string;
  #daemon: ChildProcess | undefined;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#cgroup = folder.slice(folder.lastIndexOf('/') + 1);
    this.socketPath = join(folder, 'docker.sock');
    this.docker = new Docker({ socketPath: this.socketPath });
  }

  /** Resolves when it answers. Throws with the end of its log where it does not. */
  static async start(): Promise<TestEngine> {
    const engine = new TestEngine(await mkdtemp(join(tmpdir(), 'spear-engine-')));
    try {
      await engine.start();
    } catch (error) {
      await engine.remove();
      throw error;
    }
    return engine;
  }

  async start(): Promise<void> {
    const folder = this.#folder;
    await using log = await open(join(folder, 'log'), 'a');
    const daemon = spawn(
      ownNetwork,
      [
        '--net',
        'dockerd',
        `--host=unix://${this.socketPath}`,
        `--data-root=${join(folder, 'data')}`,
        `--exec-root=${join(folder, 'exec')}`,
        `--pidfile=${join(folder, 'pid')}`,
        // Of its own, so that no cgroup is left beside those of the machine's engine.
        `--cgroup-parent=/${this.#cgroup}`,
        '--bridge=none',
        '--iptables=false',
        '--ip-forward=false',
        '--log-level=error',
      ],
      { stdio: ['ignore', log.fd, log.fd] },
    );
    this.#daemon = daemon;
    const failed = once(daemon, 'error').then(([error]) => Promise.reject(error));
    failed.catch(() => undefined);
    const answers = until(startMs, () =>
      this.docker.ping().then(
        () => true,
        () => daemon.exitCode !== null,
      ),
    );
    await Promise.race([answers, failed]);
    if (daemon.exitCode !== null) throw new Error(`dockerd did not start: ${await this.#logEnd()}`);
  }

  /** Ends the daemon at once: its containers go on running. */
  async kill(): Promise<void> {
    await end(this.#daemon, 'SIGKILL');
    // Its containerd dies with it, but not at once, and one that comes back would wait for the one that is dying.
    const pidFile = join(this.#folder, 'exec/containerd/containerd.pid');
    const pid = Number(await readFile(pidFile, 'utf8'));
    await until(endMs, async () => {
      const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => 'gone');
      return state === 'gone' || state.includes(') Z ');
    });
    await Promise.all([pidFile, join(this.#folder, 'pid')].map((path) => rm(path, { force: true })));
  }

  /** The daemon answers nobody, and breaks no connection. */
  freeze(): void {
    this.#daemon?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#daemon?.kill('SIGCONT');
  }

  /** Ends it, and removes whatever it started, mounted or wrote. */
  async remove(): Promise<void> {
    this.thaw();
    await end(this.#daemon, 'SIGTERM');
    await until(endMs, async () => {
      const left = await this.#processes();
      for (const pid of left) signalTo(pid, 'SIGKILL');
      return left.length === 0;
    });
    for (const path of (await this.#mounts()).reverse()) await command('umount', '--lazy', path);
    for (const controller of await readdir('/sys/fs/cgroup')) {
      await removeCgroups(join('/sys/fs/cgroup', controller, this.#cgroup));
    }
    await removeCgroups(join('/sys/fs/cgroup', this.#cgroup));
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Of the daemon's own and of its containers. */
  async #processes(): Promise<number[]> {
    const found: number[] = [];
    for (const name of await readdir('/proc')) {
      if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
      const [commandLine, cgroup] = await Promise.all(
        ['cmdline', 'cgroup'].map((file) => readFile(join('/proc', name, file), 'utf8').catch(() => '')),
      );
      if (commandLine?.includes(this.#folder) || cgroup?.includes(this.#cgroup)) found.push(Number(name));
    }
    return found;
  }

  async #mounts(): Promise<string[]> {
    const lines = (await readFile('/proc/self/mounts', 'utf8')).split('\n');
    return lines.map((line) => line.split(' ')[1] ?? '').filter((path) => path.startsWith(this.#folder));
  }

  async #logEnd(): Promise<string> {
    return (await readFile(join(this.#folder, 'log'), 'utf8')).slice(-2000);
  }
}

async function end(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended in between, which is what this is for.
  }
}

async function command(file: string, ...args: string[]): Promise<void> {
  await once(spawn(file, args, { stdio: 'ignore' }), 'exit');
}

/** A cgroup is removed from the inside out; where there is none there is nothing to do. */
async function removeCgroups(path: string): Promise<void> {
  const inside = await readdir(path, { withFileTypes: true }).catch(() => []);
  for (const child of inside) if (child.isDirectory()) await removeCgroups(join(path, child.name));
  await rmdir(path).catch(() => undefined);
}

/** Asks again and again until it is so. Throws where it is not after `ms`. */
export async function until(ms: number, isSo: () => Promise<boolean>): Promise<void> {
  for (const start = performance.now(); ; await pause(pollMs)) {
    if (await isSo()) return;
    if (performance.now() - start > ms) throw new Error(`not so after ${ms} ms: ${isSo}`);
  }
}
