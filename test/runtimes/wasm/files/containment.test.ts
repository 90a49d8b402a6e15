import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bytes, errnoOf, Folder, holds, names } from './folder.ts';

describe.each(holds)('a folder held %s', (_, hold) => {
  let folder: Folder;
  beforeEach(() => {
    folder = new Folder({ hold });
    writeFileSync(join(folder.outside, 'secret'), 'secret');
    mkdirSync(join(folder.path, 'sub'));
    writeFileSync(join(folder.path, 'file'), 'inside');
  });
  afterEach(() => folder.remove());

  it.each([
    '/etc/passwd',
    '..',
    '../outside/secret',
    'sub/../../outside/secret',
    'sub/../..',
    './sub/.././../outside',
    '../data/file',
  ])('is not left by the path %s', (path) => {
    const { root } = folder;
    const path_ = bytes(path);
    expect(errnoOf(() => root.open(path_, { read: true, follow: true }))).toBe('EPERM');
    expect(errnoOf(() => root.open(path_, { write: true, create: true }))).toBe('EPERM');
    expect(errnoOf(() => root.statAt(path_, true))).toBe('EPERM');
    expect(errnoOf(() => root.setTimesAt(path_, true, 'now', 'now'))).toBe('EPERM');
    expect(errnoOf(() => root.makeDirectory(path_))).toBe('EPERM');
    expect(errnoOf(() => root.removeDirectory(path_))).toBe('EPERM');
    expect(errnoOf(() => root.unlink(path_))).toBe('EPERM');
    expect(errnoOf(() => root.rename(path_, root, bytes('x')))).toBe('EPERM');
    expect(errnoOf(() => root.rename(bytes('file'), root, path_))).toBe('EPERM');
    expect(errnoOf(() => root.link(path_, false, root, bytes('x')))).toBe('EPERM');
    expect(errnoOf(() => root.link(bytes('file'), false, root, path_))).toBe('EPERM');
    expect(errnoOf(() => root.symlink(bytes('x'), path_))).toBe('EPERM');
    expect(errnoOf(() => root.readlink(path_))).toBe('EPERM');
  });

  it.each([
    ['relative', '../outside'],
    ['absolute', '/etc'],
    ['through another', 'other'],
    ['that goes down and up', 'sub/../../outside'],
  ])('is not left by a link of the host that is %s', (_name, target) => {
    symlinkSync('../outside', join(folder.path, 'other'));
    symlinkSync(target, join(folder.path, 'link'));
    const { root } = folder;
    for (const path of ['link', 'link/', 'link/secret', 'sub/../link/secret']) {
      expect(errnoOf(() => root.open(bytes(path), { read: true, follow: true }))).toBe('EPERM');
      expect(errnoOf(() => root.statAt(bytes(path), true))).toBe('EPERM');
    }
    expect(errnoOf(() => root.makeDirectory(bytes('link/new')))).toBe('EPERM');
    expect(errnoOf(() => root.unlink(bytes('link/secret')))).toBe('EPERM');
    expect(errnoOf(() => root.rename(bytes('file'), root, bytes('link/moved')))).toBe('EPERM');
    expect(readdirSync(folder.outside)).toEqual(['secret']);
  });

  it('is not left by a link at the end of a path that is to be created', () => {
    symlinkSync('../outside/new', join(folder.path, 'link'));
    const create = { write: true, create: true };
    expect(errnoOf(() => folder.root.open(bytes('link'), { ...create, follow: true }))).toBe('EPERM');
    expect(errnoOf(() => folder.root.open(bytes('link'), create))).toBe('ELOOP');
    expect(existsSync(join(folder.outside, 'new'))).toBe(false);
  });

  it('follows the links that stay inside', () => {
    symlinkSync('../file', join(folder.path, 'sub', 'up'));
    symlinkSync('sub', join(folder.path, 'down'));
    symlinkSync('.', join(folder.path, 'here'));
    symlinkSync('down/../sub/up', join(folder.path, 'both'));
    for (const path of ['sub/up', 'down/up', 'here/here/sub/../down/up', 'both', 'down/../file']) {
      expect(folder.read(path)).toBe('inside');
    }
    folder.root.symlink(bytes('fresh'), bytes('dangling'));
    folder.write('dangling', 'made through a link');
    expect(folder.read('fresh')).toBe('made through a link');
  });

  it('refuses links that go in circles', () => {
    symlinkSync('b', join(folder.path, 'a'));
    symlinkSync('a', join(folder.path, 'b'));
    expect(errnoOf(() => folder.read('a'))).toBe('ELOOP');
    expect(errnoOf(() => folder.read('a/file'))).toBe('ELOOP');
  });

  it('refuses to make a link that is absolute', () => {
    expect(errnoOf(() => folder.root.symlink(bytes('/etc'), bytes('link')))).toBe('EPERM');
    expect(errnoOf(() => folder.root.statAt(bytes('link'), false))).toBe('ENOENT');
  });

  it('is not left through an open directory in whose place is a link', () => {
    const { root } = folder;
    root.makeDirectory(bytes('a'));
    const open = folder.directory('a');
    root.removeDirectory(bytes('a'));
    root.symlink(bytes('../outside'), bytes('a'));
    expect(errnoOf(() => folder.read('secret', open))).toBe('ENOENT');
    expect(errnoOf(() => open.open(bytes('new'), { write: true, create: true }))).toBe('ENOENT');
    expect(errnoOf(() => open.unlink(bytes('secret')))).toBe('ENOENT');
    expect(errnoOf(() => open.rename(bytes('secret'), root, bytes('x')))).toBe('ENOENT');
    expect(readdirSync(folder.outside)).toEqual(['secret']);
  });

  it('refuses every use of a directory that was closed', () => {
    const open = folder.directory('sub');
    const listing = open.entries(0n)[Symbol.iterator]();
    listing.next();
    open.close();
    open.close();
    folder.directory('sub');
    expect(errnoOf(() => listing.next())).toBe('EBADF');
    expect(errnoOf(() => open.stat())).toBe('EBADF');
    expect(errnoOf(() => open.open(bytes('x'), { read: true }))).toBe('EBADF');
    expect(errnoOf(() => folder.root.rename(bytes('file'), open, bytes('x')))).toBe('EBADF');
  });
});

