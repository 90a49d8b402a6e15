/** What differs between two values, field by field. */
import type { JsonValue } from '../execution.ts';

/** Values are absent where the side has none. */
export interface FieldChange {
  /** Such as `limits.memory` or `args[1]`. */
  readonly path: string;
  readonly before?: JsonValue;
  readonly after?: JsonValue;
}

/**
 * The smallest parts that differ, in the order of `after`, and then what only `before` has. Lists of different lengths
 * differ as a whole: who has put something in front has not changed all that follows.
 */
export function differences(
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  path = '',
): FieldChange[] {
  if (isObject(before) && isObject(after)) {
    const names = new Set([...Object.keys(after), ...Object.keys(before)]);
    return [...names].flatMap((name) => differences(before[name], after[name], joined(path, name)));
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return after.flatMap((value, index) => differences(before[index], value, `${path}[${index}]`));
  }
  if (equal(before, after)) return [];
  return [{ path, ...(before !== undefined && { before }), ...(after !== undefined && { after }) }];
}

type JsonObject = { readonly [name: string]: JsonValue };

function isObject(value: JsonValue | undefined): value is JsonObject & JsonValue {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A name with a dot of its own stands in quotes. */
function joined(path: string, name: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(name)) return `${path}[${JSON.stringify(name)}]`;
  return path === '' ? name : `${path}.${name}`;
}

function equal(before: JsonValue | undefined, after: JsonValue | undefined): boolean {
  return JSON.stringify(before) === JSON.stringify(after);
}
