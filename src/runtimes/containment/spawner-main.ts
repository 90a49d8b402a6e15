/**
 * Starts programs for a node, in a process of its own: a start copies the page tables of who makes it, and takes
 * a small process a millisecond and a large node tens of them, in which it does nothing else.
 *
 * A program gets three sockets whose other ends are the node's, so that nothing it reads or writes goes through here.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, unlinkSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
// Types alone: the node runs the text of this file, see spawner.ts.
import type { FromSpawner, SpawnRequest, ToSpawner } from './spawner-protocol.ts';

type Begin = Extract<ToSpawner, { type: 'begin' }>;

const ready = new Map<number, readonly Socket[]>();
const freeMarkers: number[] = [];
let begun: Begin | undefined;
let nextStreams = 0;
let markersMade = 0;

process.on('message', (message: ToSpawner) => {
  if (message.type === 'begin') {
    begun = message;
    refill(message);
  } else if (begun !== undefined) {
    start(begun, message.streams, message.request);
    if (ready.size <= 1) refill(begun);
  }
});
// The node is gone, and what it was running is its warden's.
process.on('disconnect', () => process.exit());

function tell(message: FromSpawner): void {
  // Nobody is left to be told where it fails.
  process.send?.(message, undefined, undefined, () => {});
}

/** What was just started should have the processor: others come when a program has ended, or when they run short. */
function refill(begin: Begin): void {
  while (ready.size < begin.spare) prepareStreams(begin);
}

function prepareStreams({ address, token }: Begin): void {
  const streams = nextStreams++;
  const sockets = [0, 1, 2].map((index) => {
    const socket = connect({ path: address });
    // What the node sends is for the program, and must not be read here.
    socket.pause();
    socket.on('error', () => {});
    socket.write(`${token} ${String(streams).padStart(10, '0')} ${index}\n`);
    return socket;
  });
  ready.set(streams, sockets);
}

function start(begin: Begin, streams: number, request: SpawnRequest): void {
  const sockets = ready.get(streams) ?? [];
  ready.delete(streams);
  const opened: number[] = [];
  try {
    for (const path of request.joins) opened.push(openSync(path, 'w'));
    const marker = freeMarkers.pop() ?? makeMarker(begin.markers);
    const child = spawn(request.file, request.args, {
      cwd: request.cwd,
      env: request.environment,
      // A process group of its own, for the first signal; what leaves the group is in the cell.
      detached: true,
      stdio: [...sockets, ...opened, marker],
      ...request.identity,
    });
    if (child.pid === undefined) {
      freeMarkers.push(marker);
      child.on('error', (error) => tell({ type: 'failed', streams, code: codeOf(error) }));
    } else {
      follow(begin, child, child.pid, streams, marker);
    }
  } catch (error) {
    tell({ type: 'failed', streams, code: codeOf(error) });
  } finally {
    for (const fd of opened) closeSync(fd);
    // The program has copies of its own; with these here its streams would never end.
    for (const socket of sockets) socket.destroy();
  }
}

function follow(begin: Begin, child: ChildProcess, pid: number, streams: number, marker: number): void {
  tell({ type: 'started', streams, pid });
  child.on('exit', (code, signal) => {
    const stage = code === 0 ? '' : takeMark(marker);
    freeMarkers.push(marker);
    tell({ type: 'exited', streams, code, signal, stage });
    refill(begin);
  });
}

/** A file that only its descriptor leads to. */
function makeMarker(folder: string): number {
  markersMade += 1;
  const path = `${folder}/marker-${process.pid}-${markersMade}`;
  const fd = openSync(path, 'ax+', 0o600);
  unlinkSync(path);
  return fd;
}

/** What the launcher wrote, and makes the file ready for the next. */
function takeMark(fd: number): string {
  const { size } = fstatSync(fd);
  if (size === 0) return '';
  const text = Buffer.alloc(Math.min(size, 32));
  readSync(fd, text, 0, text.length, 0);
  ftruncateSync(fd);
  return text.toString('latin1').trim();
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
