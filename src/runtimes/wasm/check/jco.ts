import { parseWit } from '../../../domain/wit/parse.ts';
import type { WitFunction } from '../../../domain/wit/types.ts';
import { renameInterfaces } from './component.ts';
import { explained } from './refused.ts';

export async function readFunctions(component: Uint8Array): Promise<WitFunction[]> {
  const { componentWit } = await import('@bytecodealliance/jco-transpile/wasm-tools');
  const renamed = renameInterfaces(component);
  const text = await explained('it is not valid', () => componentWit(renamed.component));
  return explained('its types are not supported', async () =>
    parseWit(text, { exportNames: renamed.exportNames }),
  );
}

/** A component as JavaScript and the core modules that it instantiates. */
export async function generate(
  component: Uint8Array,
): Promise<{ source: string; files: Map<string, Uint8Array> }> {
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
export function countInstances(source: string, file: string): number {
  const variable = source.match(
    new RegExp(`const (module\\d+) = getCoreModule\\('${file.replaceAll('.', '\\.')}'\\)`),
  )?.[1];
  if (variable === undefined) throw new Error(`the generated source does not load ${file}`);
  return source.split(new RegExp(`instantiateCore\\(${variable}\\b`)).length - 1;
}
