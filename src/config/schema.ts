/** The JSON Schema of a configuration file, for editors and for those who check one without Spear. */
import { snakeCase } from '../domain/schema/form.ts';
import { defaultText, durationPattern, type Option, type OptionValue, sizePattern } from './option.ts';
import { optionNames, options, retiredOptions } from './options.ts';

type Schema = Readonly<Record<string, unknown>>;

export function configSchema(): Schema {
  const known = optionNames.map((name) => [snakeCase(name), schemaOf(options[name])] as const);
  const retired = Object.entries(retiredOptions).map(
    ([name, instead]) =>
      [snakeCase(name), { description: `Does nothing any more: ${instead}`, deprecated: true }] as const,
  );
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Spear configuration',
    description: 'What spear serve --config reads',
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries([...known, ...retired]),
  };
}

function schemaOf(option: Option): Schema {
  const fallback = defaultText(option);
  const description = fallback === undefined ? option.about : `${option.about} (default ${fallback})`;
  return { description, ...formOf(option.value) };
}

function formOf(value: OptionValue): Schema {
  switch (value.kind) {
    case 'truth':
      return { type: 'boolean' };
    case 'text':
      return { type: 'string' };
    case 'word':
      return { enum: value.words };
    case 'whole':
      return { type: 'integer', minimum: value.least, maximum: value.most };
    case 'decimal':
      return orAuto({ type: 'number', minimum: value.least, maximum: value.most }, value);
    case 'size':
      return orAuto(
        {
          anyOf: [
            { type: 'integer', minimum: value.least, maximum: value.most },
            { type: 'string', pattern: sizePattern },
          ],
        },
        value,
      );
    case 'duration':
      return { type: 'string', pattern: durationPattern };
    case 'list': {
      const item = value.words === undefined ? { type: 'string' } : { enum: value.words };
      return { anyOf: [{ type: 'array', items: item }, { type: 'string' }] };
    }
    case 'numbers': {
      const number = { type: 'integer', minimum: value.least, maximum: value.most };
      const properties = Object.fromEntries(value.names.map((name) => [name, number]));
      return { anyOf: [{ type: 'object', properties, additionalProperties: false }, { type: 'string' }] };
    }
  }
}

function orAuto(schema: Schema, { auto }: { readonly auto?: true }): Schema {
  return auto === undefined ? schema : { anyOf: [schema, { const: 'auto' }] };
}
