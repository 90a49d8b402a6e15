import { isUtf8 } from 'node:buffer';
import { LaunchError, type SecretValue } from '../runtime.ts';

/** Secrets as variables of an environment: a last line feed, as editors leave it, is no part of the value. */
export function secretVariables(values: readonly SecretValue[]): Readonly<Record<string, string>> {
  return Object.fromEntries(values.map(({ name, key, value }) => [name, textOf(key, value)]));
}

function textOf(key: string, value: Uint8Array): string {
  if (!isUtf8(value) || value.includes(0)) {
    throw new LaunchError(
      'START_FAILED',
      `the secret ${key} is not UTF-8 without NUL, as a variable of the environment has to be`,
    );
  }
  return Buffer.from(value).toString('utf8').replace(/\n$/, '');
}
