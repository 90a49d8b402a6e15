import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { inheritedEnvironment } from '../support/environment.ts';
import { commandMain } from '../support/program-files.ts';
import { Peer } from '../support/server.ts';

const lastLines = 20;

/** One run of `spear serve`, which can be ended at any moment, also before it is ready. */
export class ServerRun {
  /** Undefined where it ended before. */
  readonly ready: Promise<Peer | undefined>;
  /** `0`, or another exit code or a signal with the last that it said. */
  readonly exited: Promise<string>;
  readonly bugs: string[] = [];
  /** Wall clock, milliseconds since the epoch. */
  readyAt: number | undefined;
  endedAt = Number.NaN;
  killed = false;
  readonly #child: ChildProcess;

  constructor(dataDir: string, flags: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const all = [
      '--grpc-address=127.0.0.1:0',
      '--http-address=127.0.0.1:0',
      `--data-dir=${dataDir}`,
      ...flags,
    ];
    const child = spawn(process.execPath, ['--no-warnings', commandMain, 'serve', ...all], {
      env: { ...inheritedEnvironment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    const said: string[] = [];
    const ready = Promise.withResolvers<Peer | undefined>();
    this.ready = ready.promise;
    for (const input of [child.stdout, child.stderr]) {
      createInterface({ input }).on('line', (line) => {
        said.push(line);
        if (said.length > lastLines) said.shift();
        if (line.includes('"msg":"bug:')) this.bugs.push(line);
        if (!line.includes('"msg":"ready"')) return;
        this.readyAt = Date.now();
        const { grpcAddress, httpAddress } = JSON.parse(line) as Record<string, string>;
        ready.resolve(new Peer(String(grpcAddress), String(httpAddress), dataDir));
      });
    }
    this.exited = new Promise((resolve) => {
      child.once('exit', () => {
        this.endedAt = Date.now();
      });
      child.once('close', (code, signal) => {
        ready.resolve(undefined);
        resolve(code === 0 ? '0' : signal === 'SIGKILL' ? signal : `${signal ?? code}: ${said.join('\n')}`);
      });
    });
  }

  /** SIGTERM, which a second one hurries. */
  stop(): void {
    this.#child.kill('SIGTERM');
  }

  kill(): void {
    this.killed = true;
    this.#child.kill('SIGKILL');
  }

  /** Whatever state it is in; one that has ended is fine. */
  async end(): Promise<void> {
    this.kill();
    await this.exited;
    (await this.ready)?.connection.close();
  }
}
