import type { Readable } from 'node:stream';
import type { Clock } from '../../../domain/clock.ts';
import type { Cell } from '../../containment/cells/cell.ts';
import { SocketWatch } from '../../containment/cells/socket-watch.ts';
import { commandEnvironment, runCommand } from '../../containment/command.ts';
import { type Containment, closeContainment } from '../../containment/containment.ts';
import type { Child, ChildExit } from '../../containment/launch/child.ts';
import type { Identity } from '../../containment/users/identity.ts';
import { hostUsers, LeasedUsers } from '../../containment/users/leased-users.ts';
import type { WasmLogger } from '../logger.ts';
import {
  type HostExit,
  type HostLauncher,
  type HostProcess,
  type HostProfile,
  type HostProgram,
  HostSocket,
  hostArguments,
  LastWords,
} from './host-process.ts';
import { HostWalls, notMounted } from './host-walls.ts';

/** Files that a host has open at most, its guest's and its own. */
const openFiles = 2048;

/** Processes and threads of a host: Node has a dozen. */
const processes = 128;

/** How long it may take until nothing is left of a host that has ended, in milliseconds. */
const confirmMs = 10_000;

/** Between two looks at a cell that is being emptied. */
const longestPauseMs = 50;

interface WalledHostOptions {
  readonly clock: Clock;
  readonly logger?: WasmLogger | undefined;
}

/** Starts hosts in cells, behind the walls that this machine has. */
export class WalledHostLauncher implements HostLauncher {
  readonly #containment: Containment;
  readonly #options: WalledHostOptions;
  readonly #walls: HostWalls | undefined;
  readonly #users = new LeasedUsers({ range: hostUsers });
  readonly #own: Identity = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };

  constructor(containment: Containment, walls: HostWalls | undefined, options: WalledHostOptions) {
    this.#containment = containment;
    this.#walls = walls;
    this.#options = options;
  }

  launch(program: HostProgram): HostProcess {
    const { profile } = program;
    const { watchdog, spawner } = this.#containment;
    watchdog.watch();
    const leased = this.#lease(profile);
    const cell = this.#cellFor(leased);
    const identity = leased ?? this.#own;
    const before = this.#walls?.command(profile, identity) ?? [process.execPath];
    const command = [...before, ...hostArguments(program, 0)];
    const joins = cell.joins.map((_, index) => 3 + index);
    const script = [
      ...joins.map((fd) => `echo 0 >&${fd} || exit`),
      // After those of the cell comes one more of the spawner's.
      ...[...joins, 3 + joins.length].map((fd) => `exec ${fd}>&-`),
      `ulimit -c 0; ulimit -n ${openFiles}; exec "$@"`,
    ].join('\n');
    const [first = '/bin/sh', ...rest] = [...cell.wrapper, '/bin/sh', '-c', script, 'sh', ...command];
    const starting = spawner.spawn({
      file: first,
      args: rest,
      environment: this.#walls === undefined ? {} : commandEnvironment,
      cwd: '/',
      joins: cell.joins,
    });
    return new WalledHost(starting, cell, this.#walls?.preopens(profile) ?? profile.preopens, {
      clock: this.#options.clock,
      network: profile.network,
      release: (empty) => {
        if (!empty) this.#options.logger?.warn({}, 'a guest host could not be ended');
        if (empty && leased !== undefined) this.#users.giveBack(leased);
        cell.release(empty);
      },
    });
  }

  async close(): Promise<void> {
    await closeContainment(this.#containment);
    this.#users.close();
  }

  #cellFor(leased: Identity | undefined): Cell {
    try {
      return this.#containment.cells.take({ processes });
    } catch (error) {
      if (leased !== undefined) this.#users.giveBack(leased);
      throw error;
    }
  }

  /** A user of its own where the node can give one; folders are reached as the node's user. */
  #lease({ preopens }: HostProfile): Identity | undefined {
    if (this.#walls === undefined || Object.keys(preopens).length > 0) return undefined;
    const user = this.#users.take();
    if (user === undefined) throw new Error('no user is left for a guest host');
    return user;
  }
}

