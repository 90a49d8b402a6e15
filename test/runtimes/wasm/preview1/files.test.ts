import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { maxOpenFiles } from '../../../../src/runtimes/wasm/files/file-system.ts';
import { Folder } from '../files/folder.ts';
import { errno } from './errno.ts';
import { RawHost, type RawOptions } from './raw-host.ts';

const list = 0;
const result = 64;
const stat = 128;
const path = 512;
const otherPath = 1024;
const data = 4096;

const right = { read: 1n << 1n, seek: 1n << 2n, write: 1n << 6n, setSize: 1n << 22n, truncate: 1n << 19n };
const oflag = { create: 1, directory: 2, exclusive: 4, truncate: 8 } as const;
const append = 1;
const root = 3;

let folder: Folder;
beforeEach(() => {
  folder = new Folder();
});
afterEach(() => folder.remove());

interface OpenFlags {
  readonly oflags?: number;
  readonly rights?: bigint;
  readonly fdflags?: number;
  readonly lookup?: number;
}

class FileHost extends RawHost {
  constructor(options: RawOptions = {}) {
    super({ files: folder.guest(), ...options });
  }

  /** @returns the error number, and what it opened */
  tryOpen(
    name: string,
    { oflags = 0, rights = right.read, fdflags = 0, lookup = 0 }: OpenFlags,
    from = root,
  ) {
    const length = this.put(path, name);
    const answer = this.call('path_open', from, lookup, path, length, oflags, rights, 0n, fdflags, result);
    return { answer, fd: answer === 0 ? this.u32(result) : -1 };
  }

  open(name: string, flags: OpenFlags = {}, from = root): number {
    const { answer, fd } = this.tryOpen(name, flags, from);
    if (answer !== 0) throw new Error(`open ${name}: errno ${answer}`);
    return fd;
  }

  write(fd: number, ...texts: readonly string[]): number {
    const lengths = texts.map(
      (text, index) => [data + index * 1024, this.put(data + index * 1024, text)] as const,
    );
    this.putVectors(list, lengths);
    return this.call('fd_write', fd, list, texts.length, result);
  }

  read(fd: number, ...lengths: readonly number[]): string {
    this.putVectors(
      list,
      lengths.map((length, index) => [data + index * 1024, length] as const),
    );
    const answer = this.call('fd_read', fd, list, lengths.length, result);
    if (answer !== 0) return `errno ${answer}`;
    let left = this.u32(result);
    return lengths
      .map((length, index) => {
        const count = Math.min(left, length);
        left -= count;
        return this.text(data + index * 1024, count);
      })
      .join('|');
  }

  at(name: string, call: string, ...more: readonly (number | bigint)[]): number {
    return this.call(call, root, path, this.put(path, name), ...more);
  }
}

describe('a preopen', () => {
  it('tells its path, and the one after it is EBADF', () => {
    const host = new FileHost();
    expect(host.call('fd_prestat_get', root, data)).toBe(errno.success);
    expect([host.view.getUint8(data), host.u32(data + 4)]).toEqual([0, 5]);
    expect(host.call('fd_prestat_dir_name', root, data, 4)).toBe(errno.nametoolong);
    expect(host.call('fd_prestat_dir_name', root, data, 9)).toBe(errno.success);
    expect(host.text(data, 5)).toBe('/data');
    expect(host.call('fd_prestat_get', root + 1, data)).toBe(errno.badf);
  });

  it('can be closed, and its number is given again', () => {
    const host = new FileHost();
    const inner = host.open('.', { oflags: oflag.directory });
    expect(host.call('fd_close', root)).toBe(errno.success);
    expect(host.tryOpen('x', { oflags: oflag.create }).answer).toBe(errno.badf);
    expect(host.open('x', { oflags: oflag.create }, inner)).toBe(root);
    expect(host.call('fd_prestat_get', root, data)).toBe(errno.badf);
  });

  it('can be replaced by another directory', () => {
    mkdirSync(join(folder.path, 'inner'));
    const host = new FileHost();
    const inner = host.open('inner', { oflags: oflag.directory });
    expect(host.call('fd_renumber', inner, root)).toBe(errno.success);
    expect(host.call('fd_fdstat_get', inner, data)).toBe(errno.badf);
    host.open('made', { oflags: oflag.create });
    expect(readdirSync(join(folder.path, 'inner'))).toEqual(['made']);
  });
});

