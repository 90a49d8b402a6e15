/** What a unit test may import, and that those that have to be unit tests are. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import {
  chainToStarter,
  importsOfFiles,
  leftOut,
  testFiles,
  unitFolders,
} from '../../scripts/test-projects.ts';

/** Files that import what is said of them, and nothing else. */
function project(files: Readonly<Record<string, readonly string[]>>) {
  return (file: string) => files[file] ?? [];
}

describe('a test is no unit test', () => {
  test.each([
    'node:child_process',
    'playwright-core',
    'dockerode',
    'vite',
    '@bytecodealliance/jco-transpile/wasm-tools',
  ])('that imports %s', (starter) => {
    expect(chainToStarter('test/a.test.ts', project({ 'test/a.test.ts': ['vitest', starter] }))).toEqual([
      'test/a.test.ts',
      starter,
    ]);
  });

  test('that imports what imports what starts a process, and the chain says how', () => {
    const files = project({
      'test/deep/a.test.ts': ['../b.ts', '../c.ts'],
      'test/b.ts': ['./deep/a.test.ts', 'node:fs'],
      'test/c.ts': ['../src/d.ts'],
      'src/d.ts': ['node:child_process'],
    });
    expect(chainToStarter('test/deep/a.test.ts', files)).toEqual([
      'test/deep/a.test.ts',
      'test/c.ts',
      'src/d.ts',
      'node:child_process',
    ]);
  });
});

test('a test that starts nothing is a unit test, although it imports in a circle', () => {
  const files = project({
    'a.test.ts': ['./b.ts', 'node:worker_threads'],
    'b.ts': ['./a.test.ts', 'vitest'],
  });
  expect(chainToStarter('a.test.ts', files)).toEqual([]);
});

test('imports are found in the files of this project, and those of types alone are not counted', () => {
  const importsOf = importsOfFiles();
  expect(importsOf('test/support/needs.ts')).toContain('node:child_process');
  expect(importsOf('src/node/core.ts').length).toBeGreaterThan(10);
  // It names the page's type, and starts no browser.
  expect(importsOf('test/support/slow-page.ts')).toEqual([]);
  expect(chainToStarter('test/support/server.ts', importsOf)).not.toEqual([]);
});

test('each test of the folders of unit tests is one', () => {
  const { all } = testFiles();
  const importsOf = importsOfFiles();
  for (const folder of unitFolders) {
    const files = all.filter((file) => file.startsWith(`${folder}/`));
    expect(files, folder).not.toEqual([]);
    expect(files.map((file) => chainToStarter(file, importsOf)).filter((chain) => chain.length > 0)).toEqual(
      [],
    );
  }
});

test('each test is of one of the projects', () => {
  const { all, unit } = testFiles();
  expect(unit.length).toBeGreaterThan(100);
  expect(unit.filter((file) => !all.includes(file))).toEqual([]);
  expect(all).toContain('test/crash/crash.test.ts');
  expect(unit).not.toContain('test/crash/crash.test.ts');
});

test('what a run leaves to another is a file of tests, and nothing where nothing is said', () => {
  const all = ['test/a.test.ts', 'test/b.test.ts', 'test/c.test.ts'];
  expect(leftOut(undefined, all)).toEqual([]);
  expect(leftOut('test/c.test.ts  test/a.test.ts', all)).toEqual(['test/c.test.ts', 'test/a.test.ts']);
  expect(() => leftOut('test/a.test.ts test/d.test.ts', all)).toThrow('test/d.test.ts is no file of tests');
});

test('what CI leaves out of its first run, a later step runs', async () => {
  const steps = await readFile('.ci/run', 'utf8');
  const files = leftOut(/SPEAR_TESTS_LEFT_OUT='([^']+)'/.exec(steps)?.[1], testFiles().all);
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) expect(steps).toContain(`npm test -- ${file} `);
  // It would reach no project.
  expect(steps).not.toContain('--exclude');
});
