import { preview1Functions } from '../preview1/signatures.ts';
import { RefusedFeature } from './binary.ts';
import { checkCode } from './code-section.ts';
import { type CoreImport, type CoreModule, readCoreModule } from './core-module.ts';
import { Refused } from './refused.ts';

/** The import modules that preview-1 programs are linked against; the second is an older name. */
const preview1Modules = ['wasi_snapshot_preview1', 'wasi_unstable'];

const maxTables = 400;
const emptyType = '() -> ()';

/**
 * Reads a core module, and sees that it is a program that a host of WASI preview 1 can run.
 *
 * @throws Refused, RefusedFeature, MalformedWasm
 */
export function checkModule(bytes: Uint8Array): void {
  const module = readCoreModule(bytes);
  checkCode(bytes, module);
  if (module.tables.length > maxTables) {
    throw new RefusedFeature(`${module.tables.length} tables in one module (allowed are ${maxTables})`);
  }
  for (const entry of module.imports) checkImport(entry);
  checkStart(module);
  const hasMemory = module.exports.some(({ name, kind }) => name === 'memory' && kind === 'memory');
  if (module.imports.length > 0 && !hasMemory) {
    throw new Refused(
      'it imports WASI functions and exports no memory, through which they get what they work on',
    );
  }
}

function checkImport({ module, name, kind, type }: CoreImport): void {
  const shown = JSON.stringify(`${module}.${name}`);
  if (!preview1Modules.includes(module)) {
    throw new Refused(
      module.includes(':') && module.includes('/')
        ? `it is a core module that imports ${shown}, an interface of components: make a component of it first (wasm-tools component new)`
        : `it is a core module that imports ${shown} (a ${kind}); a core module may import only functions of ${preview1Modules.join(' and ')}`,
    );
  }
  const signature = Object.hasOwn(preview1Functions, name) ? preview1Functions[name] : undefined;
  if (kind !== 'function' || signature === undefined) {
    throw new Refused(`it imports ${shown} (a ${kind}), and WASI preview 1 has no such function`);
  }
  const expected = `(${signature.params.join(', ')}) -> (${signature.results.join(', ')})`;
  if (type?.text !== expected) {
    throw new Refused(`it imports ${shown} as ${type?.text}; in WASI preview 1 it is ${expected}`);
  }
}

function checkStart({ exports, types, functions }: CoreModule): void {
  const start = exports.find(({ name, kind }) => name === '_start' && kind === 'function');
  if (start === undefined) {
    const isLibrary = exports.some(({ name }) => name === '_initialize');
    const why = isLibrary
      ? 'it is a library (_initialize), and functions of a core module can be called only through a component'
      : 'a core module is called by the function _start, which it does not export';
    throw new Refused(`it has nothing to call: ${why}`);
  }
  const type = types[functions[start.index] ?? -1];
  if (type !== undefined && type.text !== emptyType) {
    throw new Refused(`its export _start is a function ${type.text}; allowed is ${emptyType}`);
  }
}
