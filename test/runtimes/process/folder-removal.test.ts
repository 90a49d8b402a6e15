import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { removeFolder } from '../../../src/runtimes/containment/folders/folder-removal.ts';
import { root } from '../../support/needs.ts';

let home: string;
let folder: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'spear-removal-'));
  folder = join(home, 'run-1');
  mkdirSync(folder);
});

afterEach(() => rm(home, { recursive: true, force: true }));

describe('the removal of a folder', () => {
  it('takes with it what its user has closed', () => {
    mkdirSync(join(folder, 'a/b/c'), { recursive: true });
    writeFileSync(join(folder, 'a/b/c/file'), 'x');
    for (const path of ['a/b/c', 'a/b', 'a', '']) chmodSync(join(folder, path), 0);
    removeFolder(folder);
    expect(existsSync(folder)).toBe(false);
  });

  it('takes with it what belongs to others', (context) => {
    const missing = root();
    if (missing !== '') context.skip(missing);
    mkdirSync(join(folder, 'planted/inner'), { recursive: true });
    writeFileSync(join(folder, 'planted/inner/file'), 'x');
    for (const path of ['planted/inner/file', 'planted/inner', 'planted'])
      chownSync(join(folder, path), 61_999, 61_999);
    chownSync(folder, 61_998, 61_998);
    removeFolder(folder);
    expect(existsSync(folder)).toBe(false);
  });

  it('follows no link out of it', () => {
    const outside = join(home, 'outside');
    mkdirSync(outside, { mode: 0o755 });
    writeFileSync(join(outside, 'kept'), 'x');
    symlinkSync(outside, join(folder, 'link'));
    mkdirSync(join(folder, 'deeper'));
    symlinkSync(outside, join(folder, 'deeper/link'));
    removeFolder(folder);
    expect(readdirSync(outside)).toEqual(['kept']);
  });

  it('refuses a link in place of the folder', () => {
    const outside = join(home, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'kept'), 'x');
    const link = join(home, 'run-2');
    symlinkSync(outside, link);
    expect(() => removeFolder(link)).toThrow(/ENOTDIR|ELOOP/);
    expect(readdirSync(outside)).toEqual(['kept']);
  });

  it('needs no more descriptors for a folder that is deeper than a path can be long', () => {
    // Step by step: it has no name for where it ends.
    const goDown = "for (let i = 0; i < 1000; i++) { fs.mkdirSync('deep'); process.chdir('deep'); }";
    execFileSync(process.execPath, ['-e', goDown], { cwd: folder });
    removeFolder(folder);
    expect(existsSync(folder)).toBe(false);
  });

  it('knows names that are not text', () => {
    execFileSync(
      '/bin/sh',
      ['-c', 'mkdir "$(printf \'a\\377b\')" && : >"$(printf \'a\\377b/\\376\')" && : >-rf'],
      {
        cwd: folder,
      },
    );
    removeFolder(folder);
    expect(existsSync(folder)).toBe(false);
  });
});
