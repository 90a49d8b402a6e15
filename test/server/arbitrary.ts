import { create, type DescField, type DescMessage, type Message, ScalarType } from '@bufbuild/protobuf';
import fc from 'fast-check';

const loneSurrogate = fc.constantFrom('\ud800', 'a\udc00b', '\udfff\ud800');
export const texts = fc.oneof(
  { arbitrary: fc.constantFrom('count', 'typed', 'ping', 'add', 'exec_x', 'task_x', ''), weight: 8 },
  { arbitrary: fc.string({ unit: 'binary', maxLength: 40 }), weight: 4 },
  { arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }), weight: 2 },
  {
    arbitrary: fc.constantFrom('\0', '__proto__', 'constructor', '../../etc/passwd', '%00', '\r\n', '𝕏'),
    weight: 2,
  },
  { arbitrary: loneSurrogate, weight: 1 },
  { arbitrary: fc.integer({ min: 250, max: 20_000 }).map((length) => '漢'.repeat(length)), weight: 1 },
);
const int32 = fc.oneof(fc.integer(), fc.constantFrom(0, 1, -1, 2 ** 31 - 1, -(2 ** 31)));
const uint32 = fc.oneof(fc.nat({ max: 2 ** 32 - 1 }), fc.constantFrom(0, 1, 1000, 2 ** 32 - 1));
const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(0n, 1n, -1n, 60n),
);
const uint64 = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.constantFrom(0n, 1n, 2n ** 53n));
const bytes = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.constant(new Uint8Array()));

function scalar(type: ScalarType): fc.Arbitrary<unknown> {
  switch (type) {
    case ScalarType.STRING:
      return texts;
    case ScalarType.BYTES:
      return bytes;
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return fc.double();
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return uint32;
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return int64;
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return uint64;
    default:
      return int32;
  }
}

/** A small message where the field is one, so that a request is neither always empty nor endless. */
function value(field: DescField, depth: number): fc.Arbitrary<unknown> {
  switch (field.fieldKind) {
    case 'scalar':
      return scalar(field.scalar);
    case 'enum':
      return fc.oneof(fc.constantFrom(...field.enum.values.map((each) => each.number)), int32);
    case 'message':
      return message(field.message, depth - 1);
    case 'list':
      return fc.array(
        field.listKind === 'scalar'
          ? scalar(field.scalar)
          : field.listKind === 'enum'
            ? int32
            : message(field.message, depth - 1),
        { maxLength: 4 },
      );
    case 'map':
      return fc.dictionary(
        texts,
        field.mapKind === 'scalar'
          ? scalar(field.scalar)
          : field.mapKind === 'enum'
            ? int32
            : message(field.message, depth - 1),
        { maxKeys: 4 },
      );
  }
}

export function message(desc: DescMessage, depth: number): fc.Arbitrary<Message> {
  if (depth <= 0) return fc.constant(create(desc));
  const members = desc.members.map((member) => {
    if (member.kind === 'field') {
      // What waits is waited for: an hour of delay would only make the test slow.
      const often = member.name === 'start_after' ? 1 : 12;
      return fc
        .option(value(member, depth), { freq: often })
        .map((found) => [member.localName, found] as const);
    }
    return fc
      .option(
        fc.oneof(
          ...member.fields.map((field) =>
            value(field, depth).map((found) => ({ case: field.localName, value: found })),
          ),
        ),
        { freq: 10 },
      )
      .map((found) => [member.localName, found] as const);
  });
  return fc
    .tuple(...members)
    .map((entries) =>
      create(desc, Object.fromEntries(entries.filter(([, found]) => found !== null)) as never),
    );
}
