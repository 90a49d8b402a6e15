import { type ByteReader, MalformedWasm, RefusedFeature } from './binary.ts';
import type { Arity } from './function-body.ts';

export interface FunctionType extends Arity {
  /** `(i32, i64) -> (i32)`: equal types have equal texts. */
  readonly text: string;
}

/**
 * The engine keeps each different type for as long as its process lives; a million take 350 MB (Node 26.10). The
 * most that real programs have is below 1000.
 */
const maxTypes = 10_000;

/** Only function types: structs and arrays live on the garbage-collected heap, which has no bound per instance. */
export function readTypes(reader: ByteReader): FunctionType[] {
  const count = reader.u32();
  if (count > maxTypes) throw new RefusedFeature(`${count} types in one module (allowed are ${maxTypes})`);
  const types: FunctionType[] = [];
  for (let left = count; left > 0; left -= 1) {
    const form = reader.byte();
    if (form !== 0x60) {
      throw new RefusedFeature(
        form === 0x5d ? 'stack switching' : 'garbage-collected types (the GC proposal)',
      );
    }
    const parameters = readValueTypes(reader);
    const results = readValueTypes(reader);
    const text = `(${parameters.join(', ')}) -> (${results.join(', ')})`;
    types.push({ parameters: parameters.length, results: results.length, text });
  }
  return types;
}

function readValueTypes(reader: ByteReader): string[] {
  const types: string[] = [];
  for (let left = reader.u32(); left > 0; left -= 1) types.push(readValueType(reader));
  return types;
}

const numberTypes: Readonly<Record<number, string>> = {
  127: 'i32',
  126: 'i64',
  125: 'f32',
  124: 'f64',
  123: 'v128',
};

function readValueType(reader: ByteReader): string {
  const type = reader.byte();
  return numberTypes[type] ?? `ref ${readReferenceType(reader, type).join(' ')}`;
}

export function skipValueType(reader: ByteReader): void {
  readValueType(reader);
}

/** The bytes of a reference type whose first byte was read. */
export function readReferenceType(reader: ByteReader, first: number): number[] {
  if (first === 0x70 || first === 0x6f || first === 0x69) return [first];
  if (first === 0x63 || first === 0x64) {
    const from = reader.position;
    reader.skipNumber();
    return [first, ...reader.bytes.subarray(from, reader.position)];
  }
  if (first >= 0x65 && first <= 0x74) throw new RefusedFeature('garbage-collected types (the GC proposal)');
  throw new MalformedWasm(`an unknown type 0x${first.toString(16)} at byte ${reader.position - 1}`);
}
