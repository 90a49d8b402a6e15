import { encodeU32 } from '../../../src/runtimes/wasm/check/binary.ts';

interface Body {
  readonly code: Uint8Array;
  /** How many i32 it declares. */
  readonly locals?: number;
}

function section(id: number, content: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from([id, ...encodeU32(content.length)]), content]);
}

function encodeBody({ code, locals = 0 }: Body): Uint8Array {
  const declared = locals === 0 ? [0] : [1, ...encodeU32(locals), 0x7f];
  const body = Buffer.concat([Buffer.from(declared), code, Buffer.from([0x0b])]);
  return Buffer.concat([Buffer.from(encodeU32(body.length)), body]);
}

/** A program of such functions, which take and return nothing; the last one is `_start`. */
export function moduleOf(bodies: readonly Body[]): Uint8Array {
  const count = encodeU32(bodies.length);
  const name = [...Buffer.from('_start')];
  return Buffer.concat([
    Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]),
    section(1, Buffer.from([1, 0x60, 0, 0])),
    section(3, Buffer.concat([Buffer.from(count), Buffer.alloc(bodies.length)])),
    section(4, Buffer.from([1, 0x70, 0, 1])),
    section(5, Buffer.from([1, 0, 1])),
    section(7, Buffer.from([1, name.length, ...name, 0, ...encodeU32(bodies.length - 1)])),
    section(10, Buffer.concat([Buffer.from(count), ...bodies.map(encodeBody)])),
  ]);
}

export function repeated(unit: readonly number[], times: number): Uint8Array {
  return Buffer.alloc(unit.length * times, Buffer.from(unit));
}

/** `blocks` blocks in a loop, each of which may be left early and sets a local: a phi for every local at every end. */
export function phiBomb(locals: number, blocks: number): Uint8Array {
  const parts = [Buffer.from([0x03, 0x40])];
  for (let index = 0; index < blocks; index += 1) {
    const local = encodeU32(index % locals);
    const other = encodeU32((index * 7) % locals);
    parts.push(
      Buffer.from([0x02, 0x40, 0x20, ...local, 0x0d, 0, 0x20, ...other, 0x41, 1, 0x6a, 0x21, ...local, 0x0b]),
    );
  }
  parts.push(Buffer.from([0x0c, 0, 0x0b]));
  return moduleOf([{ code: Buffer.concat(parts), locals }]);
}

/** Loads, an addition and stores without end, in one basic block. */
export function longBlock(bytes: number): Uint8Array {
  const unit = [0x41, 0, 0x41, 0, 0x28, 2, 0, 0x41, 1, 0x6a, 0x36, 2, 0];
  const code = repeated(unit, Math.floor(bytes / unit.length));
  return moduleOf([{ code: Buffer.concat([Buffer.from([0x03, 0x40]), code, Buffer.from([0x0c, 0, 0x0b])]) }]);
}

/** Components that each instantiate the one before twice: 2 to the power of `depth` core instances. */
export function doublingComponent(depth: number): string {
  let inner = '(component $c0 (core module $m (memory 1)) (core instance (instantiate $m)))';
  for (let level = 1; level <= depth; level += 1) {
    const before = `$c${level - 1}`;
    inner = `(component $c${level} ${inner} (instance (instantiate ${before})) (instance (instantiate ${before})))`;
  }
  return inner;
}
