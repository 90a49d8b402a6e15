// The checking process: `node transpiler.ts <artifact file> <empty folder>`.
//
// It reads every byte of an artifact, refuses what the gate cannot bound, and transpiles a component. It runs apart
// from the node because it blocks for a second, takes hundreds of megabytes and is fed with bytes that anyone may
// have made; the node only reads the one line that it prints (a TranspileReport).

import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { printFunctions } from '../../domain/wit/print.ts';
import { opaqueReason } from '../../domain/wit/type-text.ts';
import type { WitFunction } from '../../domain/wit/types.ts';
import { layerOf } from './binary.ts';
import { readComponent } from './component.ts';
import { checkComponent } from './component-shape.ts';
import { checkWithEngine } from './engine-check.ts';
import { checkExportNames } from './export-names.ts';
import { countInstances, generate, readFunctions } from './jco.ts';
import {
  type ComponentManifest,
  type ModuleManifest,
  manifestFile,
  type TranspileReport,
} from './manifest.ts';
import { checkModule } from './module-check.ts';
import { missingImport, unversioned } from './offer.ts';
import { describeRefusal, Refused } from './refused.ts';

async function check(bytes: Uint8Array, folder: string): Promise<void> {
  const manifest = await (layerOf(bytes) === 'core' ? keepModule(bytes, folder) : transpile(bytes, folder));
  await writeFile(join(folder, manifestFile), JSON.stringify(manifest), { flush: true });
}

async function keepModule(bytes: Uint8Array, folder: string): Promise<ModuleManifest> {
  checkModule(bytes);
  await checkWithEngine(bytes);
  const module = await save(folder, 'module.wasm', bytes);
  return { kind: 'module', artifact: module.sha256, module, command: '_start' };
}

async function transpile(component: Uint8Array, folder: string): Promise<ComponentManifest> {
  checkComponent(component);
  const names = readComponent(component);
  const missing = missingImport(names.imports);
  if (missing !== '') throw new Refused(missing);
  const command = names.exports.find((name) => /^wasi:cli\/run@0\.2\.\d+$/.test(name)) ?? '';
  const functions = (await readFunctions(component)).filter((fn) => !fn.name.startsWith('wasi:cli/run@'));
  checkExportNames(names.exports, functions);
  if (command === '') checkCallable(functions);
  const { files, source } = await generate(component);
  await Promise.all([...files.values()].map(checkWithEngine));
  return {
    kind: 'component',
    artifact: digest(component),
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
}

/** Without a command, some function must be one that a caller can give its parameters and get a result of. */
function checkCallable(functions: readonly WitFunction[]): void {
  const [first] = functions;
  if (first === undefined) {
    throw new Refused('it has nothing to call: neither _start (wasi:cli/run) nor a typed export');
  }
  if (functions.some((fn) => opaqueReason(fn) === '')) return;
  if (functions.every(({ name }) => name.startsWith('wasi:http/incoming-handler@'))) {
    throw new Refused(
      'it exports only an HTTP handler (wasi:http/incoming-handler), and nothing here sends it requests; functions are called by wasi:cli/run or a typed export',
    );
  }
  throw new Refused(
    `it has nothing that can be called. ${JSON.stringify(first.name)}: ${opaqueReason(first)}`,
  );
}

async function save(folder: string, file: string, content: Uint8Array) {
  await writeFile(join(folder, file), content, { flush: true });
  return { file, sha256: digest(content) };
}

function digest(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

const [input = '', folder = ''] = process.argv.slice(2);
let report: TranspileReport = { kind: 'done' };
try {
  await check(await readFile(input), folder);
} catch (error) {
  report = { kind: 'refused', description: describeRefusal(error) };
}
process.stdout.write(JSON.stringify(report));
