import { quote } from '../domain/errors.ts';
import { UsageError } from './usage-error.ts';

const unitBytes: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** Whole bytes: `64MiB`, `1.5GiB`, `10kB`, `4096`. Throws a UsageError that names `field`. */
export function parseSize(field: string, text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?) ?([A-Za-z]*)$/.exec(text) ?? [];
  const factor = unit === undefined ? undefined : unitBytes[unit];
  const bytes = Number(amount) * (factor ?? Number.NaN);
  if (bytes > Number.MAX_SAFE_INTEGER) {
    throw new UsageError(`${field}: is ${quote(text)}; allowed is at most ${Number.MAX_SAFE_INTEGER} bytes`);
  }
  if (!Number.isSafeInteger(bytes)) {
    throw new UsageError(
      `${field}: is ${quote(text)}; allowed is a whole number of bytes, such as 64MiB, 10kB or 4096`,
    );
  }
  return bytes;
}

/** For people: `512 B`, `1.5 KiB`, `64 MiB`. */
export function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let amount = bytes;
  let unit = 0;
  while (amount >= 1024 && unit < units.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  return `${Number(amount.toFixed(1))} ${units[unit]}`;
}