describe('a directory', () => {
  it('cannot be read, written, sought or cut as a file', () => {
    const host = new FileHost();
    host.putVectors(list, [[data, 4]]);
    expect(host.call('fd_read', root, list, 1, result)).toBe(errno.isdir);
    expect(host.call('fd_pread', root, list, 1, 0n, result)).toBe(errno.isdir);
    expect(host.call('fd_write', root, list, 1, result)).toBe(errno.badf);
    expect(host.call('fd_pwrite', root, list, 1, 0n, result)).toBe(errno.badf);
    expect(host.call('fd_seek', root, 0n, 0, result)).toBe(errno.isdir);
    expect(host.call('fd_tell', root, result)).toBe(errno.isdir);
    expect(host.call('fd_allocate', root, 0n, 1n)).toBe(errno.badf);
    expect(host.call('fd_filestat_set_size', root, 0n)).toBe(errno.inval);
    expect(host.tryOpen('.', { rights: right.read | right.write }).answer).toBe(errno.isdir);
  });

  it('can be opened again with the rights that it says it has', () => {
    const host = new FileHost();
    expect(host.call('fd_fdstat_get', root, data)).toBe(errno.success);
    expect(host.view.getUint8(data)).toBe(3);
    const base = host.u64(data + 8);
    expect(base & (right.seek | right.write | right.setSize)).toBe(0n);
    expect(host.tryOpen('.', { rights: base, oflags: oflag.directory }).answer).toBe(errno.success);
    expect(host.tryOpen('.', { rights: 0n }).answer).toBe(errno.success);
  });

  it('is listed with any buffer, the last entry cut, and goes on from each cookie', () => {
    const names = Array.from({ length: 40 }, (_, index) => `name-${index}`.padEnd(8 + index, '.'));
    for (const name of names) writeFileSync(join(folder.path, name), '');
    const host = new FileHost();
    for (const length of [24 + 48, 100, 333, 8192]) {
      const found: string[] = [];
      let cookie = 0n;
      for (;;) {
        expect(host.call('fd_readdir', root, data, length, cookie, result)).toBe(errno.success);
        const used = host.u32(result);
        let at = 0;
        while (at + 24 <= used) {
          const end = at + 24 + host.u32(data + at + 16);
          if (end > used) break;
          found.push(host.text(data + at + 24, end - at - 24));
          cookie = host.u64(data + at);
          at = end;
        }
        if (used < length) break;
        expect(at).toBeGreaterThan(0);
      }
      expect(found.slice(0, 2)).toEqual(['.', '..']);
      expect(found.slice(2).sort()).toEqual([...names].sort());
    }
    host.view.setUint8(data + 10, 77);
    expect(host.call('fd_readdir', root, data, 10, 0n, result)).toBe(errno.success);
    expect([host.u32(result), host.view.getUint8(data + 10)]).toEqual([10, 77]);
    expect(host.call('fd_readdir', root, data, 0, 0n, result)).toBe(errno.success);
    expect(host.u32(result)).toBe(0);
  });

  it('is what every path starts from: a file is ENOTDIR', () => {
    const host = new FileHost();
    const file = host.open('file', { oflags: oflag.create });
    expect(host.tryOpen('x', {}, file).answer).toBe(errno.notdir);
    expect(host.call('fd_readdir', file, data, 100, 0n, result)).toBe(errno.notdir);
    expect(host.call('path_create_directory', file, path, 1)).toBe(errno.notdir);
    expect(host.call('path_rename', root, path, 1, file, path, 1)).toBe(errno.notdir);
  });
});

