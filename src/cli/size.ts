import { quote } from '../domain/errors.ts';
import { readSize } from '../domain/size.ts';
import { UsageError } from './usage-error.ts';

export { sizeText } from '../domain/size.ts';

/** Whole bytes: `64MiB`, `1.5GiB`, `10kB`, `4096`. Throws a UsageError that names `field`. */
export function parseSize(field: string, text: string): number {
  const read = readSize(text);
  if ('allowed' in read) throw new UsageError(`${field}: is ${quote(text)}; allowed is ${read.allowed}`);
  return read.value;
}
