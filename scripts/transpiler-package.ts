/**
 * Copies what Spear uses of `@bytecodealliance/jco-transpile` into the program. The package depends on binaryen (93 MB)
 * and on a minifier with native code for two options that Spear never sets, and npm heeds a dependency's `overrides`
 * only in a checkout: whoever installs Spear would get both.
 */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const name = '@bytecodealliance/jco-transpile';
/** What its tools run on. It is a dependency of Spear, too, and the walls of a guest host let it be seen by this. */
const shim = '@bytecodealliance/preview2-shim';
/** What Spear imports of it. */
const served = { '.': './dist/index.js', './wasm-tools': './dist/wasm-tools.js' };

/** Stands in for the minifier, which the transpiler imports before it knows whether it will need it. */
const minifier = {
  'package.json': `${JSON.stringify({ name: 'oxc-minify', version: '0.0.0', type: 'module', exports: './index.js' }, null, 2)}\n`,
  'index.js': `/** Spear ships without a minifier. */
export function minify() {
  throw new Error('Spear ships without oxc-minify, so that nothing can be transpiled with minify');
}
`,
};

/**
 * Writes the package, with its licence, to where Node finds it from the program in `dist`. Throws where it is not in
 * the `modules` folder.
 */
export function copyTranspiler(modules: string, dist: string): void {
  const source = join(modules, name);
  const target = join(dist, 'node_modules', name);
  const runs = (path: string) => !/\.(map|d\.ts)$/.test(path);
  for (const part of ['dist', 'vendor', 'LICENSE']) {
    cpSync(join(source, part), join(target, part), { recursive: true, filter: runs });
  }
  const { version, license } = readPackage(source);
  const about = { name, version, license, type: 'module', exports: served, dependencies: { [shim]: '*' } };
  writeFileSync(join(target, 'package.json'), `${JSON.stringify(about, null, 2)}\n`);
  const folder = join(target, 'node_modules/oxc-minify');
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of Object.entries(minifier)) writeFileSync(join(folder, file), text);
}

function readPackage(folder: string): { readonly version: string; readonly license: string } {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as ReturnType<typeof readPackage>;
}
