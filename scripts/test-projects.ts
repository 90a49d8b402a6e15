/**
 * Which tests are unit tests: those whose imports, followed through the project, reach nothing that starts a process.
 * They need what npm brings and nothing else of the machine, and nobody keeps a list of them.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import { specifiersOf } from './walls.ts';

/** What starts processes: compilers, engines, servers, guests, browsers. A bundler is slow, if it needs nothing. */
const starters = new Set([
  'node:child_process',
  'node:cluster',
  'dockerode',
  'playwright-core',
  'vite',
  '@bytecodealliance/jco-transpile',
]);

/** Folders where each test is a unit test, and has to remain one. */
export const unitFolders: readonly string[] = [
  'test/actors',
  'test/domain',
  'test/machines',
  'test/observers',
];

/** Imports of types alone are gone before anything runs. */
const typeImport = /^\s*(?:import|export)\s+type\b[^'";]*?\bfrom\s+'[^']+'/gm;

/** What the file loads when it runs, as it names it. */
export type ImportsOf = (file: string) => readonly string[];

/** The chain of imports from a file to what starts processes, itself first; empty where there is none. */
export function chainToStarter(file: string, importsOf: ImportsOf): readonly string[] {
  const before = new Map<string, string | undefined>([[file, undefined]]);
  // A Map goes on to what is put in behind.
  for (const [importer] of before) {
    for (const specifier of importsOf(importer)) {
      const target = specifier.startsWith('.') ? join(dirname(importer), specifier) : specifier;
      if (!before.has(target)) before.set(target, importer);
      if (isStarter(target)) return chainOf(target, before);
    }
  }
  return [];
}

function isStarter(specifier: string): boolean {
  return [...starters].some((name) => specifier === name || specifier.startsWith(`${name}/`));
}

function chainOf(target: string, before: ReadonlyMap<string, string | undefined>): string[] {
  const chain: string[] = [];
  for (let at: string | undefined = target; at !== undefined; at = before.get(at)) chain.unshift(at);
  return chain;
}

/** Of the files of this project, by their paths from its root; read once each. */
export function importsOfFiles(): ImportsOf {
  const known = new Map<string, readonly string[]>();
  return (file) => {
    const found = known.get(file) ?? readImports(file);
    known.set(file, found);
    return found;
  };
}

function readImports(file: string): readonly string[] {
  if (!/\.tsx?$/.test(file) || !existsSync(file)) return [];
  const source = readFileSync(file, 'utf8').replace(typeImport, '');
  return specifiersOf(source).filter((specifier) => specifier !== undefined);
}

/** The files of all tests, and which of them are unit tests; paths from the root of the project. */
export function testFiles(): { readonly all: readonly string[]; readonly unit: readonly string[] } {
  const all = readdirSync('test', { recursive: true, encoding: 'utf8' })
    .map((name) => join('test', name))
    .filter((file) => file.endsWith('.test.ts'));
  const importsOf = importsOfFiles();
  return { all, unit: all.filter((file) => chainToStarter(file, importsOf).length === 0) };
}

/**
 * Files that this run leaves to another one: paths with spaces between, as `SPEAR_TESTS_LEFT_OUT` has them. Vitest's own
 * `--exclude` does not reach its projects. Throws for what is no file of tests.
 */
export function leftOut(paths: string | undefined, all: readonly string[]): readonly string[] {
  const files = (paths ?? '').split(' ').filter((path) => path !== '');
  const unknown = files.find((file) => !all.includes(file));
  if (unknown !== undefined) throw new Error(`SPEAR_TESTS_LEFT_OUT: ${unknown} is no file of tests`);
  return files;
}
