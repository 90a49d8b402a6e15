/** A line of a file as JSON. */
import type { FileLine } from './file-lines.ts';
import { UnreadableFile } from './unreadable-file.ts';

/** Throws an UnreadableFile where it is no object. */
export function objectOf({ text, number }: Pick<FileLine, 'text' | 'number'>): {
  readonly [name: string]: unknown;
} {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UnreadableFile(`line ${number} is not JSON`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UnreadableFile(`line ${number} is not a JSON object`);
  }
  return value as { readonly [name: string]: unknown };
}