describe('a file', () => {
  it('is read and written at its position, whatever the buffers', () => {
    const host = new FileHost();
    const fd = host.open('file', { oflags: oflag.create, rights: right.read | right.write });
    expect(host.write(fd, 'abc', '', 'defg')).toBe(errno.success);
    expect(host.u32(result)).toBe(7);
    expect(host.call('fd_seek', fd, -5n, 2, result)).toBe(errno.success);
    expect(host.u64(result)).toBe(2n);
    expect(host.read(fd, 1, 0, 3)).toBe('c||def');
    expect(host.call('fd_tell', fd, result)).toBe(errno.success);
    expect(host.u64(result)).toBe(6n);
    expect(host.read(fd, 10)).toBe('g');
    expect(host.read(fd, 10)).toBe('');
    expect(host.call('fd_seek', fd, -8n, 1, result)).toBe(errno.inval);
    expect(host.call('fd_seek', fd, 0n, 3, result)).toBe(errno.inval);
  });

  it('is read and written anywhere without a change of its position', () => {
    const host = new FileHost();
    const fd = host.open('file', { oflags: oflag.create, rights: right.read | right.write });
    host.putVectors(list, [
      [data, host.put(data, 'ab')],
      [data + 2, host.put(data + 2, 'cd')],
    ]);
    expect(host.call('fd_pwrite', fd, list, 2, 3n, result)).toBe(errno.success);
    expect(host.call('fd_pread', fd, list, 2, 1n, result)).toBe(errno.success);
    expect([host.u32(result), host.text(data, 4)]).toEqual([4, '\0\0ab']);
    expect(host.call('fd_pread', fd, list, 2, -1n, result)).toBe(errno.inval);
    expect(host.call('fd_tell', fd, result)).toBe(errno.success);
    expect(host.u64(result)).toBe(0n);
  });

  it('is written whole by one call, also what is longer than the file system takes at once', () => {
    const host = new FileHost();
    host.memory.grow(3);
    const fd = host.open('file', { oflags: oflag.create, rights: right.write });
    const length = 190_000;
    host.putVectors(
      list,
      Array.from({ length: 8 }, () => [data, length] as const),
    );
    expect(host.call('fd_write', fd, list, 8, 2048)).toBe(errno.success);
    expect(host.u32(2048)).toBe(8 * length);
    expect(readFileSync(join(folder.path, 'file'))).toHaveLength(8 * length);
  });

  it('is read by at most what the file system gives at once', () => {
    writeFileSync(join(folder.path, 'file'), Buffer.alloc(3 * 1024 * 1024, 'x'));
    const host = new FileHost();
    host.memory.grow(3);
    const fd = host.open('file');
    host.putVectors(
      list,
      Array.from({ length: 20 }, () => [data, 190_000] as const),
    );
    expect(host.call('fd_read', fd, list, 20, 2048)).toBe(errno.success);
    expect(host.u32(2048)).toBe(1024 * 1024);
  });

  it('that is appended to by two guests loses no record, though a record is several buffers', () => {
    const hosts = [new FileHost(), new FileHost()];
    const fds = hosts.map((host) =>
      host.open('log', { oflags: oflag.create, rights: right.write, fdflags: append }),
    );
    for (let round = 0; round < 50; round += 1) {
      for (const [index, host] of hosts.entries()) host.write(fds[index] ?? -1, `${index}`, ' line', '\n');
    }
    const lines = readFileSync(join(folder.path, 'log'), 'utf8').trimEnd().split('\n');
    expect(lines).toEqual(Array.from({ length: 50 }, () => ['0 line', '1 line']).flat());
  });

  it('keeps its flags until they are changed', () => {
    const host = new FileHost();
    const fd = host.open('file', { oflags: oflag.create, rights: right.write | right.read, fdflags: append });
    const flags = () => {
      expect(host.call('fd_fdstat_get', fd, data)).toBe(errno.success);
      return host.view.getUint16(data + 2, true);
    };
    expect(flags()).toBe(append);
    host.write(fd, 'aa');
    expect(host.call('fd_seek', fd, 0n, 0, result)).toBe(errno.success);
    host.write(fd, 'bb');
    expect(host.call('fd_fdstat_set_flags', fd, 0)).toBe(errno.success);
    expect(flags()).toBe(0);
    expect(host.call('fd_seek', fd, 0n, 0, result)).toBe(errno.success);
    host.write(fd, 'c');
    expect(readFileSync(join(folder.path, 'file'), 'utf8')).toBe('cabb');
    expect(host.call('fd_fdstat_set_flags', fd, 64)).toBe(errno.inval);
  });

  it.each([
    ['Go', 0x0fff_ffffn & ~(1n | right.write | (1n << 8n) | right.truncate)],
    ['wasi-libc', ~(1n | right.write | (1n << 8n) | right.setSize)],
    ['Rust', 0x07bf_febfn & ~(1n | right.write | (1n << 8n) | right.setSize)],
  ])(
    'of which %s asks for all rights but those to write is opened for reading, and so is a directory',
    (_, rights) => {
      writeFileSync(join(folder.path, 'file'), 'text');
      const host = new FileHost();
      const reader = host.open('file', { rights });
      expect(host.read(reader, 4)).toBe('text');
      expect(host.write(reader, 'x')).toBe(errno.badf);
      expect(host.tryOpen('.', { rights }).answer).toBe(errno.success);
    },
  );

  it('is only read or only written where it was opened so', () => {
    writeFileSync(join(folder.path, 'file'), 'text');
    const host = new FileHost();
    const reader = host.open('file', { rights: right.read });
    const writer = host.open('file', { rights: right.write });
    const neither = host.open('file', { rights: 0n });
    expect(host.read(reader, 4)).toBe('text');
    expect(host.write(reader, 'x')).toBe(errno.badf);
    expect(host.call('fd_filestat_set_size', reader, 1n)).toBe(errno.badf);
    expect(host.read(writer, 4)).toBe(`errno ${errno.badf}`);
    expect(host.write(writer, 'next')).toBe(errno.success);
    expect(host.read(neither, 4)).toBe(`errno ${errno.badf}`);
    expect(host.write(neither, 'x')).toBe(errno.badf);
    expect(host.call('fd_filestat_get', neither, stat)).toBe(errno.success);
    expect(readFileSync(join(folder.path, 'file'), 'utf8')).toBe('next');
  });

  it('is cut at its opening without a right to write, unless its directory has given that up', () => {
    writeFileSync(join(folder.path, 'file'), 'text');
    const host = new FileHost();
    host.open('file', { oflags: oflag.truncate, rights: 0n });
    expect(readFileSync(join(folder.path, 'file'), 'utf8')).toBe('');
    expect(host.call('fd_fdstat_get', root, data)).toBe(errno.success);
    const [base, inheriting] = [host.u64(data + 8), host.u64(data + 16)];
    expect(host.call('fd_fdstat_set_rights', root, base & ~right.truncate, inheriting & ~right.write)).toBe(
      0,
    );
    expect(host.tryOpen('file', { oflags: oflag.truncate }).answer).toBe(errno.notcapable);
    expect(host.tryOpen('file', { rights: right.write }).answer).toBe(errno.notcapable);
    expect(host.tryOpen('file', {}).answer).toBe(errno.success);
  });

  it('takes the number of another that it is renumbered to, which is closed', () => {
    writeFileSync(join(folder.path, 'one'), 'one');
    writeFileSync(join(folder.path, 'two'), 'two');
    const host = new FileHost();
    const [one, two] = [host.open('one'), host.open('two')];
    expect(host.call('fd_renumber', one, two)).toBe(errno.success);
    expect(host.read(two, 10)).toBe('one');
    expect(host.call('fd_close', one)).toBe(errno.badf);
    expect(host.call('fd_renumber', two, one)).toBe(errno.badf);
    expect(host.call('fd_renumber', two, two)).toBe(errno.success);
    expect(host.open('two')).toBe(one);
  });

  it('can stand in the place of standard output', () => {
    const host = new FileHost();
    const fd = host.open('out', { oflags: oflag.create, rights: right.write });
    expect(host.call('fd_renumber', fd, 1)).toBe(errno.success);
    expect(host.write(1, 'to the file')).toBe(errno.success);
    expect(readFileSync(join(folder.path, 'out'), 'utf8')).toBe('to the file');
    expect(host.chunks).toEqual([]);
  });

  it('is ready in poll_oneoff, with what is left of it', () => {
    writeFileSync(join(folder.path, 'file'), 'text');
    const host = new FileHost();
    const fd = host.open('file');
    host.read(fd, 1);
    host.view.setUint8(8, 1);
    host.view.setUint32(16, fd, true);
    expect(host.call('poll_oneoff', 0, data, 1, result)).toBe(errno.success);
    expect([host.u32(result), host.u64(data + 16)]).toEqual([1, 3n]);
  });
});

