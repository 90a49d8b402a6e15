/**
 * The program as the package ships it, for tests that start servers and commands: what users run, and a start takes a
 * fifth of what it takes from the sources.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { buildProgram } from '../../scripts/program.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const sources = [
  'src', 'bin', 'scripts/program.ts', 'scripts/transpiler-package.ts',
  'package.json', 'tsconfig.json', 'tsconfig.build.json',
]; // biome-ignore format: a list of words
/** Beside the packages that it needs, where npm would install it. */
const place = join(root, 'node_modules');
const prefix = '.spear-';
/** As long as another run may be at work with one of other sources. */
const keptMs = 3_600_000;

/** Vitest's global setup. */
export async function setup(project: TestProject): Promise<void> {
  await make();
  project.onTestsRerun(make);
}

/** Leaves it as it is where it is of these sources already. */
async function make(): Promise<void> {
  const folder = join(place, prefix + (await digestOfSources()));
  process.env.SPEAR_TEST_PROGRAM = folder;
  if (existsSync(folder)) {
    const now = new Date();
    await utimes(folder, now, now);
    return;
  }
  const unfinished = join(place, `.making${prefix}${process.pid}`);
  // Of one that did not build.
  await rm(unfinished, { recursive: true, force: true });
  await buildProgram(join(unfinished, 'dist'));
  await mkdir(join(unfinished, 'bin'));
  for (const name of ['bin/spear', 'package.json']) await copyFile(join(root, name), join(unfinished, name));
  await removeOld();
  await rename(unfinished, folder);
}

async function removeOld(): Promise<void> {
  for (const name of await readdir(place)) {
    if (!name.startsWith(prefix)) continue;
    const made = join(place, name);
    // Another run may remove them, too.
    const found = await stat(made).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > keptMs)
      await rm(made, { recursive: true, force: true });
  }
}

async function digestOfSources(): Promise<string> {
  const names = await Promise.all(
    sources.map(async (name) => {
      if (/\.\w+$/.test(name)) return [name];
      const found = await readdir(join(root, name), { recursive: true, withFileTypes: true });
      return found
        .filter((entry) => entry.isFile())
        .map((entry) => relative(root, join(entry.parentPath, entry.name)));
    }),
  );
  const hash = createHash('sha256');
  for (const name of names.flat().sort()) hash.update(`${name}\0`).update(await readFile(join(root, name)));
  return hash.digest('hex').slice(0, 16);
}
