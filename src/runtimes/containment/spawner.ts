import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { createServer, type Server, Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { entryUrl } from '../entry.ts';
import type { Child, ChildExit } from './child.ts';
import {
  type FromSpawner,
  greetingLength,
  readGreeting,
  type SpawnRequest,
  type ToSpawner,
} from './spawner-protocol.ts';

/** Small, because the time of a start goes with the memory of who makes it. */
const nodeFlags = [
  '--no-warnings',
  '--jitless',
  '--v8-pool-size=0',
  '--max-old-space-size=64',
  '--max-semi-space-size=1',
];
/** Sets of streams that wait for a program: more are made while one starts. */
const spareStreams = 4;

interface SpawnerOptions {
  readonly nodeId: string;
  /** A folder for files that have no name for longer than it takes to open them. */
  readonly markers: string;
  /** Put before the spawner's own command. */
  readonly wrapper: readonly string[];
}

interface Waiting {
  readonly started: PromiseWithResolvers<number>;
  readonly exited: PromiseWithResolvers<ChildExit>;
}

/** Starts programs through a small process of its own, which is started with the first and again where it died. */
export class Spawner {
  readonly #options: SpawnerOptions;
  #process: SpawnerProcess | undefined;
  #closed = false;

  constructor(options: SpawnerOptions) {
    this.#options = options;
  }

  /** Starts the process that starts programs, where it does not run: so that the first start need not wait for it. */
  warm(): void {
    if (!this.#closed) this.#current();
  }

  /** Resolves at once where it has streams to spare. A program that cannot be started has an exit that says so. */
  async spawn(request: SpawnRequest): Promise<Child> {
    return this.#current().spawn(request);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#process?.close();
  }

  #current(): SpawnerProcess {
    if (this.#process === undefined || (this.#process.gone && !this.#closed)) {
      this.#process = new SpawnerProcess(this.#options);
    }
    return this.#process;
  }
}

/** One spawner process, from its start to its end. */
class SpawnerProcess {
  gone = false;
  readonly #child: ChildProcess;
  readonly #server: Server;
  readonly #token = randomBytes(16).toString('hex');
  readonly #sets = new Map<number, Socket[]>();
  readonly #ready: number[] = [];
  readonly #wanted: ((streams: number) => void)[] = [];
  readonly #waiting = new Map<number, Waiting>();
  readonly #ended = Promise.withResolvers<void>();

  constructor({ nodeId, markers, wrapper }: SpawnerOptions) {
    // Of the abstract kind, which has no file to be left behind; who may use it is said by the token.
    const address = `\0spear-${nodeId}-${randomBytes(8).toString('hex')}`;
    const [file = process.execPath, ...args] = [...wrapper, process.execPath, ...nodeFlags, ...program()];
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) =>
      this.#greet(socket),
    );
    this.#child = spawn(file, args, {
      env: {},
      cwd: '/',
      // So that a Ctrl-C in the node's terminal does not reach it.
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    this.#child.on('message', (message: FromSpawner) => this.#hear(message));
    this.#child.on('error', () => this.#end());
    this.#child.on('exit', () => this.#end());
    this.#server.on('error', () => this.#child.kill('SIGKILL'));
    this.#server.listen(address, () =>
      this.#tell({ type: 'begin', address, token: this.#token, markers, spare: spareStreams }),
    );
    this.#server.unref();
    this.#idle();
  }

  async spawn(request: SpawnRequest): Promise<Child> {
    // Without a wait where there are some: the program is on its way before anything else is done for it.
    const streams = this.#ready.shift() ?? (await this.#newStreams());
    const [stdin, stdout, stderr] = this.#sets.get(streams) ?? [new Socket(), new Socket(), new Socket()];
    if (stdin === undefined || stdout === undefined || stderr === undefined)
      throw new Error('a set has three');
    this.#sets.delete(streams);
    const waiting = { started: Promise.withResolvers<number>(), exited: Promise.withResolvers<ChildExit>() };
    const { exited, started } = waiting;
    if (this.gone) {
      exited.resolve({ code: null, signal: null, stage: '', failed: 'EPIPE' });
    } else {
      this.#waiting.set(streams, waiting);
      this.#tell({ type: 'spawn', streams, request });
      this.#busy();
    }
    for (const socket of [stdin, stdout, stderr]) socket.ref();
    // Only read from: so that they close when the program's end does.
    stdout.end();
    stderr.end();
    void exited.promise.then(({ failed, lost }) => {
      if (failed !== undefined || lost) for (const socket of [stdin, stdout, stderr]) socket.destroy();
    });
    const signal = (name: NodeJS.Signals) => void started.promise.then((pid) => signalGroup(pid, name));
    return { stdin, stdout, stderr, started: started.promise, exited: exited.promise, signal };
  }

  async close(): Promise<void> {
    if (this.gone) return;
    this.#busy();
    if (this.#child.connected) this.#child.disconnect();
    else this.#child.kill('SIGKILL');
    await this.#ended.promise;
  }

  #tell(message: ToSpawner): void {
    // What it does not hear because it is gone is answered by its end.
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  async #newStreams(): Promise<number> {
    if (this.gone) return -1;
    this.#busy();
    return new Promise((resolve) => this.#wanted.push(resolve));
  }

  /** Reads which stream a connection is to be; what follows is a program's. */
  #greet(socket: Socket): void {
    socket.on('error', () => {});
    const look = () => {
      const bytes = socket.read(greetingLength) as Buffer | null;
      if (bytes === null) return;
      socket.off('readable', look);
      const greeting = readGreeting(this.#token, bytes.toString('latin1'));
      if (greeting === undefined) socket.destroy();
      else this.#join(greeting.streams, greeting.index, socket);
    };
    socket.on('readable', look);
  }

  #join(streams: number, index: number, socket: Socket): void {
    const set = this.#sets.get(streams) ?? [];
    this.#sets.set(streams, set);
    set[index] = socket;
    if (set.filter(Boolean).length < 3) return;
    for (const one of set) one.unref();
    const wanted = this.#wanted.shift();
    if (wanted === undefined) this.#ready.push(streams);
    else wanted(streams);
  }

  #hear(message: FromSpawner): void {
    const waiting = this.#waiting.get(message.streams);
    if (waiting === undefined) return;
    if (message.type === 'started') {
      waiting.started.resolve(message.pid);
      return;
    }
    this.#waiting.delete(message.streams);
    const { exited } = waiting;
    if (message.type === 'exited') exited.resolve(message);
    else exited.resolve({ code: null, signal: null, stage: '', failed: message.code });
    if (this.#waiting.size === 0) this.#idle();
  }

  /** It is gone: how what it has started ends, nobody will say. */
  #end(): void {
    if (this.gone) return;
    this.gone = true;
    this.#server.close();
    for (const { exited } of this.#waiting.values()) {
      exited.resolve({ code: null, signal: null, stage: '', lost: true });
    }
    this.#waiting.clear();
    // They find that it is gone.
    for (const wanted of this.#wanted.splice(0)) wanted(-1);
    for (const set of this.#sets.values()) for (const socket of set) socket?.destroy();
    this.#sets.clear();
    this.#ended.resolve();
  }

  /** The node does not stay up for a spawner that has nothing to do. */
  #idle(): void {
    this.#child.unref();
    this.#child.channel?.unref();
  }

  #busy(): void {
    this.#child.ref();
    this.#child.channel?.ref();
  }
}

/**
 * What the spawner runs. In a checkout its text without types, because what strips types would stay in its memory
 * and double the time of a start.
 */
function program(): string[] {
  const path = fileURLToPath(entryUrl('./spawner-main', import.meta.url));
  if (!path.endsWith('.ts')) return [path];
  return ['--input-type=module', '--eval', stripTypeScriptTypes(readFileSync(path, 'utf8'))];
}

function signalGroup(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name);
  } catch {
    // It has ended, and its end is on its way here.
  }
}
