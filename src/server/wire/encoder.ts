/**
 * Encoders of whole messages, faster than the general one: the code for a message is made of its description once, so
 * that it reads each field by its name, and what it writes goes into a buffer that is kept (docs/performance.md). The
 * bytes are those of the general encoder, which also takes what is seldom: oneofs, structs, wrappers, unknown fields.
 */
import {
  type DescField,
  type DescMessage,
  type MessageShape,
  ScalarType,
  toBinary,
} from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { Edition, FeatureSet_FieldPresence, isWrapperDesc } from '@bufbuild/protobuf/wkt';

type Write = (writer: BinaryWriter, message: unknown) => void;

/** A writer keeps its buffer; after a message of more bytes there is a new one. */
const mostKeptBytes = 64 * 1024;

/** The method of a writer, and the type on the wire. Absent for types that no message of ours has. */
const scalars: Readonly<Partial<Record<ScalarType, readonly [method: keyof BinaryWriter, type: WireType]>>> =
  {
    [ScalarType.STRING]: ['string', WireType.LengthDelimited],
    [ScalarType.BYTES]: ['bytes', WireType.LengthDelimited],
    [ScalarType.BOOL]: ['bool', WireType.Varint],
    [ScalarType.INT32]: ['int32', WireType.Varint],
    [ScalarType.UINT32]: ['uint32', WireType.Varint],
    [ScalarType.INT64]: ['int64', WireType.Varint],
    [ScalarType.UINT64]: ['uint64', WireType.Varint],
    [ScalarType.DOUBLE]: ['double', WireType.Bit64],
  };

/** Bytes of a message, for grpc-js. Throws an Error that names the field for a value that it cannot have. */
export function encoderOf<Desc extends DescMessage>(desc: Desc): (message: MessageShape<Desc>) => Buffer {
  const general = (message: MessageShape<Desc>): Buffer => bufferOf(toBinary(desc, message));
  const write = writeOf(desc);
  if (write === undefined) return general;
  let writer = new BinaryWriter();
  return (message) => {
    try {
      write(writer, message);
    } catch {
      // The general one takes it, or says which field is wrong.
      writer = new BinaryWriter();
      return general(message);
    }
    const bytes = writer.finish();
    if (bytes.byteLength > mostKeptBytes) writer = new BinaryWriter();
    return bufferOf(bytes);
  };
}

function bufferOf(bytes: Uint8Array<ArrayBuffer>): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Undefined where the message has a field of a kind that is left to the general encoder. */
function writeOf(desc: DescMessage): Write | undefined {
  try {
    return new Compilation().write(desc);
  } catch (error) {
    // Node can be told to make no code of text.
    if (error instanceof LeftToGeneral || error instanceof EvalError) return undefined;
    throw error;
  }
}

class LeftToGeneral extends Error {}

/** The code of a message and of those within it. */
class Compilation {
  readonly #known = new Map<DescMessage, Write>();

  write(desc: DescMessage): Write {
    const before = this.#known.get(desc);
    if (before !== undefined) return before;
    let made: Write | undefined;
    // A message can have others of its own kind in it.
    this.#known.set(desc, (writer, message) => made?.(writer, message));
    if (desc.file.edition !== Edition.EDITION_PROTO3) throw new LeftToGeneral();
    const inner: Write[] = [];
    const fields = desc.fields.toSorted((a, b) => a.number - b.number);
    const code = fields.map((field) => this.#field(field, inner)).join('\n');
    // Names are those of the generated types, which are identifiers.
    const known = `if (message.$unknown !== undefined) throw new Error('unknown fields');`;
    made = new Function('inner', `return (writer, message) => {\n${known}\n${code}\n};`)(inner) as Write;
    this.#known.set(desc, made);
    return made;
  }

  #field(field: DescField, inner: Write[]): string {
    if (field.oneof !== undefined) throw new LeftToGeneral();
    const value = `message.${field.localName}`;
    switch (field.fieldKind) {
      case 'scalar':
        return `if (${isSet(field, value)}) ${scalar(field.number, field.scalar, value)};`;
      case 'enum':
        return `if (${isSet(field, value)}) ${scalar(field.number, ScalarType.INT32, value)};`;
      case 'message':
        return `if (${value} !== undefined) { ${this.#message(field.number, field.message, value, inner)} }`;
      case 'list': {
        if (field.packed) throw new LeftToGeneral();
        const one =
          field.listKind === 'message'
            ? this.#message(field.number, field.message, 'one', inner)
            : scalar(field.number, field.listKind === 'enum' ? ScalarType.INT32 : field.scalar, 'one');
        return `for (const one of ${value}) { ${one} }`;
      }
      case 'map': {
        if (field.mapKind !== 'scalar' || field.mapKey !== ScalarType.STRING) throw new LeftToGeneral();
        // https://protobuf.dev/programming-guides/encoding/#maps
        const entry = `${scalar(1, ScalarType.STRING, 'key')}; ${scalar(2, field.scalar, `${value}[key]`)};`;
        return `for (const key of Object.keys(${value})) { ${head(field.number)}.fork(); ${entry} writer.join(); }`;
      }
    }
  }

  #message(number: number, desc: DescMessage, value: string, inner: Write[]): string {
    // What the generated types have as plain values.
    if (isWrapperDesc(desc) || desc.typeName === 'google.protobuf.Struct') throw new LeftToGeneral();
    const index = inner.push(this.write(desc)) - 1;
    return `${head(number)}.fork(); inner[${index}](writer, ${value}); writer.join();`;
  }
}

function head(number: number, type = WireType.LengthDelimited): string {
  return `writer.uint32(${((number << 3) | type) >>> 0})`;
}

function scalar(number: number, type: ScalarType, value: string): string {
  const known = scalars[type];
  if (known === undefined) throw new LeftToGeneral();
  const [method, wireType] = known;
  return `${head(number, wireType)}.${method}(${value})`;
}

/** As the general encoder tells it. */
function isSet(field: DescField & { readonly fieldKind: 'scalar' | 'enum' }, value: string): string {
  if (field.presence !== FeatureSet_FieldPresence.IMPLICIT) return `${value} !== undefined`;
  if (field.fieldKind === 'enum') return `${value} !== ${field.enum.values[0]?.number ?? 0}`;
  switch (field.scalar) {
    case ScalarType.STRING:
      return `${value} !== ''`;
    case ScalarType.BYTES:
      return `${value}.byteLength > 0`;
    case ScalarType.BOOL:
      return `${value} !== false`;
    case ScalarType.DOUBLE:
      return `!Object.is(${value}, 0)`;
    default:
      return `${value} != 0`;
  }
}
