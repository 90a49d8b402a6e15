import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bytes, errnoOf, Folder, holds, names } from './folder.ts';

describe.each(holds)('a listing of a folder held %s', (_, hold) => {
  let folder: Folder;
  beforeEach(() => {
    folder = new Folder({ hold });
  });
  afterEach(() => folder.remove());

  function path(name: Uint8Array): Buffer {
    return Buffer.concat([Buffer.from(`${folder.path}/`), name]);
  }

  it('has every name, whatever its bytes, and each can be opened', () => {
    const odd = [
      Buffer.from([0xff, 0xfe]),
      Buffer.from('a\\b'),
      Buffer.from('new\nline'),
      Buffer.from([0x61, 0xc3]),
      Buffer.from('é'),
      Buffer.from([...Array(255).keys()].map((index) => (index === 46 ? 1 : index + 1))),
    ].map((name) => name.map((byte) => (byte === 0x2f ? 0x30 : byte)));
    for (const name of odd) writeFileSync(path(name), name);
    const listed = [...folder.root.entries(0n)].slice(2);
    expect(new Set(listed.map(({ name }) => Buffer.from(name).toString('hex')))).toEqual(
      new Set(odd.map((name) => Buffer.from(name).toString('hex'))),
    );
    for (const { name, inode } of listed) {
      const file = folder.root.open(name, { read: true });
      expect(file.stat().inode).toBe(inode);
      const content = Buffer.alloc(300);
      if (file.kind !== 'file') throw new Error('a directory');
      expect(content.subarray(0, file.read(content)).equals(name)).toBe(true);
      file.close();
    }
  });

  it('makes names of any bytes', () => {
    const name = Buffer.from([0x61, 0xff, 0x5c]);
    folder.root.makeDirectory(name);
    folder.root.symlink(name, Buffer.from([0xfe]));
    expect([...folder.root.readlink(Buffer.from([0xfe]))]).toEqual([...name]);
    expect(folder.root.statAt(Buffer.from([0xfe]), true).type).toBe('directory');
  });

  it('goes on from any cookie, once more from the start, and ends', () => {
    for (let number = 0; number < 300; number += 1) writeFileSync(join(folder.path, `file${number}`), '');
    const all = [...folder.root.entries(0n)];
    expect(all.map(({ next }) => next)).toEqual(all.map((_entry, index) => BigInt(index + 1)));
    expect(new Set(names(folder.root)).size).toBe(302);
    for (const cookie of [0, 1, 2, 3, 150, 151, 149, 301, 302, 301, 400]) {
      const rest = [...folder.root.entries(BigInt(cookie))];
      expect(rest.map(({ name }) => Buffer.from(name).toString())).toEqual(
        all.slice(cookie).map(({ name }) => Buffer.from(name).toString()),
      );
    }
  });

  it('leaves out nothing that is still there when others are removed on the way', () => {
    for (let number = 0; number < 500; number += 1) writeFileSync(join(folder.path, `file${number}`), '');
    let cookie = 0n;
    let removed = 0;
    for (;;) {
      let entries = 0;
      for (const { name, next } of folder.root.entries(cookie)) {
        // As a guest does whose buffer is full: the last entry is asked for again.
        if (entries === 7) break;
        entries += 1;
        cookie = next;
        const text = Buffer.from(name).toString();
        if (text === '.' || text === '..') continue;
        folder.root.unlink(name);
        removed += 1;
      }
      if (entries === 0) break;
    }
    expect(removed).toBe(500);
    expect(names(folder.root)).toEqual(['.', '..']);
  });

  it('tells the type of each entry, and nothing of what is above', () => {
    mkdirSync(join(folder.path, 'dir'));
    folder.write('file', '');
    folder.root.symlink(bytes('file'), bytes('link'));
    const types = new Map(
      [...folder.root.entries(0n)].map(({ name, type }) => [Buffer.from(name).toString(), type]),
    );
    expect(Object.fromEntries(types)).toEqual({
      '.': 'directory',
      '..': 'directory',
      dir: 'directory',
      file: 'regular-file',
      link: 'symbolic-link',
    });
    const inode = folder.root.stat().inode;
    expect([...folder.root.entries(0n)].slice(0, 2).map((entry) => entry.inode)).toEqual([inode, inode]);
  });

  it('sees what was added once it starts anew', () => {
    folder.write('one', '');
    expect(names(folder.root)).toHaveLength(3);
    folder.write('two', '');
    expect(names(folder.root)).toHaveLength(4);
    expect(errnoOf(() => folder.root.unlink(bytes('one')))).toBe('');
    expect(names(folder.root)).toEqual(['.', '..', 'two']);
  });
});
