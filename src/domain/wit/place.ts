import { invalidArgument, quote, type RequestError } from '../errors.ts';
import type { JsonValue } from '../execution.ts';

/** Where a value stands in the parameters. Linked, so that the path is written only when something is wrong there. */
export interface Place {
  readonly parent: Place | undefined;
  readonly key: string | number;
}

/** `parameters.points[2].x: …`. */
export function refuse(place: Place, description: string): RequestError {
  return invalidArgument(pathOf(place), description);
}

/** What was expected, and what stands there instead. */
export function wrong(place: Place, expected: string, value: JsonValue): RequestError {
  return refuse(place, `must be ${expected}, not ${describe(value)}`);
}

function pathOf({ parent, key }: Place): string {
  if (parent === undefined) return `${key}`;
  return pathOf(parent) + (typeof key === 'number' ? `[${key}]` : `.${key}`);
}

function describe(value: JsonValue): string {
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return `${value}`;
}

/** At most 20 of the names. */
export function listNames(names: readonly string[]): string {
  if (names.length === 0) return 'none';
  const more = names.length - 20;
  return names.slice(0, 20).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
