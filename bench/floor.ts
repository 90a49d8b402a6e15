/**
 * What a single call cannot do without, beside the bare server's answer: a sync of the disk for what a small execution
 * writes, and a message to another process and back.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { median } from './table.ts';

const tries = 500;
/** Pages that a small execution's commit writes, and the bytes of one. */
const pages = 4;
const pageBytes = 4096;

function timed(act: () => void): number {
  const start = performance.now();
  act();
  return (performance.now() - start) * 1000;
}

/** Median of a sync of new pages at the end of a file, in microseconds. */
export async function syncMicroseconds(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'spear-bench-floor-'));
  const file = openSync(join(folder, 'log'), 'a');
  const data = new Uint8Array(pages * pageBytes).fill(97);
  const times = Array.from({ length: tries }, () =>
    timed(() => {
      writeSync(file, data);
      fdatasyncSync(file);
    }),
  );
  closeSync(file);
  await rm(folder, { recursive: true });
  return median(times);
}

/** Median of a message to a process and back, in microseconds. */
export async function hopMicroseconds(): Promise<number> {
  const echo: ChildProcessByStdio<Writable, Readable, null> = spawn('cat', {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const message = new Uint8Array(200).fill(97);
  const times: number[] = [];
  for (let round = 0; round < tries; round++) {
    const start = performance.now();
    echo.stdin.write(message);
    await once(echo.stdout, 'data');
    times.push((performance.now() - start) * 1000);
  }
  echo.stdin.end();
  await once(echo, 'exit');
  return median(times);
}
