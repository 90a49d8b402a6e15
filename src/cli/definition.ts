/** A task's definition, out of flags or a file, as the wire takes it. */
import { resolve } from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { type DurationSchema, durationFromMs } from '@bufbuild/protobuf/wkt';
import { InstancePolicy, RuntimeKind, type TaskDefinitionSchema } from '../server/gen/spearlet/task_pb.js';
import { readLocalFile } from './local-file.ts';

export type Definition = MessageInitShape<typeof TaskDefinitionSchema>;

export const runtimeNames = ['wasm', 'docker', 'process'] as const;
export const policyNames = ['fresh', 'reused'] as const;

export const runtimes: Readonly<Record<(typeof runtimeNames)[number], RuntimeKind>> = {
  wasm: RuntimeKind.WASM,
  docker: RuntimeKind.DOCKER,
  process: RuntimeKind.PROCESS,
};

export const policies: Readonly<Record<(typeof policyNames)[number], InstancePolicy>> = {
  fresh: InstancePolicy.FRESH,
  reused: InstancePolicy.REUSED,
};

/**
 * What the runtime is to run. `text` is a file of ours for wasm, whose bytes are sent; a path on the server for
 * process; an image for docker. Paths are relative to `folder`.
 */
export async function readArtifact(
  field: string,
  runtime: (typeof runtimeNames)[number],
  text: string,
  folder: string,
  sha256 = '',
): Promise<NonNullable<Definition['artifact']>> {
  switch (runtime) {
    case 'wasm': {
      const value = await readLocalFile(field, resolve(folder, text));
      return { source: { case: 'content', value }, sha256 };
    }
    case 'process':
      return { source: { case: 'path', value: resolve(folder, text) }, sha256 };
    case 'docker':
      return { source: { case: 'image', value: text }, sha256 };
  }
}

/** Guest path to host path, the host's relative to `folder`. */
export function resolvePreopens(
  preopens: Readonly<Record<string, string>>,
  folder: string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(preopens).map(([guest, host]) => [guest, resolve(folder, host)]));
}

/** Undefined stays undefined: the server's default. */
export function optionalDuration(
  ms: number | undefined,
): MessageInitShape<typeof DurationSchema> | undefined {
  return ms === undefined ? undefined : durationFromMs(ms);
}

export function optionalBytes(bytes: number | undefined): bigint | undefined {
  return bytes === undefined ? undefined : BigInt(bytes);
}
