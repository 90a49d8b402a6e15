/** The machine's context, as the log tells it. */
import type { Json } from '../../wire.ts';

export type Context = { readonly [key: string]: Json };

export const noContext: Context = Object.freeze({});

/**
 * Takes a change over, as a replay in the node does: key by key, the value as a whole. Null takes a key away: a chart
 * writes it where it unsets something.
 */
export function patched(context: Context, patch: Json): Context {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return context;
  const next: { [key: string]: Json } = { ...context };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete next[key];
    // Not an assignment: a key named __proto__ is a key like any other.
    else Object.defineProperty(next, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return next;
}

/** What one key did between two contexts. */
export interface Difference {
  readonly key: string;
  readonly kind: 'added' | 'removed' | 'changed' | 'same';
  readonly before: Json | undefined;
  readonly after: Json | undefined;
}

/** Every key of either context, in the order of the later one. */
export function differences(before: Context, after: Context): readonly Difference[] {
  const keys = new Set([...Object.keys(after), ...Object.keys(before)]);
  return [...keys].map((key) => {
    const was = Object.hasOwn(before, key) ? before[key] : undefined;
    const is = Object.hasOwn(after, key) ? after[key] : undefined;
    return { key, kind: kindOf(was, is), before: was, after: is };
  });
}

function kindOf(was: Json | undefined, is: Json | undefined): Difference['kind'] {
  if (was === undefined) return 'added';
  if (is === undefined) return 'removed';
  return was === is || JSON.stringify(was) === JSON.stringify(is) ? 'same' : 'changed';
}
