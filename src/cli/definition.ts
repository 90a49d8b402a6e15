/** A task's definition, out of flags or a file, as the wire takes it. */
import { resolve } from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { type DurationSchema, durationFromMs } from '@bufbuild/protobuf/wkt';
import {
  InstancePolicy,
  PullPolicy,
  RuntimeKind,
  type TaskDefinitionSchema,
} from '../server/gen/spearlet/task_pb.js';

export type Definition = MessageInitShape<typeof TaskDefinitionSchema>;

export const runtimeNames = ['wasm', 'docker', 'process'] as const;
export const policyNames = ['fresh', 'reused'] as const;
export const pullNames = ['missing', 'always', 'never'] as const;

export type RuntimeName = (typeof runtimeNames)[number];
export type PolicyName = (typeof policyNames)[number];
export type PullName = (typeof pullNames)[number];

export const runtimes: Readonly<Record<RuntimeName, RuntimeKind>> = {
  wasm: RuntimeKind.WASM,
  docker: RuntimeKind.DOCKER,
  process: RuntimeKind.PROCESS,
};

export const policies: Readonly<Record<PolicyName, InstancePolicy>> = {
  fresh: InstancePolicy.FRESH,
  reused: InstancePolicy.REUSED,
};

export const pulls: Readonly<Record<PullName, PullPolicy>> = {
  missing: PullPolicy.MISSING,
  always: PullPolicy.ALWAYS,
  never: PullPolicy.NEVER,
};

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

/** Undefined stays undefined: the server's default. */
export function optionalDuration(
  ms: number | undefined,
): MessageInitShape<typeof DurationSchema> | undefined {
  return ms === undefined ? undefined : durationFromMs(ms);
}

export function optionalBytes(bytes: number | undefined): bigint | undefined {
  return bytes === undefined ? undefined : BigInt(bytes);
}
