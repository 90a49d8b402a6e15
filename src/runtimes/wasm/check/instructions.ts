/** What follows an opcode, where nothing else must be known of the instruction. */
export const immediate = {
  none: 0,
  /** One LEB128 number. */
  number: 1,
  twoNumbers: 2,
  /** Alignment (bit 6 says that a memory index follows) and offset. */
  memory: 3,
  memoryAndLane: 4,
  oneByte: 5,
  fourBytes: 6,
  eightBytes: 7,
  sixteenBytes: 8,
  /** Control flow, calls and prefixes, which the reader of bodies knows itself. */
  special: 9,
  unknown: 10,
} as const;

/** By opcode. */
export interface InstructionTable {
  /** What follows it. */
  readonly immediates: Uint8Array;
  /** By how many values it makes the operand stack higher. */
  readonly effects: Int8Array;
  /** Bytes of memory that the engine's compilers take for it, beyond what they take for each byte of a body. */
  readonly costs: Uint16Array;
}

type Row = readonly [from: number, to: number, immediate: number, effect: number, cost?: number];

function table(size: number, rows: readonly Row[]): InstructionTable {
  const immediates = new Uint8Array(size).fill(immediate.unknown);
  const effects = new Int8Array(size);
  const costs = new Uint16Array(size);
  for (const [from, to, kind, effect, cost = 0] of rows) {
    immediates.fill(kind, from, to + 1);
    effects.fill(effect, from, to + 1);
    costs.fill(cost, from, to + 1);
  }
  return { immediates, effects, costs };
}

const { none, number, twoNumbers, memory, memoryAndLane, oneByte, special } = immediate;

// Costs were measured with 20 000 of each instruction in a loop, under TurboFan (Node 26.10), and rounded up. Those
// that become several basic blocks are dear; that of table.get is for its time, which grows with the square.
const conversionCost = 7_000;
const tableCost = 4_000;
const tableGetCost = 40_000;
const divisionCost = 2_000;
const growCost = 2_000;
export const callCost = 1_500;
export const indirectCallCost = 10_000;

/**
 * Opcodes of one byte: the core specification 3.0 without garbage collection, and the exception handling that came
 * before it (try, catch, delegate, rethrow).
 */
export const plain = table(256, [
  [0x00, 0x00, special, 0], // unreachable
  [0x01, 0x01, none, 0], // nop
  [0x02, 0x0f, special, 0], // block to return, the handling of exceptions among them
  [0x10, 0x15, special, 0], // calls
  [0x18, 0x19, special, 0], // delegate, catch_all
  [0x1a, 0x1a, none, -1], // drop
  [0x1b, 0x1b, none, -2], // select
  [0x1c, 0x1c, special, 0], // select with types
  [0x1f, 0x1f, special, 0], // try_table
  [0x20, 0x20, number, 1], // local.get
  [0x21, 0x21, number, -1], // local.set
  [0x22, 0x22, number, 0], // local.tee
  [0x23, 0x23, number, 1], // global.get
  [0x24, 0x24, number, -1], // global.set
  [0x25, 0x25, number, 0, tableGetCost], // table.get
  [0x26, 0x26, number, -2, tableCost], // table.set
  [0x28, 0x35, memory, 0], // loads
  [0x36, 0x3e, memory, -2], // stores
  [0x3f, 0x3f, number, 1], // memory.size
  [0x40, 0x40, number, 0, growCost], // memory.grow
  [0x41, 0x42, number, 1], // i32.const, i64.const
  [0x43, 0x43, immediate.fourBytes, 1], // f32.const
  [0x44, 0x44, immediate.eightBytes, 1], // f64.const
  [0x45, 0x45, none, 0], // i32.eqz
  [0x46, 0x4f, none, -1], // comparisons
  [0x50, 0x50, none, 0], // i64.eqz
  [0x51, 0x66, none, -1], // comparisons
  [0x67, 0x69, none, 0], // i32.clz, ctz, popcnt
  [0x6a, 0x78, none, -1], // i32 arithmetic
  [0x6d, 0x70, none, -1, divisionCost], // i32.div, rem
  [0x79, 0x7b, none, 0], // i64.clz, ctz, popcnt
  [0x7c, 0x8a, none, -1], // i64 arithmetic
  [0x7f, 0x82, none, -1, divisionCost], // i64.div, rem
  [0x8b, 0x91, none, 0], // f32 of one operand
  [0x92, 0x98, none, -1], // f32 of two
  [0x99, 0x9f, none, 0], // f64 of one operand
  [0xa0, 0xa6, none, -1], // f64 of two
  [0xa7, 0xc4, none, 0], // conversions, sign extension
  [0xd0, 0xd0, number, 1], // ref.null
  [0xd1, 0xd1, none, 0], // ref.is_null
  [0xd2, 0xd2, number, 1], // ref.func
  [0xd4, 0xd4, none, 0], // ref.as_non_null
  [0xd5, 0xd6, special, 0], // br_on_null, br_on_non_null
  [0xfb, 0xfe, special, 0], // prefixes
]);

/** After 0xfc: saturating conversions, bulk memory, tables. */
export const bulk = table(18, [
  [0, 7, none, 0, conversionCost], // saturating conversions
  [8, 8, twoNumbers, -3, tableCost], // memory.init
  [9, 9, number, 0, tableCost], // data.drop
  [10, 10, twoNumbers, -3, tableCost], // memory.copy
  [11, 11, number, -3, tableCost], // memory.fill
  [12, 12, twoNumbers, -3, tableCost], // table.init
  [13, 13, number, 0, tableCost], // elem.drop
  [14, 14, twoNumbers, -3, tableCost], // table.copy
  [15, 15, number, -1, tableCost], // table.grow
  [16, 16, number, 1], // table.size
  [17, 17, number, -3, tableCost], // table.fill
]);

