// The transpiling process: `node transpiler.ts <artifact file> <empty folder>`.
//
// It runs apart from the node because it blocks for a second, takes hundreds of megabytes and is fed with bytes
// that anyone may have made; the node only reads the one line that it prints (a TranspileReport).

import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseWit } from '../../domain/wit/parse.ts';
import { printFunctions } from '../../domain/wit/print.ts';
import { preview1Module, readAdapter } from './adapter.ts';
import { layerOf, MalformedWasm } from './binary.ts';
import { readComponent, renameInterfaces } from './component.ts';
import { RefusedFeature, readCoreModule } from './core-module.ts';
import { type Manifest, manifestFile, type TranspileReport } from './manifest.ts';
import { missingImport, unversioned } from './offer.ts';

/** The artifact cannot run here; the message goes to whoever sent it. */
class Refused extends Error {}

async function transpile(bytes: Uint8Array, folder: string): Promise<void> {
  const component = layerOf(bytes) === 'core' ? await adapt(bytes) : bytes;
  const names = readComponent(component);
  const missing = missingImport(names.imports);
  if (missing !== '') throw new Refused(missing);
  const command = names.exports.find((name) => /^wasi:cli\/run@0\.2\.\d+$/.test(name)) ?? '';
  const functions = (await readFunctions(component)).filter((fn) => !fn.name.startsWith('wasi:cli/run@'));
  if (command === '' && functions.length === 0) {
    throw new Refused('it has nothing to call: neither _start (wasi:cli/run) nor a typed export');
  }
  const { files, source } = await generate(component);
  const manifest: Manifest = {
    artifact: digest(bytes),
    source: await save(folder, 'component.mjs', Buffer.from(source)),
    cores: await Promise.all(
      [...files].map(async ([file, content]) => ({
        ...(await save(folder, file, content)),
        instances: countInstances(source, file),
      })),
    ),
    imports: names.imports.map(unversioned),
    command,
    functions,
    wit: functions.length === 0 ? '' : printFunctions(functions),
  };
  await writeFile(join(folder, manifestFile), JSON.stringify(manifest), { flush: true });
}

/** A preview-1 module as a component. */
async function adapt(bytes: Uint8Array): Promise<Uint8Array> {
  const module = readCoreModule(bytes);
  const foreign = module.imports.find(
    (entry) => entry.module !== preview1Module && !entry.module.includes(':'),
  );
  if (foreign !== undefined) {
    const name = JSON.stringify(`${foreign.module}.${foreign.name}`);
    throw new Refused(
      `it is a core module that imports ${name}; only ${preview1Module} is offered to core modules`,
    );
  }
  const { componentNew } = await import('@bytecodealliance/jco-transpile/wasm-tools');
  const adapter = await readAdapter(module.exports.includes('_start') ? 'command' : 'reactor');
  return explained('it cannot be made a component', () => componentNew(bytes, [[preview1Module, adapter]]));
}

async function readFunctions(component: Uint8Array) {
  const { componentWit } = await import('@bytecodealliance/jco-transpile/wasm-tools');
  const renamed = renameInterfaces(component);
  const text = await explained('it is not valid', () => componentWit(renamed.component));
  return parseWit(text, { exportNames: renamed.exportNames });
}

async function generate(component: Uint8Array): Promise<{ source: string; files: Map<string, Uint8Array> }> {
  const { transpileBytes } = await import('@bytecodealliance/jco-transpile');
  const result = await explained('it cannot be transpiled', () =>
    transpileBytes(component, {
      name: 'component',
      instantiation: 'sync',
      emitTypescriptDeclarations: false,
      nodejsCompat: false,
      // A core module inlined as base64 would pass by the gate.
      base64Cutoff: 0,
      noComponentErrorWrapping: false,
    }),
  );
  const files = new Map(Object.entries(result.files as Record<string, Uint8Array>));
  const source = files.get('component.js');
  if (source === undefined) throw new Error('jco wrote no component.js');
  files.delete('component.js');
  return { source: Buffer.from(source).toString('utf8'), files };
}

/** How often the generated source instantiates the module of that file; the worker holds it to this number. */
function countInstances(source: string, file: string): number {
  const variable = source.match(
    new RegExp(`const (module\\d+) = getCoreModule\\('${file.replaceAll('.', '\\.')}'\\)`),
  )?.[1];
  if (variable === undefined) throw new Error(`the generated source does not load ${file}`);
  return source.split(new RegExp(`instantiateCore\\(${variable}\\b`)).length - 1;
}

async function save(folder: string, file: string, content: Uint8Array) {
  await writeFile(join(folder, file), content, { flush: true });
  return { file, sha256: digest(content) };
}

function digest(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** jco's own words, first line only, after ours. */
async function explained<T>(what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    const words = String(cause instanceof Error ? cause.message : cause).split('\n')[0] ?? '';
    throw new Refused(`${what}: ${words.slice(0, 300)}`, { cause });
  }
}

function describe(error: unknown): string {
  if (error instanceof RefusedFeature) return `it uses ${error.message}, which is not supported`;
  if (error instanceof Refused || error instanceof MalformedWasm) return error.message;
  throw error;
}

const [input = '', folder = ''] = process.argv.slice(2);
let report: TranspileReport = { kind: 'done' };
try {
  await transpile(await readFile(input), folder);
} catch (error) {
  report = { kind: 'refused', description: describe(error) };
}
process.stdout.write(JSON.stringify(report));
