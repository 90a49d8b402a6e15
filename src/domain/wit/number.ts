/** What each integer type holds, both ends included. */
const integerRanges = {
  u8: [0n, 0xffn],
  u16: [0n, 0xffffn],
  u32: [0n, 0xffff_ffffn],
  u64: [0n, 0xffff_ffff_ffff_ffffn],
  s8: [-0x80n, 0x7fn],
  s16: [-0x8000n, 0x7fffn],
  s32: [-0x8000_0000n, 0x7fff_ffffn],
  s64: [-0x8000_0000_0000_0000n, 0x7fff_ffff_ffff_ffffn],
} as const;

export type IntegerKind = keyof typeof integerRanges;

export function isIntegerKind(kind: string): kind is IntegerKind {
  return Object.hasOwn(integerRanges, kind);
}

export function integerRangeText(kind: IntegerKind): string {
  const [least, most] = integerRanges[kind];
  return `an integer from ${least} to ${most}`;
}

/** Whether the integer fits its type. */
export function inRange(kind: IntegerKind, value: bigint): boolean {
  const [least, most] = integerRanges[kind];
  return value >= least && value <= most;
}

/** Whether a finite number has an f32 near it: f32 ends at about 3.4e38. */
export function fitsF32(value: number): boolean {
  return Number.isFinite(Math.fround(value));
}

/** The shortest decimal that is this f32 again, as proto JSON prints a float: 0.1, not 0.10000000149011612. */
export function shortestF32(value: number): number {
  // Six digits always survive an f32, but for the subnormal ones, which hold fewer.
  const least = Math.abs(value) < 2 ** -126 ? 1 : 6;
  for (let digits = least; digits <= 9; digits += 1) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return candidate;
  }
  return value;
}
