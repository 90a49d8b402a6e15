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

/** Whole bytes as people write them, `64MiB`, `1.5GiB`, `10kB`, `4096`; or what is allowed, in words. */
export function readSize(text: string): { readonly value: number } | { readonly allowed: string } {
  const [, amount, unit] = /^(\d+(?:\.\d+)?) ?([A-Za-z]*)$/.exec(text) ?? [];
  const factor = unit === undefined ? undefined : unitBytes[unit];
  const value = Number(amount) * (factor ?? Number.NaN);
  if (value > Number.MAX_SAFE_INTEGER) return { allowed: `at most ${Number.MAX_SAFE_INTEGER} bytes` };
  if (Number.isSafeInteger(value)) return { value };
  return { allowed: 'a whole number of bytes, such as 64MiB, 10kB or 4096' };
}