/** The walls, if all of them can be had here. */
export async function findWalls(
  folder: string,
  logger: WasmLogger | undefined,
): Promise<HostWalls | undefined> {
  if (process.geteuid?.() !== 0) return undefined;
  try {
    const walls = new HostWalls(folder);
    const probe = walls.command(
      { preopens: {}, network: false, packages: [] },
      { uid: hostUsers.first, gid: hostUsers.first },
    );
    const [file = '', ...args] = probe;
    if (await runCommand(file, [...args, '--version'])) return walls;
    throw new Error('namespaces cannot be made');
  } catch (error) {
    logger?.warn(
      { err: error },
      'guest hosts run as the node’s own user and see its files: their walls cannot be made here',
    );
    return undefined;
  }
}

class WalledHost implements HostProcess {
  readonly socket = new HostSocket();
  readonly preopens: Readonly<Record<string, string>>;
  readonly exited: Promise<HostExit>;
  readonly #child: Promise<Child>;
  readonly #cell: Cell;
  readonly #clock: Clock;
  readonly #network: boolean;
  #socketWatch: SocketWatch | undefined;
  #socketsExceeded = false;
  #released = false;

  constructor(
    child: Promise<Child>,
    cell: Cell,
    preopens: Readonly<Record<string, string>>,
    {
      clock,
      network,
      release,
    }: { readonly clock: Clock; readonly network: boolean; readonly release: (empty: boolean) => void },
  ) {
    this.#child = child;
    this.#cell = cell;
    this.#clock = clock;
    this.#network = network;
    this.preopens = preopens;
    this.exited = this.#follow(release);
  }

  kill(): void {
    // The cell may be another's by then.
    if (this.#released) return;
    this.#cell.kill();
    // Before the launcher has joined its cell, the cell has nothing to kill.
    if (!this.#cell.nested) void this.#child.then((child) => !this.#released && child.signal('SIGKILL'));
  }

  cpuTimeUs(): number | undefined {
    return this.#released ? undefined : this.#cell.cpuTimeUs();
  }

  setBackground(background: boolean): void {
    if (!this.#released) this.#cell.setBackground(background);
  }

  limitMemory(bytes: number): void {
    if (this.#released) return;
    this.#cell.limitMemory(bytes);
    // Without a limit there is nothing to look at.
    if (this.#network) this.#socketWatch ??= this.#watchSockets();
  }

  #watchSockets(): SocketWatch {
    return new SocketWatch(
      this.#clock,
      () => this.#cell.socketsExceedMemory(),
      () => {
        this.#socketsExceeded = true;
        this.kill();
      },
    );
  }

  async #follow(release: (empty: boolean) => void): Promise<HostExit> {
    const child = await this.#child;
    void child.started.then((pid) => this.#cell.started(pid));
    this.socket.open(child.stdin);
    const words = new LastWords();
    child.stdout.resume();
    child.stderr.on('data', (chunk: Buffer) => words.add(chunk));
    for (const stream of [child.stdout, child.stderr]) stream.on('error', () => {});
    const drained = [child.stdin, child.stderr].map((stream) => ended(stream));
    const exit = await child.exited;
    this.#socketWatch?.stop();
    const empty = await this.#emptied();
    if (exit.failed === undefined) await Promise.all(drained);
    // Their other ends are gone, which alone does not close an end that could still be written to.
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
    const ranOutOfMemory = this.#socketsExceeded || this.#cell.ranOutOfMemory();
    this.#released = true;
    release(empty);
    const { code, signal } = exit;
    const failed = failureOf(exit);
    return { code, signal, words: words.text, ranOutOfMemory, ...(failed !== undefined && { failed }) };
  }

  /** Kills what is left. Resolves with whether all of it is gone. */
  async #emptied(): Promise<boolean> {
    const start = this.#clock.monotonic();
    for (let pause = 1; !this.#cell.isEmpty(); pause = Math.min(longestPauseMs, pause * 2)) {
      if (this.#clock.monotonic() - start > confirmMs) return false;
      this.#cell.kill();
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#clock.setTimer(pause, resolve);
      await promise;
    }
    return true;
  }
}

function failureOf({ code, failed }: ChildExit): HostExit['failed'] {
  if (failed !== undefined) return { code: 'RUNTIME_UNAVAILABLE', message: failed };
  if (code !== notMounted) return undefined;
  return { code: 'START_FAILED', message: 'a folder of its preopens is not there, or cannot be mounted' };
}

/** Resolves when all that is to come of it has been read. */
function ended(stream: Readable): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const event of ['end', 'close', 'error']) stream.once(event, () => resolve());
  return promise;
}
