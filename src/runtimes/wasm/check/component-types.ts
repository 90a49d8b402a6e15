import { type ByteReader, MalformedWasm, RefusedFeature } from './binary.ts';
import { type Item, readExternName, Scope } from './component-scope.ts';

/**
 * The most types that one type may be, written out in full: the transpiler writes code for each of them wherever
 * the type is used. What reads the types of a task takes no more either.
 */
const maxTypeSize = 10_000;

/** Reads one type of a component's type section. */
export function readType(reader: ByteReader, scope: Scope): Item {
  const item = readDefinition(reader, scope);
  if (item.size > maxTypeSize) {
    throw new RefusedFeature(
      `a type that is ${item.size > 1e15 ? 'more than 1e15' : item.size} types when it is written out in full (allowed is ${maxTypeSize})`,
    );
  }
  return item;
}

function readDefinition(reader: ByteReader, scope: Scope): Item {
  const form = reader.byte();
  switch (form) {
    case 0x72: // record
      return { size: 1 + sumOf(reader, () => readNamed(reader, scope)) };
    case 0x71: // variant
      return { size: 1 + sumOf(reader, () => readCase(reader, scope)) };
    case 0x70: // list
    case 0x6b: // option
      return { size: 1 + readValueType(reader, scope) };
    case 0x6f: // tuple
      return { size: 1 + sumOf(reader, () => readValueType(reader, scope)) };
    case 0x6e: // flags
    case 0x6d: // enum
      return { size: 1 + sumOf(reader, () => skipName(reader)) };
    case 0x6a: // result
      return { size: 1 + readOptional(reader, scope) + readOptional(reader, scope) };
    case 0x69: // own
    case 0x68: // borrow
      reader.skipNumber();
      return { size: 1 };
    case 0x40: // function
      return { size: 1 + sumOf(reader, () => readNamed(reader, scope)) + readResult(reader, scope) };
    case 0x41: // component
    case 0x42: // instance
      return readInterface(reader, new Scope(scope), form === 0x41);
    case 0x3f: // resource
      reader.skip(1);
      if (reader.byte() === 0x01) reader.skipNumber();
      return { size: 1 };
    case 0x43:
    case 0x3e:
    case 0x65:
    case 0x66:
      throw new RefusedFeature('asynchronous functions, streams or futures of components (WASI 0.3)');
    case 0x67:
      throw new RefusedFeature('lists of a fixed length in the interface of a component');
    case 0x63:
      throw new RefusedFeature('maps in the interface of a component');
    default:
      if (form >= 0x64 && form <= 0x7f) return { size: 1 };
      throw new MalformedWasm(`an unknown type 0x${form.toString(16)} at byte ${reader.position - 1}`);
  }
}

function sumOf(reader: ByteReader, read: () => number): number {
  let sum = 0;
  for (let left = reader.u32(); left > 0; left -= 1) sum += read();
  return sum;
}

function readNamed(reader: ByteReader, scope: Scope): number {
  reader.name();
  return readValueType(reader, scope);
}

function readCase(reader: ByteReader, scope: Scope): number {
  reader.name();
  const size = 1 + readOptional(reader, scope);
  if (reader.byte() === 0x01) reader.skipNumber();
  return size;
}

function skipName(reader: ByteReader): number {
  reader.name();
  return 1;
}

function readOptional(reader: ByteReader, scope: Scope): number {
  return reader.byte() === 0x00 ? 0 : readValueType(reader, scope);
}

function readResult(reader: ByteReader, scope: Scope): number {
  if (reader.byte() === 0x00) return readValueType(reader, scope);
  return sumOf(reader, () => readNamed(reader, scope));
}

/** A primitive type, or the index of a defined one. */
function readValueType(reader: ByteReader, scope: Scope): number {
  const first = reader.bytes[reader.position] ?? 0;
  if (first < 0x40 || first >= 0x80) return scope.get('type', reader.u32()).size;
  reader.skip(1);
  return 1;
}

function readInterface(reader: ByteReader, scope: Scope, ofComponent: boolean): Item {
  let size = 1;
  let typesOnly = true;
  for (let left = reader.u32(); left > 0; left -= 1) {
    const kind = reader.byte();
    if (kind === 0x00) throw new RefusedFeature('types of core modules in the interface of a component');
    else if (kind === 0x01) {
      const item = readType(reader, scope);
      scope.add('type', item);
      size += 1;
    } else if (kind === 0x02) scope.readAlias(reader);
    else if (kind === 0x04) {
      const name = readExternName(reader);
      typesOnly &&= isType(reader);
      const item = scope.readDescription(reader);
      scope.exports.set(name, item);
      size += item.size;
    } else if (kind === 0x03 && ofComponent) {
      readExternName(reader);
      size += scope.readDescription(reader).size;
    } else throw new MalformedWasm(`an unknown declaration at byte ${reader.position - 1}`);
  }
  return { size, exports: scope.exports, typesOnly: typesOnly && scope.exports.size > 0 };
}

/** What comes next describes a type that is no resource. */
export function isType({ bytes, position }: ByteReader): boolean {
  return bytes[position] === 0x03 && bytes[position + 1] === 0x00;
}
