import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFilesystem } from '../../../../src/runtimes/wasm/guest-host/host/filesystem.ts';
import { createIo, ownClasses } from '../../../../src/runtimes/wasm/guest-host/host/io.ts';
import { bytes, Folder } from './folder.ts';

type Filesystem = ReturnType<typeof createFilesystem>;
type Descriptor = ReturnType<Filesystem['wasi:filesystem/preopens']['getDirectories']>[number][0];

const classes = ownClasses();
const io = createIo(classes, {
  input: bytes('from stdin'),
  inputAt: 0,
  args: [],
  environment: [],
  write: () => undefined,
  exitCode: undefined,
});
const follow = { symlinkFollow: true };
const now = { tag: 'now' } as const;
const unchanged = { tag: 'no-change' } as const;

/** What a call throws, as transpiled code sees it. */
function thrown(call: () => unknown): unknown {
  try {
    call();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('a component with a preopen', () => {
  let folder: Folder;
  let filesystem: Filesystem;
  let root: Descriptor;

  beforeEach(() => {
    folder = new Folder({ openFiles: 8 });
    filesystem = createFilesystem(io, folder.guest());
    const [entry] = filesystem['wasi:filesystem/preopens'].getDirectories();
    if (entry === undefined) throw new Error('no preopen');
    expect(entry[1]).toBe('/data');
    [root] = entry;
  });
  afterEach(() => folder.remove());

  function create(path: string): Descriptor {
    return root.openAt(follow, path, { create: true }, { read: true, write: true });
  }

  it('gets error codes, and never a path of the host', () => {
    expect(thrown(() => root.openAt(follow, 'none', {}, { read: true }))).toBe('no-entry');
    expect(thrown(() => root.openAt(follow, '../outside', {}, { read: true }))).toBe('not-permitted');
    expect(thrown(() => root.openAt(follow, 'a\0b', {}, { read: true }))).toBe('invalid');
    expect(thrown(() => root.openAt(follow, '.', {}, { write: true }))).toBe('is-directory');
    expect(thrown(() => root.openAt(follow, 'x', {}, { requestedWriteSync: true }))).toBe('unsupported');
    expect(thrown(() => root.read(1n, 0n))).toBe('bad-descriptor');
    expect(thrown(() => create('file').readDirectory())).toBe('not-directory');
    expect(thrown(() => create('file').statAt(follow, 'x'))).toBe('not-directory');
  });

  it('reads and writes at offsets', () => {
    const file = create('file');
    expect(file.write(bytes('hello'), 2n)).toBe(5n);
    expect(file.read(100n, 4n)).toEqual([new Uint8Array(bytes('llo')), false]);
    expect(file.read(100n, 7n)).toEqual([new Uint8Array(), true]);
    expect(file.read(2n ** 63n - 1n, 0n)[0]).toHaveLength(7);
    file.setSize(3n);
    expect(file.stat()).toMatchObject({ type: 'regular-file', size: 3n, linkCount: 1n });
    file.sync();
    file.syncData();
    file.advise(0n, 3n);
    root.sync();
  });

  it('has streams that go on where they stand, and end', () => {
    const file = create('file');
    const output = file.writeViaStream(1n);
    output.write(bytes('one '));
    output.blockingWriteAndFlush(bytes('two'));
    output.writeZeroes(1n);
    const input = file.readViaStream(0n);
    expect(input).toBeInstanceOf(classes.InputStream);
    expect(output).toBeInstanceOf(classes.OutputStream);
    expect(Buffer.from(input.read(4n)).toString()).toBe('\0one');
    expect(input.skip(1n)).toBe(1n);
    expect(Buffer.from(input.blockingRead(100n)).toString()).toBe('two\0');
    expect(thrown(() => input.read(1n))).toEqual({ tag: 'closed' });
    expect(input.read(0n)).toHaveLength(0);
    expect(input.subscribe().ready()).toBe(true);
    output.splice(io.stdin(), 4n);
    expect(readFileSync(join(folder.path, 'file'), 'utf8')).toBe('\0one two\0from');
  });

  it('appends with several streams and loses nothing', () => {
    const streams = [create('log'), create('log')].map((file) => file.appendViaStream());
    for (let line = 0; line < 50; line += 1) {
      for (const [at, stream] of streams.entries()) stream.write(bytes(`${at} ${line}\n`));
    }
    const lines = readFileSync(join(folder.path, 'log'), 'utf8').trimEnd().split('\n');
    expect(new Set(lines).size).toBe(100);
  });

  it('keeps a file open for the streams that are left of it, and no longer', () => {
    for (let round = 0; round < 20; round += 1) {
      const file = create('file');
      const output = file.writeViaStream(0n);
      const append = file.appendViaStream();
      file[Symbol.dispose]();
      output.write(bytes('still'));
      append.write(bytes('!'));
      output[Symbol.dispose]();
      append[Symbol.dispose]();
      const listing = root.readDirectory();
      listing.readDirectoryEntry();
      listing[Symbol.dispose]();
    }
  });

  it('is told the code of an error that a stream had', () => {
    symlinkSync('/dev/full', join(folder.path, 'full'));
    const file = create('file');
    const output = file.writeViaStream(2n ** 53n);
    const error = thrown(() => output.write(bytes('x'))) as { tag: string; val: object };
    expect(error.tag).toBe('last-operation-failed');
    expect(error.val).toBeInstanceOf(classes.IoError);
    const { filesystemErrorCode } = filesystem['wasi:filesystem/types'];
    expect(filesystemErrorCode(error.val)).toBe('file-too-large');
    expect(filesystemErrorCode(new Error('another'))).toBeUndefined();
  });

  it('is told that it has too many files open, for which there is no word', () => {
    const open = Array.from({ length: 8 }, () => create('file'));
    expect(thrown(() => create('file'))).toBe('insufficient-memory');
    for (const file of open) file[Symbol.dispose]();
    create('file');
  });

  it('lists every name, and opens what it listed', () => {
    const odd = Buffer.concat([Buffer.from(`${folder.path}/`), Buffer.from([0x61, 0xff])]);
    writeFileSync(odd, 'odd');
    create('é');
    const listing = root.readDirectory();
    const names: string[] = [];
    for (let entry = listing.readDirectoryEntry(); entry; entry = listing.readDirectoryEntry()) {
      names.push(entry.name);
      root.openAt(follow, entry.name, {}, { read: true })[Symbol.dispose]();
    }
    expect(names.sort()).toEqual(['a\uf7ff', 'é'].sort());
    root.symlinkAt('a\uf7ff', 'link');
    expect(root.readlinkAt('link')).toBe('a\uf7ff');
    expect(root.statAt(follow, 'link').size).toBe(3n);
  });

  it('sets times on files, folders and links', () => {
    const file = create('file');
    const at = { tag: 'timestamp', val: { seconds: 1_600_000_000n, nanoseconds: 123_456_000 } } as const;
    file.setTimes(at, unchanged);
    expect(file.stat().dataAccessTimestamp?.seconds).toBe(1_600_000_000n);
    file.setTimes(unchanged, at);
    expect(Math.floor((file.stat().dataModificationTimestamp?.nanoseconds ?? 0) / 1000)).toBe(123_456);
    root.symlinkAt('file', 'link');
    root.setTimesAt({}, 'link', at, at);
    file.setTimes(now, now);
    expect(root.statAt({}, 'link').dataModificationTimestamp?.seconds).toBe(1_600_000_000n);
    expect(root.statAt(follow, 'link').dataModificationTimestamp?.seconds).toBeGreaterThan(1_700_000_000n);
    root.setTimes(at, at);
    expect(root.stat().dataAccessTimestamp?.seconds).toBe(1_600_000_000n);
  });

  it('makes, moves, links and removes', () => {
    create('file');
    root.createDirectoryAt('dir');
    const dir = root.openAt({}, 'dir', { directory: true }, { read: true });
    root.renameAt('file', dir, 'moved');
    dir.linkAt({}, 'moved', root, 'hard');
    const one = root.openAt({}, 'hard', {}, { read: true });
    const two = dir.openAt({}, 'moved', {}, { read: true });
    expect(one.isSameObject(two)).toBe(true);
    expect(one.isSameObject(dir)).toBe(false);
    expect(one.metadataHash()).toEqual(dir.metadataHashAt({}, 'moved'));
    expect(dir.getType()).toBe('directory');
    expect(dir.getFlags()).toEqual({ read: true });
    expect(thrown(() => root.removeDirectoryAt('dir'))).toBe('not-empty');
    dir.unlinkFileAt('moved');
    root.removeDirectoryAt('dir');
    root.unlinkFileAt('hard');
    expect(root.readDirectory().readDirectoryEntry()).toBeUndefined();
  });

  it('does not close its preopen by dropping it', () => {
    root[Symbol.dispose]();
    const [again] = filesystem['wasi:filesystem/preopens'].getDirectories();
    expect(again?.[0].getType()).toBe('directory');
  });
});
