/** What an execution was asked to run: the model of `GetInvocationResponse`. */
import type { GetInvocationResponseJson, Json } from '../wire.ts';
import { bytesOf, numberOf } from './scalar.ts';

export interface Invocation {
  readonly functionName: string;
  readonly parameters: Readonly<Record<string, Json>>;
  /** As much of the input as was asked for. */
  readonly input: Uint8Array;
  /** How much there is. */
  readonly inputBytes: number;
  readonly contentType: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly forceNewInstance: boolean;
}

export function invocationOf(json: GetInvocationResponseJson): Invocation {
  return {
    functionName: json.functionName,
    parameters: json.parameters,
    input: bytesOf(json.input),
    inputBytes: numberOf(json.inputBytes),
    contentType: json.contentType,
    args: json.args,
    environment: json.environment,
    forceNewInstance: json.forceNewInstance,
  };
}
