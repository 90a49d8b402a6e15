import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import {
  type HostExit,
  type HostLauncher,
  type HostProcess,
  type HostProgram,
  HostSocket,
  hostArguments,
  LastWords,
} from './host-process.ts';

/** Of the kernel's process times on every Linux; `sysconf(_SC_CLK_TCK)`. */
const ticksPerSecond = 100;

/** Starts hosts as children of the node, without any wall: for machines that have none to offer. */
export class PlainHostLauncher implements HostLauncher {
  launch(program: HostProgram): HostProcess {
    return new PlainHost(
      spawn(process.execPath, hostArguments(program, 3), {
        stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
        env: {},
        cwd: '/',
        detached: true,
      }),
      program.profile.preopens,
    );
  }

  async close(): Promise<void> {}
}

class PlainHost implements HostProcess {
  readonly socket = new HostSocket();
  readonly preopens: Readonly<Record<string, string>>;
  readonly exited: Promise<HostExit>;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess, preopens: Readonly<Record<string, string>>) {
    this.preopens = preopens;
    this.#child = child;
    // Node types further streams as either; a pipe of ours is both.
    this.socket.open(child.stdio[3] as Duplex);
    const words = new LastWords();
    child.stderr?.on('data', (chunk: Buffer) => words.add(chunk));
    const { promise, resolve } = Promise.withResolvers<HostExit>();
    this.exited = promise;
    const end = (code: number | null, signal: string | null, failed?: string) =>
      resolve({
        code,
        signal,
        words: words.text,
        ranOutOfMemory: false,
        ...(failed !== undefined && { failed: { code: 'RUNTIME_UNAVAILABLE', message: failed } }),
      });
    child.on('error', (error) => {
      if (child.pid === undefined) end(null, null, 'code' in error ? String(error.code) : error.message);
    });
    // Its streams are read to their end by then.
    child.on('close', (code, signal) => end(code, signal));
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  cpuTimeUs(): number | undefined {
    try {
      const stat = readFileSync(`/proc/${this.#child.pid}/stat`, 'latin1');
      // The fields after the name, which may have anything in it: the state is the third of all.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / ticksPerSecond;
    } catch {
      // It has ended, or this is no Linux.
      return undefined;
    }
  }

  limitMemory(): void {}

  setBackground(): void {}
}
