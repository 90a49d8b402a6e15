import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Durations } from '../../src/domain/durations.ts';
import { readDurations, writeDurations } from '../../src/stores/durations-file.ts';

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'spear-durations-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

test('what was learned is there after a restart, without what nobody uses', async () => {
  const dataDir = await folder();
  const durations = new Durations();
  for (let n = 0; n < 1500; n++) durations.learn(`task_1/1#f${n}`, n + 0.123_456);
  for (let ms = 1; ms <= 30; ms++) durations.learn('task_2/1#', ms);
  await writeDurations(dataDir, durations.stored());
  const again = new Durations(await readDurations(dataDir));
  expect(again.left('task_1/1#f1499', 0)).toBe(1499.123);
  expect(again.left('task_1/1#f499', 0)).toBe(5000);
  // The last twenty of them are 11 to 30.
  expect(again.left('task_2/1#', 0)).toBe(21);
  expect(await readdir(dataDir)).toEqual(['durations.json']);
});

test('there is nothing to read on the first start', async () => {
  expect(await readDurations(await folder())).toEqual([]);
});

test.for([
  '',
  'null',
  '[]',
  '{"version":2,"durations":[]}',
  '{"version":1,"durations":[["a"]]}',
  '{"version":1,"durations":[["a",[-1]]]}',
  '{"version":1,"durations":[["a",["1"]]]}',
  '{"version":1,"durations":{}}',
])('a file with %j is refused', async (text) => {
  const dataDir = await folder();
  await writeFile(join(dataDir, 'durations.json'), text);
  await expect(readDurations(dataDir)).rejects.toThrow(/JSON|durations\.json is not of version 1/);
});
