import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../../src/actors/time/system-clock.ts';
import { Scratch } from '../../../src/runtimes/containment/folders/scratch.ts';
import { describeWhere, root } from '../../support/needs.ts';

const bytes = 16 * 1024 * 1024;
const owner = { uid: 0, gid: 0, groups: [] };

describeWhere([root()], 'the file system that an instance has had', () => {
  let parent: string;
  let scratch: Scratch;

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'spear-scratch-'));
    scratch = new Scratch(join(parent, 'node'), systemClock);
    scratch.make([]);
    expect(await scratch.bound(bytes)).toEqual(expect.any(String));
  });

  afterEach(async () => {
    await scratch.close();
    for (const path of mounted().reverse()) execFileSync('umount', ['-l', path]);
    await rm(parent, { recursive: true });
  });

  /** What is mounted below it, outermost first. */
  const mounted = (): string[] =>
    readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '')
      .filter((path) => path.startsWith(parent))
      .sort();

  it('is used again by the next, with nothing in it', async () => {
    const first = await scratch.takeFolder(owner);
    writeFileSync(join(first.path, 'file'), 'data');
    expect(await scratch.putBack(first)).toBe(true);
    const second = await scratch.takeFolder(owner);
    expect(dirname(second.path)).toBe(dirname(first.path));
    expect(second.path).not.toBe(first.path);
  });

  it('is removed at once where it was left nearly full: to empty it takes room', async () => {
    const first = await scratch.takeFolder(owner);
    const fill = 'head -c 100000000 /dev/zero >"$1" 2>&-; truncate -s -65536 "$1"';
    execFileSync('/bin/sh', ['-c', fill, 'sh', join(first.path, 'file')]);
    const before = mounted();
    expect(await scratch.putBack(first)).toBe(true);
    expect(before.filter((path) => !mounted().includes(path))).toEqual([dirname(first.path)]);
    expect(dirname((await scratch.takeFolder(owner)).path)).not.toBe(dirname(first.path));
  });

  it('is removed where a file without a name is still open', async () => {
    const first = await scratch.takeFolder(owner);
    const path = join(first.path, 'file');
    const descriptor = openSync(path, 'w');
    try {
      unlinkSync(path);
      expect(await scratch.putBack(first)).toBe(true);
      expect(mounted()).not.toContain(dirname(first.path));
      expect(dirname((await scratch.takeFolder(owner)).path)).not.toBe(dirname(first.path));
    } finally {
      closeSync(descriptor);
    }
  });

  it('gives way to a new one where nothing can be written to it', async () => {
    const first = await scratch.takeFolder(owner);
    const volume = dirname(first.path);
    expect(await scratch.putBack(first)).toBe(true);
    execFileSync('mount', ['-o', 'remount,ro', volume]);
    const second = await scratch.takeFolder(owner);
    expect(dirname(second.path)).not.toBe(volume);
    expect(mounted()).not.toContain(volume);
    rmSync(second.path, { recursive: true });
  });
});
