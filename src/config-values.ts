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