describe('path_open', () => {
  it('answers with what POSIX says', () => {
    mkdirSync(join(folder.path, 'directory'));
    writeFileSync(join(folder.path, 'file'), '');
    symlinkSync('file', join(folder.path, 'link'));
    const host = new FileHost();
    const cases: [string, OpenFlags, number][] = [
      ['missing', {}, errno.noent],
      ['', {}, errno.noent],
      ['file/x', {}, errno.notdir],
      ['file', { oflags: oflag.directory }, errno.notdir],
      ['file', { oflags: oflag.create | oflag.exclusive }, errno.exist],
      ['directory', { rights: right.write }, errno.isdir],
      ['link', {}, errno.loop],
      ['link', { lookup: 1 }, errno.success],
      ['../outside', {}, errno.perm],
      ['/etc/passwd', {}, errno.perm],
      ['a'.repeat(300), {}, errno.nametoolong],
      ['file', { lookup: 2 }, errno.inval],
      ['file', { oflags: 16 }, errno.inval],
      ['file', { fdflags: 32 }, errno.inval],
    ];
    expect(cases.map(([name, flags]) => [name, host.tryOpen(name, flags).answer])).toEqual(
      cases.map(([name, , answer]) => [name, answer]),
    );
  });

  it('of a path longer than a system has is ENAMETOOLONG', () => {
    const host = new FileHost();
    expect(host.call('path_open', root, 0, 0, 5000, 0, 0n, 0n, 0, result)).toBe(errno.nametoolong);
  });

  it('whose result cannot be written opens nothing, and makes no file', () => {
    const host = new FileHost();
    const length = host.put(path, 'made');
    const answer = host.call('path_open', root, 0, path, length, oflag.create, right.write, 0n, 0, -1);
    expect(answer).toBe(errno.fault);
    expect(readdirSync(folder.path)).toEqual([]);
    expect(host.open('.')).toBe(root + 1);
  });

  it('is EMFILE when the guest has all the files that it may have, and goes on when it closes one', () => {
    const host = new FileHost();
    writeFileSync(join(folder.path, 'file'), '');
    let last = { answer: 0, fd: -1 };
    let count = 0;
    for (; last.answer === 0; count += 1) last = host.tryOpen('file', {});
    expect([last.answer, count - 1]).toEqual([errno.mfile, maxOpenFiles]);
    expect(host.call('fd_close', 500)).toBe(errno.success);
    expect(host.open('file')).toBe(500);
  });
});

