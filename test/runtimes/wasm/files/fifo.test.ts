import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bytes, errnoOf, Folder } from './folder.ts';

const guestFile = new URL('fifo-guest.ts', import.meta.url);

describe('a FIFO in a preopen', () => {
  let folder: Folder;
  let pipe: string;
  const guests: ChildProcessWithoutNullStreams[] = [];

  beforeEach(() => {
    folder = new Folder();
    pipe = join(folder.path, 'pipe');
    execFileSync('mkfifo', [pipe]);
  });
  afterEach(() => {
    for (const guest of guests.splice(0)) guest.kill('SIGKILL');
    folder.remove();
  });

  async function guest(mode: 'read' | 'write'): Promise<ChildProcessWithoutNullStreams> {
    const child = spawn(process.execPath, [guestFile.pathname, folder.path, mode]);
    guests.push(child);
    child.stderr.pipe(process.stderr);
    await once(child.stdout, 'readable');
    return child;
  }

  it('waits for its other end, and then is read to the end', async () => {
    const reader = await guest('read');
    const writer = await open(pipe, 'w');
    await writer.write('hello ');
    await writer.write('reader');
    await writer.close();
    expect(await text(reader.stdout)).toBe('opening\nhello reader');
  });

  it('takes more than it holds from a guest that writes', async () => {
    const writer = await guest('write');
    expect(await readFile(pipe, 'latin1')).toBe('x'.repeat(300_000));
    const [code] = writer.exitCode === null ? await once(writer, 'exit') : [writer.exitCode];
    expect(code).toBe(0);
  });

  it.each(['read', 'write'] as const)(
    'with nobody at its other end holds a guest to %s, which can be killed',
    async (mode) => {
      const waiting = await guest(mode);
      waiting.kill('SIGKILL');
      const [, signal] = await once(waiting, 'exit');
      expect(signal).toBe('SIGKILL');
    },
  );

  it('holds a thread that can be ended', async () => {
    const worker = new Worker(guestFile, { argv: [folder.path, 'read'], stdout: true });
    await once(worker, 'online');
    expect(await worker.terminate()).toBe(1);
  });

  it('does not wait for who asked not to', () => {
    expect(errnoOf(() => folder.file('pipe', { write: true, nonblock: true }))).toBe('ENXIO');
    const reader = folder.file('pipe', { read: true, nonblock: true });
    const into = new Uint8Array(10);
    expect(reader.read(into)).toBe(0);
    const writer = folder.file('pipe', { write: true });
    expect(errnoOf(() => reader.read(into))).toBe('EAGAIN');
    writer.write(bytes('abc'));
    expect(reader.read(into)).toBe(3);
    expect(reader.type).toBe('fifo');
    expect(reader.stat().type).toBe('fifo');
    expect(errnoOf(() => reader.seek(0n, 'start'))).toBe('ESPIPE');
    expect(errnoOf(() => reader.pread(into, 0n))).toBe('ESPIPE');
    reader.close();
    expect(errnoOf(() => writer.write(bytes('abc')))).toBe('EPIPE');
  });
});
