/** A registered function: the model of `Task`. */
import type { FunctionSignatureJson, Json, TaskJson } from '../wire.ts';
import { enumWord, instantOf } from './scalar.ts';

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
  readonly updatedAt: number | undefined;
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
    updatedAt: instantOf(json.updatedAt),
  };
}

export function runtimeOf(name: string): RuntimeWord {
  const word = enumWord(name, 'RUNTIME_KIND_').toLowerCase();
  return word === 'wasm' || word === 'docker' || word === 'process' ? word : '';
}