describe('a path', () => {
  it('is made, moved, linked, read and removed', () => {
    const host = new FileHost();
    expect(host.at('d', 'path_create_directory')).toBe(errno.success);
    expect(host.at('d', 'path_create_directory')).toBe(errno.exist);
    host.open('d/file', { oflags: oflag.create });
    expect(host.at('d', 'path_unlink_file')).toBe(errno.isdir);
    expect(host.at('d', 'path_remove_directory')).toBe(errno.notempty);
    const moved = host.put(otherPath, 'moved');
    expect(host.at('d/file', 'path_rename', root, otherPath, moved)).toBe(errno.success);
    expect(host.at('d', 'path_remove_directory')).toBe(errno.success);
    expect(host.at('d', 'path_remove_directory')).toBe(errno.noent);
    host.put(path, 'moved');
    const linked = host.put(otherPath, 'linked');
    expect(host.call('path_link', root, 0, path, 5, root, otherPath, linked)).toBe(errno.success);
    const target = host.put(path, 'linked');
    const link = host.put(otherPath, 'link');
    expect(host.call('path_symlink', path, target, root, otherPath, link)).toBe(errno.success);
    expect(host.at('link', 'path_readlink', data, 100, result)).toBe(errno.success);
    expect(host.text(data, host.u32(result))).toBe('linked');
    expect(host.at('link', 'path_readlink', data, 4, result)).toBe(errno.success);
    expect([host.u32(result), host.text(data, 4)]).toEqual([4, 'link']);
    expect(host.at('moved', 'path_readlink', data, 4, result)).toBe(errno.inval);
    expect(host.at('link', 'path_unlink_file')).toBe(errno.success);
    expect(readdirSync(folder.path).sort()).toEqual(['linked', 'moved']);
  });

  it('has times that are set as they are given', () => {
    writeFileSync(join(folder.path, 'file'), 'text');
    const host = new FileHost();
    const length = host.put(path, 'file');
    const times = () => {
      expect(host.call('path_filestat_get', root, 0, path, length, stat)).toBe(errno.success);
      return [host.u64(stat + 40), host.u64(stat + 48)];
    };
    const set = (flags: number) =>
      host.call('path_filestat_set_times', root, 0, path, length, 1_600_000_000_500_000_000n, 2_000n, flags);
    expect(set(1 | 4)).toBe(errno.success);
    expect(times()).toEqual([1_600_000_000_500_000_000n, 2_000n]);
    const before = BigInt(Date.now()) * 1_000_000n;
    expect(set(8)).toBe(errno.success);
    expect(times()[0]).toBe(1_600_000_000_500_000_000n);
    expect(times()[1]).toBeGreaterThan(before - 1_000_000_000n);
    for (const flags of [1 | 2, 4 | 8, 16]) expect(set(flags)).toBe(errno.inval);
    const fd = host.open('file');
    expect(host.call('fd_filestat_set_times', fd, 3_000n, 4_000n, 1 | 4)).toBe(errno.success);
    expect(times()).toEqual([3_000n, 4_000n]);
    expect(host.call('fd_filestat_set_times', 1, 3_000n, 4_000n, 1 | 4)).toBe(errno.inval);
  });
});

