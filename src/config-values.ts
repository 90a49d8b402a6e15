/** How an option's text is read. Each throws a RequestError that names the flag and what is allowed. */
import { invalidArgument, quote } from './domain/errors.ts';

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
