/** Fails where `src/visualizer/gen` is not what `npm run build:page` makes of the page now, or is too large. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { buildPage } from './build-page.ts';

const committed = 'src/visualizer/gen';
const mostBytes = 150 * 1024;

const fresh = await mkdtemp(join(tmpdir(), 'spear-page-'));
try {
  await buildPage(fresh);
  const [before, now] = await Promise.all([filesOf(committed), filesOf(fresh)]);
  const names = new Set([...before.keys(), ...now.keys()]);
  const stale = [...names].filter((name) => before.get(name) !== now.get(name));
  if (stale.length > 0) {
    console.error(`run \`npm run build:page\`: not current are ${stale.join(', ')}`);
    process.exitCode = 1;
  }
  const size = [...now.values()].reduce((sum, text) => sum + gzipSync(text).length, 0);
  if (size > mostBytes) {
    console.error(`the page is ${size} bytes gzipped; at most ${mostBytes} are allowed`);
    process.exitCode = 1;
  }
} finally {
  await rm(fresh, { recursive: true, force: true });
}

async function filesOf(folder: string): Promise<Map<string, string>> {
  const names = await readdir(folder);
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  return new Map(names.map((name, index) => [name, texts[index] ?? '']));
}
