// The checking process, behind the walls of a guest host: it gets an artifact and answers with what a runtime needs of
// it.
//
// It reads every byte of an artifact, refuses what the gate cannot bound, and transpiles a component. It runs apart
// from the node because it blocks for a second, takes hundreds of megabytes and is fed with bytes that anyone may
// have made.

import { createHash } from 'node:crypto';
import { printFunctions } from '../../../domain/wit/print.ts';
import { opaqueReason } from '../../../domain/wit/type-text.ts';
import type { WitFunction } from '../../../domain/wit/types.ts';
import { Channel } from '../guest-host/channel.ts';
import {
  type ComponentManifest,
  type ModuleManifest,
  manifestFile,
  type TranspileReport,
} from '../programs/manifest.ts';
import type { CheckAnswer } from '../programs/transpile.ts';
import { layerOf } from './binary.ts';
import { readComponent } from './component.ts';
import { checkComponent } from './component-shape.ts';
import { checkWithEngine } from './engine-check.ts';
import { checkExportNames } from './export-names.ts';
import { countInstances, generate, readFunctions } from './jco.ts';
import { checkModule } from './module-check.ts';
import { missingImport, unversioned } from './offer.ts';
import { describeRefusal, Refused } from './refused.ts';

async function check(bytes: Uint8Array, made: Made): Promise<void> {
  const manifest = await (layerOf(bytes) === 'core' ? keepModule(bytes, made) : transpile(bytes, made));
  made.save(manifestFile, Buffer.from(JSON.stringify(manifest)));
}

async function keepModule(bytes: Uint8Array, made: Made): Promise<ModuleManifest> {
  checkModule(bytes);
  await checkWithEngine(bytes);
  const module = made.save('module.wasm', bytes);
  return { kind: 'module', artifact: module.sha256, module, command: '_start' };
}

async function transpile(component: Uint8Array, made: Made): Promise<ComponentManifest> {
  const { typeImports } = checkComponent(component);
  const names = readComponent(component);
  const imports = names.imports.filter((name) => !typeImports.has(name));
  const missing = missingImport(imports);
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
    source: made.save('component.mjs', Buffer.from(source)),
    cores: [...files].map(([file, content]) => ({
      ...made.save(file, content),
      instances: countInstances(source, file),
    })),
    imports: imports.map(unversioned),
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

function digest(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** What a check has made so far, by name, in the order of the answer. */
class Made {
  readonly files = new Map<string, Uint8Array>();

  save(file: string, content: Uint8Array) {
    this.files.set(file, content);
    return { file, sha256: digest(content) };
  }
}

/** @param socket the descriptor of its socket */
export async function serve(_name: string, socket: number): Promise<void> {
  const channel = new Channel(socket);
  const received = channel.receive();
  if (received === undefined) return;
  const made = new Made();
  let report: TranspileReport = { kind: 'done' };
  try {
    await check(received.attachment, made);
  } catch (error) {
    made.files.clear();
    report = { kind: 'refused', description: describeRefusal(error) };
  }
  const files = [...made.files].map(([name, { length }]) => ({ name, length }));
  channel.answer({ report, files } satisfies CheckAnswer, [...made.files.values()]);
}
