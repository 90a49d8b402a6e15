import { isDeepStrictEqual } from 'node:util';
import { snakeCase } from '../domain/schema/form.ts';
import { type OptionName, optionNames, options } from './options.ts';

type Values = Readonly<Partial<Record<OptionName, unknown>>>;

/** Keys of the options that differ: those that a running node takes, and those that wait for its next start. */
export function changedOptions(
  before: Values,
  now: Values,
): { readonly live: readonly string[]; readonly waiting: readonly string[] } {
  const changed = optionNames.filter((name) => !isDeepStrictEqual(before[name], now[name]));
  const keys = (isLive: boolean): string[] =>
    changed.filter((name) => (options[name].live === true) === isLive).map(snakeCase);
  return { live: keys(true), waiting: keys(false) };
}
