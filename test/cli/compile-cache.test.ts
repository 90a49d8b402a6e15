/** `bin/spear` keeps what Node has compiled, for the next command of the same user. */
import { chown, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { describeWhere, root } from '../support/needs.ts';
import { start } from './spear.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'spear-home-'));
});
afterEach(() => rm(home, { recursive: true }));

async function versionWith(env: Readonly<Record<string, string>>): Promise<void> {
  const { code, stderr } = await start(['--version'], { env: { NODE_COMPILE_CACHE: '', ...env } }).ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
}

test('it is in the cache folder of the user', async () => {
  await versionWith({ HOME: home });
  expect(await readdir(join(home, '.cache/spear'))).not.toEqual([]);
});

test('it is where the user has caches', async () => {
  await versionWith({ HOME: '/', XDG_CACHE_HOME: home });
  expect(await readdir(join(home, 'spear'))).not.toEqual([]);
});

test('it stays where Node was told to keep it', async () => {
  await versionWith({ HOME: home, NODE_COMPILE_CACHE: join(home, 'mine') });
  expect(await readdir(home)).toEqual(['mine']);
});

test('a user without a home goes without', async () => {
  await versionWith({ HOME: join(home, 'nowhere') });
  await versionWith({ HOME: '' });
  expect(await readdir(home)).toEqual([]);
});

describeWhere([root()], 'the home of another user', () => {
  test('is not used: its owner could put code there', async () => {
    await chown(home, 65534, 65534);
    await versionWith({ HOME: home });
    expect(await readdir(home)).toEqual([]);
  });
});
