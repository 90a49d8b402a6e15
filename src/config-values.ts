/** How an option's text is read. Each throws a RequestError that names the flag and what is allowed. */
import { invalidArgument, quote } from './domain/errors.ts';
import {
  type Priority,
  type PriorityWeights,
  priorities,
  priorityWeights,
} from './domain/scheduling/priority.ts';

export function whole(
  flag: string,
  value: string | undefined,
  fallback: number,
  least: number,
  most: number,
): number {
  if (value === undefined) return fallback;
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < least || number > most) {
    throw invalidArgument(flag, `is ${quote(value)}; allowed is a whole number from ${least} to ${most}`);
  }
  return number;
}

export function decimal(
  flag: string,
  value: string | undefined,
  fallback: number,
  least: number,
  most: number,
): number {
  if (value === undefined) return fallback;
  const number = Number(value);
  if (!/^\d+(\.\d+)?$/.test(value) || number < least || number > most) {
    throw invalidArgument(flag, `is ${quote(value)}; allowed is a number from ${least} to ${most}`);
  }
  return number;
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

const mostWeight = 10_000;

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
