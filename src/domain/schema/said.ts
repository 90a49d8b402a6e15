/** What somebody says of an object, before the rest of it is filled in. */
import type { ObjectForm } from './form.ts';

/** Any fields of T, and any of the objects in it; a list or a map of names is said as a whole. */
export type Said<T> = { readonly [Key in keyof T]?: SaidValue<T[Key]> };

type SaidValue<V> = V extends string | number | boolean | undefined | readonly unknown[]
  ? V
  : string extends keyof V
    ? V
    : Said<V>;

/**
 * With the defaults of the schema where nothing is said, in the schema's order, so that equal definitions have equal
 * JSON. An optional object stays absent.
 */
export function withDefaults<T extends object>(form: ObjectForm, said: Said<T>): Said<T> {
  const given = said as Readonly<Record<string, unknown>>;
  const filled: [string, unknown][] = [];
  for (const [name, field] of form.fields) {
    const value = given[name];
    if (field.form.kind === 'object' && (value !== undefined || !field.optional)) {
      filled.push([name, withDefaults(field.form, (value ?? {}) as Said<object>)]);
    } else if (value !== undefined) filled.push([name, value]);
    else if ('default' in field.about) filled.push([name, field.about.default]);
  }
  // Each name's value is what was said under it, or its default.
  return Object.fromEntries(filled) as Said<T>;
}

/** The same fields in the schema's order, without those that are undefined. */
export function inOrder<T extends object>(
  form: ObjectForm,
  value: { readonly [Key in keyof T]: T[Key] | undefined },
): T {
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  const names = [...form.fields.keys()];
  entries.sort(([a], [b]) => names.indexOf(a) - names.indexOf(b));
  // Only what may be absent is undefined.
  return Object.fromEntries(entries) as T;
}
