/** The fields of a rerun as text that a reader edits, and back. Pure. */
import type { Invocation } from '../model/invocation.ts';
import type { FunctionSignature } from '../model/task.ts';
import type { Json } from '../wire.ts';

export interface RerunFields {
  readonly functionName: string;
  /** JSON text by parameter name. */
  readonly parameters: Readonly<Record<string, string>>;
  /** The input as text; absent where it is not text, or not all of it is here. */
  readonly input: string | undefined;
  /** One a line. */
  readonly args: string;
  /** `NAME=value`, one a line. */
  readonly environment: string;
  readonly forceNewInstance: boolean;
}

/** `withValues`: the variables have come with their values; else they are left out. */
export function fieldsOf(invocation: Invocation, withValues: boolean): RerunFields {
  const parameters = Object.entries(invocation.parameters);
  return {
    functionName: invocation.functionName,
    parameters: Object.fromEntries(parameters.map(([name, value]) => [name, JSON.stringify(value, null, 2)])),
    input: textOf(invocation),
    args: invocation.args.join('\n'),
    environment: Object.entries(withValues ? invocation.environment : {})
      .map(([name, value]) => `${name}=${value}`)
      .join('\n'),
    forceNewInstance: invocation.forceNewInstance,
  };
}

function textOf({ input, inputBytes }: Invocation): string | undefined {
  if (input.length < inputBytes) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(input);
  } catch {
    return undefined;
  }
}

/** The signature of a function among those of a task. A bare name is enough where only one export has it. */
export function signatureOf(
  functions: readonly FunctionSignature[],
  name: string,
): FunctionSignature | undefined {
  return (
    functions.find((each) => each.name === name) ??
    functions.find((each) => name !== '' && each.name.endsWith(`#${name}`))
  );
}

export type Parsed<Value> = { readonly value: Value } | { readonly fault: string };

export function parseParameters(
  signature: FunctionSignature | undefined,
  texts: Readonly<Record<string, string>>,
): Parsed<Readonly<Record<string, Json>>> {
  const names = signature?.parameters.map(({ name }) => name) ?? Object.keys(texts);
  const value: Record<string, Json> = {};
  for (const name of names) {
    const text = (texts[name] ?? '').trim();
    // Left out: fine for an option, and the node says so where it is not.
    if (text === '') continue;
    try {
      value[name] = JSON.parse(text) as Json;
    } catch (error) {
      return { fault: `${name} is not JSON: ${error instanceof Error ? error.message : ''}` };
    }
  }
  return { value };
}

export function parseEnvironment(text: string): Parsed<Readonly<Record<string, string>>> {
  const value: Record<string, string> = {};
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const at = line.indexOf('=');
    if (at <= 0) return { fault: `${JSON.stringify(line)} is not NAME=value` };
    value[line.slice(0, at).trim()] = line.slice(at + 1);
  }
  return { value };
}

export function parseArgs(text: string): readonly string[] {
  return text === '' ? [] : text.split('\n');
}
