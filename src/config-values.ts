/** How an option's text is read. Each throws a RequestError that names the flag and what is allowed. */
import { mostWeight } from './config/node-options.ts';
import { flagOf, isNumeric } from './config/option.ts';
import { type OptionName, options } from './config/options.ts';
import { invalidArgument, quote } from './domain/errors.ts';
import type { Labels } from './domain/labels.ts';
import {
  type Priority,
  type PriorityWeights,
  priorities,
  priorityWeights,
} from './domain/scheduling/priority.ts';
import { Mismatch } from './domain/schema/check.ts';
import { labels } from './domain/schema/values.ts';

/** `fallback` stands for a default that depends on something. A default that is over what is allowed is not cut. */
export function numberOf(name: OptionName, text: string | undefined, fallback?: number): number {
  const option = options[name];
  if (!isNumeric(option.value)) throw new Error(`${name} is no number`);
  if (text === undefined) return fallback ?? Number(option.default);
  const { kind, least, most, auto } = option.value;
  const number = Number(text);
  const form = kind === 'decimal' ? /^\d+(\.\d+)?$/ : /^\d+$/;
  if (form.test(text) && number >= least && number <= most) return number;
  const what = kind === 'decimal' ? 'a number' : 'a whole number';
  throw invalidArgument(
    flagOf(name),
    `is ${quote(text)}; allowed is ${what} from ${least} to ${most}${auto === undefined ? '' : ', or "auto"'}`,
  );
}

export function oneOf<Word extends string>(flag: string, text: string, words: readonly Word[]): Word {
  const found = words.find((word) => word === text);
  if (found === undefined) throw invalidArgument(flag, `is ${quote(text)}; allowed are ${words.join(', ')}`);
  return found;
}

export function truth(flag: string, value: string | undefined): boolean {
  if (value === undefined || value === 'false' || value === '0') return false;
  if (value === 'true' || value === '1') return true;
  throw invalidArgument(flag, `is ${quote(value)}; allowed are true and false`);
}

/** Hosts of registries, separated by commas, as references of images name them. In lower case. */
export function registries(flag: string, text: string): readonly string[] {
  const names = text.split(',').filter((name) => name !== '');
  return names.map((name) => {
    if (!/^(localhost|[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+|[A-Za-z0-9.-]+(?=:))(:\d{1,5})?$/.test(name)) {
      throw invalidArgument(
        flag,
        `has ${quote(name)}; allowed is HOST or HOST:PORT as images name it, such as registry.example or registry.example:5000`,
      );
    }
    return name.toLowerCase();
  });
}

/** `low=1,urgent=100`: whole numbers, of which no higher priority has less. What is not named has its usual one. */
export function weights(flag: string, text: string | undefined): PriorityWeights {
  const found: Partial<Record<Priority, number>> = {};
  for (const each of (text ?? '').split(',').filter((part) => part !== '')) {
    const [, name, digits] = /^([a-z]+)=(\d{1,9})$/.exec(each) ?? [];
    const priority = priorities.find((known) => known === name);
    const weight = Number(digits);
    if (priority === undefined || !(weight >= 1 && weight <= mostWeight)) {
      throw invalidArgument(
        flag,
        `has ${quote(each)}; allowed is PRIORITY=WEIGHT, with ${priorities.join(', ')} and 1 to ${mostWeight}`,
      );
    }
    if (found[priority] !== undefined) throw invalidArgument(flag, `has ${priority} again; allowed is once`);
    found[priority] = weight;
  }
  const all = { ...priorityWeights, ...found };
  for (const [index, priority] of priorities.entries()) {
    const above = priorities[index + 1];
    if (above === undefined || all[priority] <= all[above]) continue;
    throw invalidArgument(
      flag,
      `gives ${priority} ${all[priority]} and ${above} ${all[above]}; allowed is no less for the higher one`,
    );
  }
  return all;
}

/** `zone=a,gpu=2`: what a node is known by. In the order of their keys. */
export function nodeLabels(flag: string, text: string): Labels {
  const found = new Map<string, string>();
  for (const entry of text.split(',').filter((each) => each !== '')) {
    const [, key = '', value = ''] = /^([^=]*)=(.*)$/s.exec(entry) ?? [];
    if (key === '') throw invalidArgument(flag, `has ${quote(entry)}; allowed is KEY=VALUE`);
    if (found.has(key)) throw invalidArgument(flag, `has the key ${quote(key)} twice`);
    found.set(key, value);
  }
  try {
    return labels(Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1))), flag);
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    throw invalidArgument(flag, error.message.replace(`${flag} `, ''));
  }
}