/** After 0xfd: vectors, relaxed ones included. */
export const vector = table(0x114, [
  [0x00, 0x0a, memory, 0], // loads
  [0x0b, 0x0b, memory, -2], // v128.store
  [0x0c, 0x0c, immediate.sixteenBytes, 1], // v128.const
  [0x0d, 0x0d, immediate.sixteenBytes, -1], // i8x16.shuffle
  [0x0e, 0x0e, none, -1], // i8x16.swizzle
  [0x0f, 0x14, none, 0], // splats
  [0x15, 0x16, oneByte, 0], // extract_lane and replace_lane of each shape
  [0x17, 0x17, oneByte, -1],
  [0x18, 0x19, oneByte, 0],
  [0x1a, 0x1a, oneByte, -1],
  [0x1b, 0x1b, oneByte, 0],
  [0x1c, 0x1c, oneByte, -1],
  [0x1d, 0x1d, oneByte, 0],
  [0x1e, 0x1e, oneByte, -1],
  [0x1f, 0x1f, oneByte, 0],
  [0x20, 0x20, oneByte, -1],
  [0x21, 0x21, oneByte, 0],
  [0x22, 0x22, oneByte, -1],
  [0x23, 0x4c, none, -1], // comparisons
  [0x4d, 0x4d, none, 0], // v128.not
  [0x4e, 0x51, none, -1], // v128.and, andnot, or, xor
  [0x52, 0x52, none, -2], // v128.bitselect
  [0x53, 0x53, none, 0], // v128.any_true
  [0x54, 0x57, memoryAndLane, -1], // load_lane
  [0x58, 0x5b, memoryAndLane, -2], // store_lane
  [0x5c, 0x5d, memory, 0], // load32_zero, load64_zero
  [0x5e, 0x64, none, 0], // demote, promote; i8x16 of one operand
  [0x65, 0x66, none, -1], // i8x16.narrow
  [0x67, 0x6a, none, 0], // f32x4 rounding
  [0x6b, 0x73, none, -1], // i8x16 shifts and arithmetic
  [0x74, 0x75, none, 0], // f64x2.ceil, floor
  [0x76, 0x79, none, -1], // i8x16 minimum and maximum
  [0x7a, 0x7a, none, 0], // f64x2.trunc
  [0x7b, 0x7b, none, -1], // i8x16.avgr_u
  [0x7c, 0x81, none, 0], // extadd_pairwise; i16x8.abs, neg
  [0x82, 0x82, none, -1], // i16x8.q15mulr_sat_s
  [0x83, 0x84, none, 0], // i16x8.all_true, bitmask
  [0x85, 0x86, none, -1], // i16x8.narrow
  [0x87, 0x8a, none, 0], // i16x8.extend
  [0x8b, 0x93, none, -1], // i16x8 shifts and arithmetic
  [0x94, 0x94, none, 0], // f64x2.nearest
  [0x95, 0x99, none, -1], // i16x8.mul, minimum and maximum
  [0x9b, 0x9f, none, -1], // i16x8.avgr_u, extmul
  [0xa0, 0xa1, none, 0], // i32x4.abs, neg
  [0xa3, 0xa4, none, 0], // i32x4.all_true, bitmask
  [0xa7, 0xaa, none, 0], // i32x4.extend
  [0xab, 0xae, none, -1], // i32x4 shifts, add
  [0xb1, 0xb1, none, -1], // i32x4.sub
  [0xb5, 0xba, none, -1], // i32x4.mul, minimum and maximum, dot
  [0xbc, 0xbf, none, -1], // i32x4.extmul
  [0xc0, 0xc1, none, 0], // i64x2.abs, neg
  [0xc3, 0xc4, none, 0], // i64x2.all_true, bitmask
  [0xc7, 0xca, none, 0], // i64x2.extend
  [0xcb, 0xce, none, -1], // i64x2 shifts, add
  [0xd1, 0xd1, none, -1], // i64x2.sub
  [0xd5, 0xdf, none, -1], // i64x2.mul, comparisons, extmul
  [0xe0, 0xe1, none, 0], // f32x4.abs, neg
  [0xe3, 0xe3, none, 0], // f32x4.sqrt
  [0xe4, 0xeb, none, -1], // f32x4 arithmetic
  [0xec, 0xed, none, 0], // f64x2.abs, neg
  [0xef, 0xef, none, 0], // f64x2.sqrt
  [0xf0, 0xf7, none, -1], // f64x2 arithmetic
  [0xf8, 0xff, none, 0], // conversions
  [0x100, 0x100, none, -1], // relaxed swizzle
  [0x101, 0x104, none, 0], // relaxed truncation
  [0x105, 0x10c, none, -2], // relaxed madd, nmadd, laneselect
  [0x10d, 0x112, none, -1], // relaxed minimum and maximum, q15mulr, dot
  [0x113, 0x113, none, -2], // relaxed dot_add
]);

/** After 0xfe: atomic access, which is also allowed where memory is not shared. */
export const atomic = table(0x4f, [
  [0x00, 0x00, memory, -1], // memory.atomic.notify
  [0x01, 0x02, memory, -2], // memory.atomic.wait
  [0x03, 0x03, oneByte, 0], // atomic.fence
  [0x10, 0x16, memory, 0], // loads
  [0x17, 0x1d, memory, -2], // stores
  [0x1e, 0x47, memory, -1, divisionCost], // read, modify, write
  [0x48, 0x4e, memory, -2, divisionCost], // compare and exchange
]);
