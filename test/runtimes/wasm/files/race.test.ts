import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileError } from '../../../../src/runtimes/wasm/files/port.ts';
import { bytes, Folder } from './folder.ts';

/** How often plain paths must have been led outside before the race counts as run. */
const enough = 30;

describe('a folder in which others swap a directory for a link to the outside', () => {
  it('is never left, although plain paths are', async () => {
    const folder = new Folder();
    mkdirSync(join(folder.path, 'swap/deep'), { recursive: true });
    mkdirSync(join(folder.outside, 'deep'));
    writeFileSync(join(folder.path, 'swap/deep/file'), 'inside');
    writeFileSync(join(folder.outside, 'deep/file'), 'secret');
    const outside = ['', 'deep', 'deep/file'].map((path) =>
      String(statSync(join(folder.outside, path), { bigint: true }).ino),
    );
    const swapper = spawn(process.execPath, [new URL('swapper.ts', import.meta.url).pathname, folder.path]);
    try {
      await once(swapper.stdout, 'data');
      const { root } = folder;
      const outcomes = new Set<string>();
      const wanted = ['inside', 'EPERM', 'made'];
      // Until everything has happened that can.
      for (let led = 0, round = 0; led < enough || !wanted.every((one) => outcomes.has(one)); round += 1) {
        if (plainRead(join(folder.path, 'swap/deep/file')) === 'secret') led += 1;
        for (const call of [
          () => folder.read('swap/deep/file'),
          () => folder.read('swap/../swap/deep/../deep/file'),
          () => String(root.statAt(bytes('swap/deep/file'), true).inode),
          () => openedInode(folder, 'swap'),
          () => openedInode(folder, 'swap/deep'),
          () => made(() => root.makeDirectory(bytes(`swap/deep/new${round}`))),
          () => made(() => root.symlink(bytes('x'), bytes(`swap/deep/link${round}`))),
          () => made(() => root.link(bytes('swap/deep/file'), false, root, bytes(`swap/hard${round}`))),
          () => made(() => folder.write(`swap/deep/made${round}`, 'x')),
        ]) {
          const outcome = outcomeOf(call);
          expect(outcome).not.toBe('secret');
          expect(outside).not.toContain(outcome);
          outcomes.add(outcome);
        }
      }
      expect(readdirSync(folder.outside)).toEqual(['deep']);
      expect(readdirSync(join(folder.outside, 'deep'))).toEqual(['file']);
      expect(existsSync(join(folder.outside, 'deep/file'))).toBe(true);
    } finally {
      swapper.kill('SIGKILL');
      await once(swapper, 'exit');
      folder.remove();
    }
  });
});

function openedInode(folder: Folder, path: string): string {
  const directory = folder.directory(path);
  try {
    return String(directory.stat().inode);
  } finally {
    directory.close();
  }
}

function made(make: () => void): string {
  make();
  return 'made';
}

function outcomeOf(call: () => string): string {
  try {
    return call();
  } catch (error) {
    if (error instanceof FileError) return error.errno;
    throw error;
  }
}

function plainRead(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Nothing is there at times.
    return '';
  }
}
