/**
 * Starts programs for a node, in a process of its own: a start copies the page tables of who makes it, and takes
 * a small process a millisecond and a large node tens of them, in which it does nothing else.
 *
 * A program gets three sockets whose other ends are the node's, so that nothing it reads or writes goes through here.
 * It may also get a room: namespaces that a helper has made ready, with nothing in them that another program left.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync, unlinkSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
// Types alone: the node runs the text of this file, see spawner-process.ts.
import type { FromSpawner, SpawnRequest, ToSpawner } from './spawner-protocol.ts';

type Begin = Extract<ToSpawner, { type: 'begin' }>;

/** Descriptors of its namespaces. */
type Room = readonly number[];

/** Rooms that wait for a program; more are made while one ends. */
const spareRooms = 4;
/** To make a room takes milliseconds. */
const roomTimeoutMs = 5000;
/** The end of a mark says all; before it may stand what a shell has to say about the end of a program. */
const maxOfMark = 256;

const prepared = new Map<number, readonly Socket[]>();
const rooms: Room[] = [];
let roomsOnTheirWay = 0;
let begun: Begin | undefined;
let markersMade = 0;

process.on('message', (message: ToSpawner) => {
  if (message.type === 'begin') {
    begun = message;
    refillRooms(message);
  } else if (message.type === 'ping') {
    tell({ type: 'pong' });
  } else if (begun === undefined) {
    return;
  } else if (message.type === 'prepare') {
    prepareStreams(begun, message.streams);
  } else if (message.type === 'drop') {
    letGo(message.streams);
  } else {
    void start(begun, message.streams, message.request);
  }
});
// The node is gone, and what it was running is its watchdog's.
process.on('disconnect', () => process.exit());

function tell(message: FromSpawner): void {
  // Nobody is left to be told where it fails.
  process.send?.(message, undefined, undefined, () => {});
}

function prepareStreams({ address, token }: Begin, streams: number): void {
  const sockets = [0, 1, 2].map((index) => {
    const socket = connect({ path: address });
    // What the node sends is for the program, and must not be read here.
    socket.pause();
    // The node notices where one does not arrive.
    socket.on('error', () => {});
    socket.write(`${token} ${String(streams).padStart(10, '0')} ${index}\n`);
    return socket;
  });
  prepared.set(streams, sockets);
}

/** The program has copies of its own; with these here its streams would never end. */
function letGo(streams: number): void {
  for (const socket of prepared.get(streams) ?? []) socket.destroy();
  prepared.delete(streams);
}

async function start(begin: Begin, streams: number, request: SpawnRequest): Promise<void> {
  const opened: number[] = [];
  try {
    const { room } = request;
    // Without a wait where there is one: the program is on its way before anything else is done for it.
    const spaces = room === undefined ? [] : (readyRoom(begin, room) ?? (await makeRoom(room)));
    opened.push(...spaces);
    const joins = request.joins.map((path) => openSync(path, 'w'));
    opened.push(...joins);
    const reads = request.reads === undefined ? [] : [openSync(request.reads, 'r')];
    opened.push(...reads);
    const marker = makeMarker(begin.markers);
    opened.push(marker);
    const child = spawn(request.file, request.args, {
      cwd: request.cwd,
      env: request.environment,
      // A process group of its own, for the first signal; what leaves the group is in the cell.
      detached: true,
      stdio: [...(prepared.get(streams) ?? []), ...joins, marker, ...spaces, ...reads],
      ...request.identity,
    });
    if (child.pid === undefined) {
      child.on('error', (error) => tell({ type: 'failed', streams, code: codeOf(error) }));
    } else {
      opened.pop();
      follow(begin, child, child.pid, streams, marker);
    }
  } catch (error) {
    tell({ type: 'failed', streams, code: codeOf(error) });
  } finally {
    for (const fd of opened) closeSync(fd);
    letGo(streams);
    if (rooms.length === 0) refillRooms(begin);
  }
}

function follow(begin: Begin, child: ChildProcess, pid: number, streams: number, marker: number): void {
  tell({ type: 'started', streams, pid });
  child.on('exit', (code, signal) => {
    const mark = takeMark(marker);
    tell({ type: 'exited', streams, code, signal, mark });
    refillRooms(begin);
  });
}

/** One that was made ahead, where it is of that kind. */
function readyRoom({ room }: Begin, command: readonly string[]): Room | undefined {
  const same = room?.length === command.length && room.every((word, index) => word === command[index]);
  return same ? rooms.shift() : undefined;
}

/** What was just started should have the processor: others come when a program has ended, or when they run short. */
function refillRooms({ room }: Begin): void {
  while (room !== undefined && rooms.length + roomsOnTheirWay < spareRooms) {
    roomsOnTheirWay += 1;
    makeRoom(room)
      .then((made) => rooms.push(made))
      // A start that needs one makes its own, and says why it cannot.
      .catch(() => {})
      .finally(() => {
        roomsOnTheirWay -= 1;
      });
  }
}

/** The helper says when its namespaces are ready, and stays in them until they are held here. */
function makeRoom([file = '', ...args]: readonly string[]): Promise<Room> {
  const { promise, resolve, reject } = Promise.withResolvers<Room>();
  const helper = spawn(file, args, {
    cwd: '/',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    stdio: ['pipe', 'pipe', 'ignore'],
    timeout: roomTimeoutMs,
    killSignal: 'SIGKILL',
  });
  helper.on('error', reject);
  helper.stdin?.on('error', () => {});
  helper.on('exit', () => {
    reject(Object.assign(new Error('no room could be made'), { code: 'ENOROOM' }));
  });
  helper.stdout?.once('data', () => {
    const held: number[] = [];
    try {
      for (const space of ['mnt', 'ipc']) held.push(openSync(`/proc/${helper.pid}/ns/${space}`, 'r'));
      resolve(held);
    } catch (error) {
      for (const fd of held) closeSync(fd);
      reject(error);
    }
    helper.kill('SIGKILL');
  });
  return promise;
}

/**
 * A file that only its descriptor leads to. For one start: a program can take the descriptor from its launcher, which
 * runs as the same user, and keep it.
 */
function makeMarker(folder: string): number {
  markersMade += 1;
  const path = `${folder}/marker-${process.pid}-${markersMade}`;
  const fd = openSync(path, 'ax+', 0o600);
  unlinkSync(path);
  return fd;
}

/** The end of what the launcher wrote; the file is gone with that. */
function takeMark(fd: number): string {
  const { size } = fstatSync(fd);
  const text = Buffer.alloc(Math.min(size, maxOfMark));
  const length = readSync(fd, text, 0, text.length, size - text.length);
  closeSync(fd);
  return text.toString('latin1', 0, length);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
