import { quote } from '../domain/errors.ts';
import { UsageError } from './usage-error.ts';

export { sizeText } from '../domain/size.ts';

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
