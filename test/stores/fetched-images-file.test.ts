import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openFetchedImages } from '../../src/stores/fetched-images-file.ts';

let dataDir: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'spear-images-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

const file = () => join(dataDir, 'images.json');

it('gives an image to those alone who had it fetched, and to all one that was there before', async () => {
  const images = await openFetchedImages(dataDir);
  expect(images.isFor('shop', 'a')).toBe(true);
  await Promise.all([images.note('shop', 'a', false), images.note('shop', 'b', true)]);
  for (const known of [images, await openFetchedImages(dataDir)]) {
    expect([known.isFor('shop', 'a'), known.isFor('other', 'a')]).toEqual([true, false]);
    expect(known.isFor('other', 'b')).toBe(true);
  }
  await images.note('other', 'a', true);
  const later = await openFetchedImages(dataDir);
  expect([later.isFor('shop', 'a'), later.isFor('other', 'a'), later.isFor('third', 'a')]).toEqual([
    true,
    true,
    false,
  ]);
  expect(statSync(file()).mode & 0o777).toBe(0o600);
  expect(readFileSync(file(), 'utf8')).toContain('"version":1');
});

it('is not started without what it knew', async () => {
  for (const text of ['', '{', '{"version":2,"images":{}}', '{"version":1,"images":{"a":"shop"}}']) {
    writeFileSync(file(), text);
    await expect(openFetchedImages(dataDir)).rejects.toThrow(`cannot use ${file()}`);
  }
});
