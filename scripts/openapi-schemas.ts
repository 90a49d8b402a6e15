/** Messages as JSON Schema, as they are in the JSON of Protobuf (https://protobuf.dev/programming-guides/json). */
import { type DescEnum, type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { getComments } from '@bufbuild/protoplugin';

export type Json = Readonly<Record<string, unknown>>;

const whole = { type: ['integer', 'string'] } as const;
const scalars: Readonly<Record<ScalarType, Json>> = {
  [ScalarType.DOUBLE]: { type: 'number' },
  [ScalarType.FLOAT]: { type: 'number' },
  [ScalarType.INT64]: { ...whole, format: 'int64' },
  [ScalarType.UINT64]: { ...whole, format: 'uint64' },
  [ScalarType.INT32]: { type: 'integer', format: 'int32' },
  [ScalarType.FIXED64]: { ...whole, format: 'uint64' },
  [ScalarType.FIXED32]: { type: 'integer', format: 'uint32' },
  [ScalarType.BOOL]: { type: 'boolean' },
  [ScalarType.STRING]: { type: 'string' },
  [ScalarType.BYTES]: { type: 'string', contentEncoding: 'base64' },
  [ScalarType.UINT32]: { type: 'integer', format: 'uint32' },
  [ScalarType.SFIXED32]: { type: 'integer', format: 'int32' },
  [ScalarType.SFIXED64]: { ...whole, format: 'int64' },
  [ScalarType.SINT32]: { type: 'integer', format: 'int32' },
  [ScalarType.SINT64]: { ...whole, format: 'int64' },
};

/** Messages that have a form of their own in JSON. */
const wellKnown: Readonly<Record<string, Json>> = {
  'google.protobuf.Duration': { type: 'string', pattern: String.raw`^-?\d+(\.\d{1,9})?s$` },
  'google.protobuf.Timestamp': { type: 'string', format: 'date-time' },
  'google.protobuf.Struct': { type: 'object', additionalProperties: true },
  'google.protobuf.ListValue': { type: 'array', items: {} },
  'google.protobuf.Value': {},
};

/** Fields that the node has in JSON beside those of the message; see `json-response.ts` and `json-request.ts`. */
const textOf: Readonly<Record<string, Json>> = {
  output: { outputText: { type: 'string', readOnly: true, description: '`output`, where it is UTF-8.' } },
  error_output: {
    errorText: { type: 'string', readOnly: true, description: '`errorOutput`, where it is UTF-8.' },
  },
  input: { inputText: { type: 'string', writeOnly: true, description: '`input`, as text.' } },
};

/** The text of a comment, as one paragraph for each that it has. */
export function commentOf(desc: Parameters<typeof getComments>[0]): string {
  const { leading = '', trailing = '' } = getComments(desc);
  return [leading, trailing]
    .flatMap((text) => text.split(/\n\s*\n/))
    .map((text) => text.replaceAll(/\s+/g, ' ').trim())
    .filter((text) => text !== '')
    .join('\n\n');
}

function described(text: string): Json {
  return text === '' ? {} : { description: text };
}

/** Gathers the schemas of all that is referred to. */
export class Schemas {
  readonly #found = new Map<string, Json>();

  reference(desc: DescMessage | DescEnum): Json {
    const known = wellKnown[desc.typeName];
    if (known !== undefined) return known;
    const { typeName } = desc;
    if (!this.#found.has(typeName)) {
      // What contains itself is referred to.
      this.#found.set(typeName, {});
      this.#found.set(typeName, desc.kind === 'enum' ? this.#enumeration(desc) : this.#message(desc));
    }
    return { $ref: `#/components/schemas/${typeName}` };
  }

  /** By name, in order. */
  get all(): Json {
    return Object.fromEntries([...this.#found].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #enumeration(desc: DescEnum): Json {
    const values = desc.values.map((value) => [value.name, commentOf(value)] as const);
    const told = values.filter(([, text]) => text !== '').map(([name, text]) => `- \`${name}\`: ${text}`);
    return {
      type: 'string',
      enum: values.map(([name]) => name),
      ...described([commentOf(desc), told.join('\n')].filter((text) => text !== '').join('\n\n')),
    };
  }

  #message(desc: DescMessage): Json {
    const properties = desc.fields.map((field) => [field.jsonName, this.#field(field)] as const);
    const texts = desc.fields
      .filter(({ fieldKind, scalar }) => fieldKind === 'scalar' && scalar === ScalarType.BYTES)
      .map(({ name }) => textOf[name] ?? {});
    const choices = desc.oneofs.map(
      ({ fields }) => `At most one of ${fields.map(({ jsonName }) => `\`${jsonName}\``).join(', ')}.`,
    );
    return {
      type: 'object',
      ...described([commentOf(desc), ...choices].filter((text) => text !== '').join('\n\n')),
      properties: Object.assign(Object.fromEntries(properties), ...texts) as Json,
    };
  }

  #field(field: DescField): Json {
    const shape = this.#shape(field);
    return { ...shape, ...described(commentOf(field)) };
  }

  #shape(field: DescField): Json {
    switch (field.fieldKind) {
      case 'scalar':
        return scalars[field.scalar];
      case 'message':
        return this.reference(field.message);
      case 'enum':
        return this.reference(field.enum);
      case 'list':
        return { type: 'array', items: this.#element(field.listKind === 'scalar' ? field.scalar : field) };
      case 'map':
        return {
          type: 'object',
          additionalProperties: this.#element(field.mapKind === 'scalar' ? field.scalar : field),
        };
    }
  }

  #element(
    of: ScalarType | { readonly message: DescMessage | undefined; readonly enum: DescEnum | undefined },
  ): Json {
    if (typeof of !== 'object') return scalars[of];
    const desc = of.message ?? of.enum;
    if (desc === undefined) throw new Error('an element is a scalar, an enum or a message');
    return this.reference(desc);
  }
}
