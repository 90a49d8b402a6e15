/** A registered function: the model of `Task`. */
import type { FunctionSignatureJson, Json, TaskJson } from '../wire.ts';
import { enumWord, instantOf, numberOf } from './scalar.ts';

export type RuntimeWord = 'wasm' | 'docker' | 'process' | '';

export type FunctionSignature = FunctionSignatureJson;

export interface Task {
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  readonly revision: number;
  readonly runtime: RuntimeWord;
  readonly description: string;
  readonly functions: readonly FunctionSignature[];
  /** The definition as the wire has it, for showing. */
  readonly definition: { readonly [name: string]: Json };
  readonly wit: string;
  readonly loosened: readonly string[];
  /** Undefined where it has no cache. */
  readonly savings: CacheSavings | undefined;
  readonly updatedAt: number | undefined;
}

/** Since the start of the node; times in milliseconds. */
export interface CacheSavings {
  readonly hits: number;
  readonly misses: number;
  readonly shared: number;
  readonly savedMs: number;
  readonly savedCpuMs: number;
  readonly entries: number;
  readonly bytes: number;
}

function savingsOf({ cacheSavings: json }: TaskJson): CacheSavings | undefined {
  if (json === undefined) return undefined;
  const { hits, misses, shared, entries, bytes, savedTime, savedCpuTime } = json;
  return {
    ...{ hits: numberOf(hits), misses: numberOf(misses), shared: numberOf(shared) },
    ...{ entries: numberOf(entries), bytes: numberOf(bytes) },
    ...{ savedMs: millisecondsOf(savedTime), savedCpuMs: millisecondsOf(savedCpuTime) },
  };
}

/** Of a duration such as `1.5s`. */
function millisecondsOf(text: string | undefined): number {
  return numberOf(text?.replace(/s$/, '')) * 1000;
}

export function taskOf(json: TaskJson): Task {
  return {
    id: json.taskId,
    tenant: json.tenant,
    name: json.definition?.name ?? json.taskId,
    revision: json.revision,
    runtime: runtimeOf(json.definition?.runtime ?? ''),
    description: json.definition?.description ?? '',
    functions: json.functions,
    definition: (json.definition ?? {}) as { readonly [name: string]: Json },
    wit: json.wit,
    loosened: json.loosened,
    savings: savingsOf(json),
    updatedAt: instantOf(json.updatedAt),
  };
}

export function runtimeOf(name: string): RuntimeWord {
  const word = enumWord(name, 'RUNTIME_KIND_').toLowerCase();
  return word === 'wasm' || word === 'docker' || word === 'process' ? word : '';
}
