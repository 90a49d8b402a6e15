import type { JsonValue } from '@bufbuild/protobuf';
import { quote } from '../domain/errors.ts';
import { UsageError } from './usage-error.ts';

/**
 * The value of `--param NAME=JSON`. Throws a UsageError that names the parameter where the text is not JSON, or has
 * an integer that a JSON number cannot hold exactly.
 */
export function parseParameter(name: string, text: string): JsonValue {
  const exact = (_key: string, value: unknown, context: { readonly source?: string }): unknown => {
    const { source } = context;
    if (
      typeof value === 'number' &&
      source !== undefined &&
      /^-?\d+$/.test(source) &&
      BigInt(source) !== BigInt(value)
    ) {
      throw new UsageError(
        `--param ${name}: ${source} is not exact as a JSON number; allowed is a string: ${shellQuoted(name, JSON.stringify(source))}`,
      );
    }
    return value;
  };
  try {
    // The reviver's third argument is in Node's V8; TypeScript's library does not know it.
    return JSON.parse(text, exact as (key: string, value: unknown) => unknown) as JsonValue;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const hint = `a string needs quotes of its own: ${shellQuoted(name, JSON.stringify(text.slice(0, 80).toWellFormed()))}`;
    throw new UsageError(`--param ${name}: ${quote(text)} is not JSON; ${hint}`);
  }
}

function shellQuoted(name: string, json: string): string {
  return `--param ${name}='${json.replaceAll("'", "'\\''")}'`;
}