describe('a folder held by descriptor', () => {
  let folder: Folder;
  beforeEach(() => {
    folder = new Folder();
    mkdirSync(join(folder.path, 'a/b'), { recursive: true });
    writeFileSync(join(folder.outside, 'secret'), 'secret');
  });
  afterEach(() => folder.remove());

  it('does not let an open directory climb after it was moved out', () => {
    const open = folder.directory('a/b');
    renameSync(join(folder.path, 'a/b'), join(folder.outside, 'b'));
    expect(errnoOf(() => folder.read('../secret', open))).toBe('EPERM');
    expect(errnoOf(() => open.statAt(bytes('..'), true))).toBe('EPERM');
  });

  it('is still the same folder after its path leads elsewhere', () => {
    const { root } = folder;
    folder.write('file', 'inside');
    renameSync(folder.path, join(folder.outer, 'moved'));
    symlinkSync('outside', folder.path);
    expect(folder.read('file')).toBe('inside');
    expect(errnoOf(() => folder.read('secret'))).toBe('ENOENT');
    expect(names(root).sort()).toEqual(['.', '..', 'a', 'file']);
  });

  it('goes on in a directory that was renamed', () => {
    const open = folder.directory('a');
    folder.root.rename(bytes('a'), folder.root, bytes('c'));
    folder.write('c/file', 'inside');
    expect(folder.read('file', open)).toBe('inside');
  });

  it('has a working directory handle when the directory is gone', () => {
    const open = folder.directory('a/b');
    rmSync(join(folder.path, 'a'), { recursive: true });
    expect(errnoOf(() => open.open(bytes('x'), { write: true, create: true }))).toBe('ENOENT');
    expect(open.stat().links).toBe(0n);
  });

  it('keeps links that the system makes up from leading out of a preopened /proc', () => {
    const guest = folder.guest({ preopens: { '/proc': '/proc' } });
    const proc = guest.preopens[0]?.directory;
    if (proc === undefined) throw new Error('no preopen');
    expect(errnoOf(() => proc.statAt(bytes('self/root/etc'), true))).toBe('EPERM');
    expect(errnoOf(() => proc.open(bytes('self/cwd'), { follow: true }))).toBe('EPERM');
  });
});

describe('what a guest is told', () => {
  it('names the preopen and not the folder of the host where that is missing', () => {
    const folder = new Folder();
    const open = () => folder.guest({ preopens: { '/data': join(folder.outer, 'none') } });
    expect(open).toThrow('the folder of the host for the preopen "/data": ENOENT');
    folder.remove();
  });

  it('is an error number without a path', () => {
    const folder = new Folder();
    expect(() => folder.read('none')).toThrow(/^ENOENT$/);
    folder.remove();
  });
});
