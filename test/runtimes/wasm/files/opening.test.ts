import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OpenOptions } from '../../../../src/runtimes/wasm/files/port.ts';
import { describeWhere, root as needsRoot } from '../../../support/needs.ts';
import { bytes, errnoOf, Folder, holds } from './folder.ts';

const read: OpenOptions = { read: true, follow: true };
const create: OpenOptions = { write: true, create: true };

describe.each(holds)('in a folder held %s', (_, hold) => {
  let folder: Folder;
  beforeEach(() => {
    folder = new Folder({ hold });
    mkdirSync(join(folder.path, 'dir/nested'), { recursive: true });
    writeFileSync(join(folder.path, 'dir/nested/file'), 'text');
    symlinkSync('dir', join(folder.path, 'toDir'));
    symlinkSync('dir/nested/file', join(folder.path, 'toFile'));
    symlinkSync('nowhere', join(folder.path, 'dangling'));
  });
  afterEach(() => folder.remove());

  function opened(path: string | Uint8Array, options: OpenOptions): string {
    const handle = folder.root.open(typeof path === 'string' ? bytes(path) : path, options);
    handle.close();
    return handle.kind;
  }

  it.each([
    ['.', read, 'directory'],
    ['./', read, 'directory'],
    ['dir/.', read, 'directory'],
    ['dir/nested/..', read, 'directory'],
    ['dir///nested//', { ...read, directory: true }, 'directory'],
    ['toDir/', read, 'directory'],
    ['toDir/', { read: true }, 'directory'],
    ['dir/.//nested/../../dir/nested/../nested///./file', read, 'file'],
    ['toDir/nested/file', { read: true }, 'file'],
    ['toFile', read, 'file'],
  ] as const)('opens %s', (path, options, kind) => {
    expect(opened(path, options)).toBe(kind);
  });

  it.each([
    ['', read, 'ENOENT'],
    ['dir/nested/file/', read, 'ENOTDIR'],
    ['dir/nested/file/.', read, 'ENOTDIR'],
    ['dir/nested/file/..', read, 'ENOTDIR'],
    ['dir/nested/file', { ...read, directory: true }, 'ENOTDIR'],
    ['toFile/', read, 'ENOTDIR'],
    ['toFile', { read: true }, 'ELOOP'],
    ['toDir', { read: true, directory: true }, 'ENOTDIR'],
    ['dangling', read, 'ENOENT'],
    ['dangling', { ...create, exclusive: true, follow: true }, 'EEXIST'],
    ['dir/nested/file\0', read, 'EINVAL'],
    ['none/file', { ...create }, 'ENOENT'],
    ['new/', create, 'EISDIR'],
    ['dir', { write: true }, 'EISDIR'],
    ['dir', create, 'EISDIR'],
    ['dir', { ...create, directory: true }, 'EINVAL'],
    ['dir/nested/file', { ...create, exclusive: true }, 'EEXIST'],
    ['a'.repeat(256), create, 'ENAMETOOLONG'],
    ['a/'.repeat(3000), read, 'ENAMETOOLONG'],
  ] as const)('answers for %j with %o: %s', (path, options, errno) => {
    expect(errnoOf(() => opened(path, options))).toBe(errno);
  });

  it('creates a file, and cuts one off only where it is told to', () => {
    folder.write('new', 'longer');
    folder.write('new', 'short', { truncate: true });
    expect(folder.read('new')).toBe('short');
    folder.write('new', 'S');
    expect(folder.read('new')).toBe('Short');
    expect(statSync(join(folder.path, 'new')).mode & 0o111).toBe(0);
  });

  it('keeps to what a file was opened for', () => {
    const reader = folder.file('toFile', { read: true });
    const writer = folder.file('toFile', { write: true });
    const neither = folder.file('toFile', {});
    const into = new Uint8Array(4);
    expect(errnoOf(() => reader.write(into))).toBe('EBADF');
    expect(errnoOf(() => reader.truncate(0n))).toBe('EINVAL');
    expect(errnoOf(() => writer.read(into))).toBe('EBADF');
    expect(errnoOf(() => neither.read(into))).toBe('EBADF');
    expect(errnoOf(() => neither.pwrite(into, 0n))).toBe('EBADF');
    expect(neither.stat().size).toBe(4n);
  });

  it('moves, links and removes what it is told to', () => {
    const { root } = folder;
    root.makeDirectory(bytes('made/'));
    expect(errnoOf(() => root.makeDirectory(bytes('made')))).toBe('EEXIST');
    root.rename(bytes('dir/nested/file'), folder.directory('made'), bytes('moved'));
    expect(folder.read('made/moved')).toBe('text');
    expect(errnoOf(() => root.rename(bytes('made/moved/'), root, bytes('x')))).toBe('ENOTDIR');
    expect(errnoOf(() => root.rename(bytes('made/moved'), root, bytes('x/')))).toBe('ENOTDIR');
    root.rename(bytes('made/'), root, bytes('other/'));
    root.link(bytes('other/moved'), false, root, bytes('second'));
    expect(root.statAt(bytes('second'), false).links).toBe(2n);
    expect(errnoOf(() => root.link(bytes('other'), false, root, bytes('x')))).toBe('EPERM');
    expect(errnoOf(() => root.link(bytes('second'), false, root, bytes('x/')))).toBe('ENOENT');
    expect(errnoOf(() => root.link(bytes('second'), false, root, bytes('other/')))).toBe('EEXIST');
    expect(errnoOf(() => root.unlink(bytes('other')))).toBe('EISDIR');
    expect(errnoOf(() => root.unlink(bytes('other/')))).toBe('EISDIR');
    expect(errnoOf(() => root.unlink(bytes('second/')))).toBe('ENOTDIR');
    expect(errnoOf(() => root.removeDirectory(bytes('other')))).toBe('ENOTEMPTY');
    expect(errnoOf(() => root.removeDirectory(bytes('second')))).toBe('ENOTDIR');
    expect(errnoOf(() => root.removeDirectory(bytes('.')))).toBe('EINVAL');
    root.unlink(bytes('second'));
    root.unlink(bytes('other/moved'));
    root.removeDirectory(bytes('other/'));
    expect(readdirSync(folder.path).sort()).toEqual(['dangling', 'dir', 'toDir', 'toFile']);
  });

  it('makes, reads, links and removes links, and not what they lead to', () => {
    const { root } = folder;
    root.symlink(bytes('dir/nested/file'), bytes('link'));
    expect(Buffer.from(root.readlink(bytes('link'))).toString()).toBe('dir/nested/file');
    expect(root.statAt(bytes('link'), false).type).toBe('symbolic-link');
    expect(root.statAt(bytes('link'), true).type).toBe('regular-file');
    expect(errnoOf(() => root.readlink(bytes('dir')))).toBe('EINVAL');
    expect(errnoOf(() => root.readlink(bytes('link/')))).toBe('ENOTDIR');
    expect(errnoOf(() => root.symlink(bytes('x'), bytes('link')))).toBe('EEXIST');
    expect(errnoOf(() => root.symlink(bytes('x'), bytes('new/')))).toBe('ENOENT');
    expect(errnoOf(() => root.symlink(bytes(''), bytes('new')))).toBe('ENOENT');
    root.link(bytes('link'), true, root, bytes('hard'));
    expect(root.statAt(bytes('hard'), false).type).toBe('regular-file');
    root.unlink(bytes('link'));
    expect(folder.read('dir/nested/file')).toBe('text');
  });

  it('answers for sockets without opening them', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(folder.path, 'socket'), resolve));
    expect(errnoOf(() => opened('socket', read))).toBe('ENXIO');
    expect(folder.root.statAt(bytes('socket'), true).type).toBe('socket');
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('a guest with a number of open files', () => {
  let folder: Folder;
  beforeEach(() => {
    folder = new Folder({ openFiles: 5 });
    writeFileSync(join(folder.path, 'file'), 'text');
  });
  afterEach(() => folder.remove());

  it('is told when it has too many, and can go on once it closes one', () => {
    const first = folder.file('file');
    for (let more = 0; more < 3; more += 1) folder.file('file');
    const directory = folder.directory('.');
    expect(errnoOf(() => folder.file('file'))).toBe('EMFILE');
    expect(errnoOf(() => folder.directory('.'))).toBe('EMFILE');
    expect(errnoOf(() => first.reopen(first.flags))).toBe('EMFILE');
    expect(folder.root.statAt(bytes('file'), true).size).toBe(4n);
    first.close();
    first.close();
    expect(folder.read('file')).toBe('text');
    directory.close();
  });

  it('leaves nothing open behind', () => {
    const before = readdirSync('/proc/self/fd').length;
    const guest = folder.guest();
    const root = guest.preopens[0]?.directory;
    if (root === undefined) throw new Error('no preopen');
    folder.file('file', { read: true }, root);
    const listed = folder.directory('.', root);
    listed.entries(0n)[Symbol.iterator]().next();
    for (const _ of listed.entries(2n)) break;
    expect(readdirSync('/proc/self/fd').length).toBeGreaterThan(before);
    guest.close();
    expect(readdirSync('/proc/self/fd').length).toBe(before);
    expect(errnoOf(() => root.stat())).toBe('EBADF');
  });

  it('uses no descriptor up by what fails', () => {
    const { root } = folder;
    symlinkSync('file', join(folder.path, 'link'));
    const before = readdirSync('/proc/self/fd').length;
    for (const path of ['link', 'file/', 'none', '../x', './file/x']) {
      expect(errnoOf(() => root.open(bytes(path), { read: true }))).not.toBe('');
      expect(errnoOf(() => root.open(bytes(path), { write: true, directory: true }))).not.toBe('');
    }
    expect(errnoOf(() => root.open(bytes('.'), { write: true }))).toBe('EISDIR');
    expect(errnoOf(() => root.open(bytes('file'), { ...create, exclusive: true }))).toBe('EEXIST');
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });
});

describeWhere([needsRoot()], 'a device in a preopen', () => {
  it('is not opened', () => {
    const folder = new Folder();
    execFileSync('mknod', [join(folder.path, 'zero'), 'c', '1', '5']);
    expect(errnoOf(() => folder.file('zero'))).toBe('EACCES');
    expect(errnoOf(() => folder.file('zero', { write: true }))).toBe('EACCES');
    expect(folder.root.statAt(bytes('zero'), true).type).toBe('character-device');
    folder.remove();
  });
});