describe('the first version of the interface', () => {
  it('counts from the position, the end and the start, in this order', () => {
    writeFileSync(join(folder.path, 'file'), 'abcdef');
    const host = new FileHost({ module: 'wasi_unstable' });
    const fd = host.open('file');
    const seek = (offset: bigint, whence: number) => {
      expect(host.call('fd_seek', fd, offset, whence, result)).toBe(errno.success);
      return host.u64(result);
    };
    expect([seek(4n, 2), seek(-1n, 0), seek(-2n, 1)]).toEqual([4n, 3n, 4n]);
  });

  it('tells of a file in 56 bytes, with 32 bits for the links', () => {
    writeFileSync(join(folder.path, 'file'), 'abcdef');
    const host = new FileHost({ module: 'wasi_unstable' });
    const length = host.put(path, 'file');
    host.view.setBigUint64(stat + 56, 77n, true);
    expect(host.call('path_filestat_get', root, 0, path, length, stat)).toBe(errno.success);
    const modern = new FileHost();
    modern.put(path, 'file');
    expect(modern.call('path_filestat_get', root, 0, path, length, stat)).toBe(errno.success);
    expect([host.u64(stat), host.u64(stat + 8)]).toEqual([modern.u64(stat), modern.u64(stat + 8)]);
    expect([host.view.getUint8(stat + 16), host.u32(stat + 20), host.u64(stat + 24)]).toEqual([4, 1, 6n]);
    expect([modern.view.getUint8(stat + 16), modern.u64(stat + 24), modern.u64(stat + 32)]).toEqual([
      4,
      1n,
      6n,
    ]);
    for (const [old, now] of [
      [32, 40],
      [40, 48],
      [48, 56],
    ] as const) {
      expect(host.u64(stat + old)).toBe(modern.u64(stat + now));
    }
    expect(host.u64(stat + 56)).toBe(77n);
  });
});
