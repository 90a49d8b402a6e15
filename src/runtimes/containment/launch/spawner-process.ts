import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Clock, Timer } from '../../../domain/clock.ts';
import { entryUrl } from '../../entry.ts';
import type { Child, ChildExit } from './child.ts';
import type { FromSpawner, SpawnRequest, ToSpawner } from './spawner-protocol.ts';
import { type StreamSet, StreamSets } from './stream-sets.ts';

/** Small, because the time of a start goes with the memory of who makes it. */
const nodeFlags = [
  '--no-warnings',
  '--jitless',
  '--v8-pool-size=0',
  '--max-old-space-size=64',
  '--max-semi-space-size=1',
];
/** How often it is asked whether it is there while something is expected of it, and how often in vain, at most. */
const pulseMs = 1000;
const maxSilent = 5;
/** For how long it may take to end, in milliseconds. */
const endMs = 2000;

export interface SpawnerOptions {
  /** A folder that only the node's user can enter: for sockets, and files that lose their name at once. */
  readonly folder: string;
  readonly clock: Clock;
  /** Put before the spawner's own command. */
  readonly wrapper: readonly string[];
  /** The command that makes a room of the kind that is kept ready; absent where there are none. */
  readonly room?: readonly string[] | undefined;
}

interface Waiting {
  readonly started: PromiseWithResolvers<number>;
  readonly exited: PromiseWithResolvers<ChildExit>;
}

const noExit = { code: null, signal: null, mark: '' } as const;

/** One spawner process, from its start to its end. One that is silent for some seconds is ended. */
export class SpawnerProcess {
  gone = false;
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #sets: StreamSets;
  readonly #waiting = new Map<number, Waiting>();
  readonly #ended = Promise.withResolvers<void>();
  #pulse: Timer | undefined;
  #silent = 0;

  /** Throws where it cannot be started at all. */
  constructor({ folder, clock, wrapper, room }: SpawnerOptions) {
    this.#clock = clock;
    const [file = process.execPath, ...args] = [...wrapper, process.execPath, ...nodeFlags, ...program()];
    this.#child = spawn(file, args, {
      env: {},
      cwd: folder,
      // So that a Ctrl-C in the node's terminal does not reach it.
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    this.#sets = new StreamSets({
      folder,
      clock,
      ask: (streams) => this.#tell({ type: 'prepare', streams }),
      drop: (streams) => this.#tell({ type: 'drop', streams }),
      broken: () => this.#child.kill('SIGKILL'),
    });
    this.#child.on('message', (message: FromSpawner) => this.#hear(message));
    this.#child.on('error', () => this.#end());
    this.#child.on('exit', () => this.#end());
    this.#child.on('disconnect', () => this.#child.kill('SIGKILL'));
    const { address, token } = this.#sets;
    this.#sets.listen(() => {
      this.#tell({ type: 'begin', address, token, markers: folder, ...(room && { room }) });
      this.#sets.refill();
    });
    this.#rest();
  }

  async spawn(request: SpawnRequest): Promise<Child> {
    this.#watch();
    const taken = this.#sets.take();
    // Without a wait where there is one: the program is on its way before anything else is done for it.
    const set = taken instanceof Promise ? await taken : taken;
    if (typeof set === 'string' || this.gone) return this.#unstarted(set);
    const { streams, sockets } = set;
    const waiting = { started: Promise.withResolvers<number>(), exited: Promise.withResolvers<ChildExit>() };
    this.#waiting.set(streams, waiting);
    this.#tell({ type: 'spawn', streams, request });
    this.#watch();
    return childOf(sockets, waiting);
  }

  async close(): Promise<void> {
    if (this.gone) return;
    this.#busy();
    if (this.#child.connected) this.#child.disconnect();
    this.#child.kill('SIGKILL');
    const endTimer = this.#clock.setTimer(endMs, () => this.#end());
    await this.#ended.promise;
    endTimer.cancel();
  }

  #unstarted(set: StreamSet | string): Child {
    if (typeof set !== 'string') for (const socket of set.sockets) socket.destroy();
    const waiting = { started: Promise.withResolvers<number>(), exited: Promise.withResolvers<ChildExit>() };
    waiting.exited.resolve({ ...noExit, failed: typeof set === 'string' ? set : 'EPIPE' });
    return childOf([new Socket(), new Socket(), new Socket()], waiting);
  }

  #tell(message: ToSpawner): void {
    // What it does not hear because it is gone is answered by its end.
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  #hear(message: FromSpawner): void {
    this.#silent = 0;
    if (message.type === 'pong') return;
    const waiting = this.#waiting.get(message.streams);
    if (waiting === undefined) return;
    if (message.type === 'started') {
      waiting.started.resolve(message.pid);
      return;
    }
    this.#waiting.delete(message.streams);
    const { exited } = waiting;
    if (message.type === 'exited') exited.resolve(message);
    else exited.resolve({ ...noExit, failed: message.code });
    this.#sets.refill();
    if (this.#waiting.size > 0 || this.#sets.waiting) return;
    this.#pulse?.cancel();
    this.#pulse = undefined;
    this.#rest();
  }

  /** It is gone: how what it has started ends, nobody will say. */
  #end(): void {
    if (this.gone) return;
    this.gone = true;
    this.#pulse?.cancel();
    this.#sets.close();
    for (const { exited } of this.#waiting.values()) exited.resolve({ ...noExit, lost: true });
    this.#waiting.clear();
    this.#ended.resolve();
  }

  /** While something is expected of it, it has to answer. */
  #watch(): void {
    if (this.#pulse !== undefined || this.gone) return;
    this.#busy();
    this.#silent = 0;
    const beat = () => {
      this.#pulse = undefined;
      if (this.gone) return;
      if (this.#waiting.size === 0 && !this.#sets.waiting) return this.#rest();
      // Counted in questions, not in time: where the node itself stood still, the answers are not read yet.
      if (this.#silent >= maxSilent) this.#child.kill('SIGKILL');
      this.#silent += 1;
      this.#tell({ type: 'ping' });
      this.#pulse = this.#clock.setTimer(pulseMs, beat);
    };
    this.#pulse = this.#clock.setTimer(pulseMs, beat);
  }

  /** The node does not stay up for a spawner that has nothing to do. */
  #rest(): void {
    this.#child.unref();
    this.#child.channel?.unref();
  }

  #busy(): void {
    this.#child.ref();
    this.#child.channel?.ref();
  }
}

function childOf([stdin, stdout, stderr]: StreamSet['sockets'], { started, exited }: Waiting): Child {
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
