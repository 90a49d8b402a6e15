import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HostFolders } from '../../src/runtimes/host-folders.ts';
import { describeWhere, root } from '../support/needs.ts';

const execute = promisify(execFile);

let folder: string;
let folders: HostFolders;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spear-folders-'));
  await mkdir(join(folder, 'node/data/run'), { recursive: true });
  await mkdir(join(folder, 'node/else'));
  await mkdir(join(folder, 'sockets'));
  await writeFile(join(folder, 'sockets/engine.sock'), '');
  await mkdir(join(folder, 'free'));
  await symlink(join(folder, 'node/data'), join(folder, 'link'));
  await symlink(join(folder, 'node'), join(folder, 'above'));
  folders = new HostFolders([
    { path: join(folder, 'link'), what: 'the data' },
    { path: join(folder, 'sockets/engine.sock'), what: 'the socket' },
    { path: join(folder, 'later/secrets'), what: 'the secrets' },
  ]);
});
afterAll(() => rm(folder, { recursive: true }));

const given = (path: string) => folders.refusal({ '/data': path })?.reason.replace(folder, '');

describe('a host folder', () => {
  it.each([
    ['node/data', 'is in the data'],
    ['node/data/run', 'is in the data'],
    ['link', 'is in the data'],
    ['link/run', 'is in the data'],
    ['node', 'has the data in it'],
    ['above', 'has the data in it'],
    ['', 'has the data in it'],
    ['sockets', 'has the socket in it'],
    ['sockets/engine.sock', 'is in the socket'],
  ])('%j is refused: it %s', (path, why) => {
    expect(given(join(folder, path))).toMatch(new RegExp(`^the host folder .* ${why}$`));
  });

  it.each(['free', 'node/else', 'missing'])('%s may be given', (path) => {
    expect(given(join(folder, path))).toBeUndefined();
  });

  it('that becomes one that is refused is refused from then on', async () => {
    const path = join(folder, 'free/inner');
    await mkdir(path);
    expect(given(path)).toBeUndefined();
    await rename(path, `${path}-away`);
    await symlink(join(folder, 'node/data/run'), path);
    expect(given(path)).toContain('is in the data');
  });

  it('in which a guarded one is made later is refused as soon as it is there, and above it before', async () => {
    const path = join(folder, 'later');
    await mkdir(path);
    expect(given(path)).toContain('has the secrets in it');
    await mkdir(join(path, 'secrets'));
    expect(given(join(path, 'secrets'))).toContain('is in the secrets');
  });
});

describeWhere([root()], 'a host folder in which another is mounted', () => {
  it.each([
    ['node/data', 'is in the data'],
    ['node', 'has the data in it'],
  ])('is refused where that is %s', async (source, why) => {
    const outer = await mkdtemp(join(folder, 'free/mounted-'));
    const place = join(outer, 'deep');
    await mkdir(place);
    await execute('mount', ['--bind', join(folder, source), place]);
    try {
      expect(given(place)).toContain(why);
      expect(given(outer)).toContain('has the data in it');
    } finally {
      await execute('umount', [place]);
    }
  });
});
