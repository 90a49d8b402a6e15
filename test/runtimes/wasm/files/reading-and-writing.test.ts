import { mkdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { maxTransfer } from '../../../../src/runtimes/wasm/files/port.ts';
import { bytes, errnoOf, Folder, holds, readAll } from './folder.ts';

describe.each(holds)('a file of a folder held %s', (_, hold) => {
  let folder: Folder;
  beforeEach(() => {
    folder = new Folder({ hold });
    writeFileSync(join(folder.path, 'file'), '0123456789');
  });
  afterEach(() => folder.remove());

  it('has a position of its own, which only read, write and seek move', () => {
    const file = folder.file('file', { read: true, write: true });
    const into = new Uint8Array(3);
    expect(file.read(into)).toBe(3);
    expect(file.pread(into, 8n)).toBe(2);
    expect(file.pwrite(bytes('ab'), 0n)).toBe(2);
    expect(file.tell()).toBe(3n);
    expect(file.write(bytes('X'))).toBe(1);
    expect(file.seek(-1n, 'end')).toBe(9n);
    expect(file.read(into)).toBe(1);
    expect(file.read(into)).toBe(0);
    expect(file.seek(-2n, 'current')).toBe(8n);
    expect(errnoOf(() => file.seek(-1n, 'start'))).toBe('EINVAL');
    expect(file.tell()).toBe(8n);
    expect(folder.read('file')).toBe('ab2X456789');
  });

  it('reads and writes at offsets beyond any file without an accident', () => {
    const file = folder.file('file', { read: true, write: true });
    const into = new Uint8Array(3);
    for (const offset of [2n ** 40n, 2n ** 53n, 2n ** 62n]) expect(file.pread(into, offset)).toBe(0);
    expect(errnoOf(() => file.pread(into, 2n ** 63n))).toBe('EINVAL');
    for (const offset of [2n ** 53n, 2n ** 62n]) {
      expect(errnoOf(() => file.pwrite(into, offset))).toBe('EFBIG');
      expect(errnoOf(() => file.truncate(offset))).toBe('EFBIG');
    }
    expect(errnoOf(() => file.seek(2n ** 62n, 'start'))).toBe('EOVERFLOW');
    expect(folder.read('file')).toBe('0123456789');
  });

  it('answers a read or write of any length with a bounded part', () => {
    truncateSync(join(folder.path, 'file'), 8 * maxTransfer);
    const file = folder.file('file', { read: true, write: true });
    const view = new Uint8Array(4 * maxTransfer);
    expect(file.pread(view, 0n)).toBe(maxTransfer);
    expect(file.read(view)).toBe(maxTransfer);
    expect(file.write(view)).toBe(maxTransfer);
    expect(file.pwrite(view, 0n)).toBe(maxTransfer);
  });

  it('grows and shrinks', () => {
    const file = folder.file('file', { read: true, write: true });
    file.truncate(3n);
    expect(folder.read('file')).toBe('012');
    file.allocate(2n, 4n);
    expect(file.stat().size).toBe(6n);
    file.allocate(0n, 1n);
    expect(file.stat().size).toBe(6n);
    expect(errnoOf(() => file.allocate(0n, 0n))).toBe('EINVAL');
    file.sync();
    file.datasync();
    file.advise(0n, 10n);
    folder.root.sync();
    folder.root.datasync();
  });

  it('takes every record of those who append at once', () => {
    const files = [1, 2, 3].map(() => folder.file('log', { write: true, create: true, append: true }));
    for (let line = 0; line < 200; line += 1) {
      for (const [writer, file] of files.entries()) file.write(bytes(`${writer} line ${line}\n`));
    }
    const lines = folder.read('log').trimEnd().split('\n');
    expect(new Set(lines).size).toBe(600);
    expect(lines).toHaveLength(600);
  });

  it('can be told to append, and not to, while it is open', () => {
    const file = folder.file('file', { read: true, write: true });
    file.seek(2n, 'start');
    file.setFlags({ ...file.flags, append: true });
    expect(file.tell()).toBe(2n);
    file.write(bytes('end'));
    expect(file.flags.append).toBe(true);
    expect(file.tell()).toBe(13n);
    file.setFlags({ ...file.flags, append: false, sync: true });
    file.seek(0n, 'start');
    file.write(bytes('B'));
    expect(folder.read('file')).toBe('B123456789end');
  });

  it('can be opened once more without its path', () => {
    const file = folder.file('file', { read: true, write: true });
    file.seek(4n, 'start');
    const second = file.reopen({ ...file.flags, append: true });
    second.write(bytes('!'));
    second.close();
    expect(readAll(file)).toBe('456789!');
  });
});

describe('a file of a folder held by descriptor', () => {
  let folder: Folder;
  beforeEach(() => {
    folder = new Folder();
  });
  afterEach(() => folder.remove());

  it('knows where its own record ended after others have appended', () => {
    const one = folder.file('log', { write: true, create: true, append: true });
    const other = folder.file('log', { write: true, append: true });
    one.write(bytes('one'));
    other.write(bytes('other'));
    expect(one.tell()).toBe(3n);
    expect(other.tell()).toBe(8n);
  });

  it('is still there for who has it open when it was removed', () => {
    folder.write('file', 'text');
    const file = folder.file('file', { read: true, write: true });
    folder.root.unlink(bytes('file'));
    folder.write('file', 'another');
    file.setFlags({ ...file.flags, append: true });
    file.write(bytes(' more'));
    file.seek(0n, 'start');
    expect(readAll(file)).toBe('text more');
    expect(folder.read('file')).toBe('another');
  });

  it('refuses every use once it is closed', () => {
    folder.write('file', 'text');
    const file = folder.file('file');
    file.close();
    const into = new Uint8Array(1);
    for (const use of [
      () => file.read(into),
      () => file.pread(into, 0n),
      () => file.stat(),
      () => file.sync(),
    ]) {
      expect(errnoOf(use)).toBe('EBADF');
    }
    expect(errnoOf(() => file.setFlags({ ...file.flags, append: true }))).toBe('EBADF');
  });
});

describe('many directories', () => {
  it('are gone through up to a depth, and further from a directory on the way', () => {
    const folder = new Folder();
    const deep = 'd/'.repeat(300);
    mkdirSync(join(folder.path, deep), { recursive: true });
    expect(errnoOf(() => folder.directory(deep))).toBe('ENAMETOOLONG');
    const half = folder.directory('d/'.repeat(150));
    expect(folder.directory('d/'.repeat(150), half).stat().inode).toBe(
      statSync(join(folder.path, deep), { bigint: true }).ino,
    );
    folder.remove();
  });
});
