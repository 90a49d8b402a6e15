import { createHash } from 'node:crypto';
import { readdir, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openArtifacts } from '../../src/stores/artifacts.ts';
import { temporaryFolder } from './folder.ts';
import { bytesOf } from './samples.ts';

const bytes = bytesOf(100_000);
const sha256 = createHash('sha256').update(bytes).digest('hex');

test('what was put is loaded by its digest, also through another opening', async () => {
  const dir = join(await temporaryFolder(), 'deep', 'blobs');
  const artifacts = await openArtifacts(dir);
  expect(await artifacts.has(sha256)).toBe(false);
  expect(await artifacts.put(bytes)).toEqual({ sha256, sizeBytes: 100_000 });
  expect(await artifacts.has(sha256)).toBe(true);
  const again = await openArtifacts(dir);
  expect(Buffer.compare(await again.load(sha256), bytes)).toBe(0);
});

test('a view into a larger buffer is put as what it shows', async () => {
  const artifacts = await openArtifacts(await temporaryFolder());
  const around = new Uint8Array(bytes.byteLength + 20);
  around.set(bytes, 10);
  expect((await artifacts.put(around.subarray(10, -10))).sha256).toBe(sha256);
});

test('equal bytes share one file, put at once or one after the other', async () => {
  const dir = await temporaryFolder();
  const artifacts = await openArtifacts(dir);
  await Promise.all([artifacts.put(bytes), artifacts.put(bytes), artifacts.put(bytes)]);
  await artifacts.put(bytes);
  expect(await readdir(dir)).toEqual([sha256]);
});

test('a missing artifact is refused by name', async () => {
  const artifacts = await openArtifacts(await temporaryFolder());
  const loading = artifacts.load(sha256);
  await expect(loading).rejects.toMatchObject({ name: 'ArtifactError' });
  await expect(loading).rejects.toThrow(new RegExp(`${sha256} is missing`));
});

test('a damaged artifact is refused, and putting it again repairs it', async () => {
  const dir = await temporaryFolder();
  const artifacts = await openArtifacts(dir);
  await artifacts.put(bytes);
  for (const damaged of [bytesOf(100_000, 1), bytesOf(3)]) {
    await writeFile(join(dir, sha256), damaged);
    await expect(artifacts.load(sha256)).rejects.toThrow(/damaged/);
    await artifacts.put(bytes);
    expect(Buffer.compare(await artifacts.load(sha256), bytes)).toBe(0);
  }
});

test('a name that is no digest never reaches the file system', async () => {
  const dir = await temporaryFolder();
  const artifacts = await openArtifacts(join(dir, 'blobs'));
  await writeFile(join(dir, 'secret'), 'secret');
  expect(await artifacts.has('../secret')).toBe(false);
  await expect(artifacts.load('../secret')).rejects.toMatchObject({ name: 'ArtifactError' });
});

test('what a crash left half-written is gone after the next opening', async () => {
  const dir = await temporaryFolder();
  await writeFile(join(dir, `${sha256}.crashed.tmp`), bytesOf(5));
  await openArtifacts(dir);
  expect(await readdir(dir)).toEqual([]);
});

test('a folder that cannot be made or has gone is a StoreError', async () => {
  const dir = await temporaryFolder();
  await writeFile(join(dir, 'file'), '');
  await expect(openArtifacts(join(dir, 'file', 'blobs'))).rejects.toMatchObject({ name: 'StoreError' });
  const artifacts = await openArtifacts(join(dir, 'blobs'));
  await artifacts.put(bytes);
  await unlink(join(dir, 'blobs', sha256));
  expect(await artifacts.has(sha256)).toBe(false);
});
