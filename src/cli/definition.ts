/** A task's definition, out of flags or a file, as the wire takes it. */
import { resolve } from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { runtimeKind } from '../domain/schema/task-instances.ts';
import { RuntimeKind, type TaskDefinitionSchema } from '../server/gen/spearlet/task_pb.js';

export type Definition = MessageInitShape<typeof TaskDefinitionSchema>;

export type { RuntimeKind as RuntimeName } from '../domain/task.ts';

export const runtimeNames = runtimeKind.form.words;

/** `wasm`; a runtime from a newer server is its number. */
export function runtimeText(runtime: RuntimeKind): string {
  return (RuntimeKind[runtime] ?? String(runtime)).toLowerCase();
}

/** Guest path to host path, the host's relative to `folder`. */
export function resolvePreopens(
  preopens: Readonly<Record<string, string>>,
  folder: string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(preopens).map(([guest, host]) => [guest, resolve(folder, host)]));
}
