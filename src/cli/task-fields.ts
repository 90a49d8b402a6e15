/** Every key that a task file may have, and what may stand there, as the schema has it. */
import { type Form, type ObjectForm, snakeCase, spokenName } from '../domain/schema/form.ts';
import type { Said } from '../domain/schema/said.ts';
import { taskDefinition } from '../domain/schema/task-definition.ts';
import type { TaskDefinition } from '../domain/task.ts';
import * as read from './document.ts';
import { parseDuration } from './duration.ts';
import { namesOf, parseDigest, parserOf } from './task-value.ts';

type Readers = Readonly<Record<string, read.Reader<unknown>>>;

const artifactFields = read.section({
  path: read.text,
  image: read.text,
  url: read.text,
  sha256: read.parsed(parseDigest),
});

/** What a file says in its own way, beside the schema's own keys or instead of them. */
const ownKeys = {
  /** A path, image or URL alone, or with a digest that it must have. */
  artifact: (field: string, node: unknown) => (typeof node === 'string' ? node : artifactFields(field, node)),
  env: read.map(read.text),
  /** The host's paths are relative to the file. */
  preopens: read.map(read.text),
  timeout: read.parsed(parseDuration),
};

/** What a task file says. */
export type TaskFields = Omit<Said<TaskDefinition>, 'artifact'> & {
  readonly [Key in keyof typeof ownKeys]?: ReturnType<(typeof ownKeys)[Key]>;
};

const top = read.section({ ...readersOf(taskDefinition.form), ...ownKeys });

/** In the order of the schema; keys that are not known are refused with it. */
export function taskFields(field: string, node: unknown): TaskFields {
  // Each key's value came from that key's reader.
  return inSchemaNames(taskDefinition.form, top(field, node)) as TaskFields;
}

/** By the names that a file has. */
function readersOf({ fields }: ObjectForm): Readers {
  return Object.fromEntries(
    [...fields]
      .filter(([, { form }]) => form.kind !== 'other')
      .map(([name, { form }]) => [spokenName(name, form), readerOf(form)]),
  );
}

function readerOf(form: Form): read.Reader<unknown> {
  switch (form.kind) {
    case 'object': {
      const section = read.section(readersOf(form));
      // Others say something by being there, such as that there is a container.
      const emptySaysNothing = [...form.fields.values()].every(({ optional }) => optional);
      const inSchema: read.Reader<unknown> = (field, node) => {
        const said = inSchemaNames(form, section(field, node));
        return emptySaysNothing && Object.keys(said).length === 0 ? undefined : said;
      };
      return Object.assign(inSchema, { fields: section.fields });
    }
    case 'list':
      return read.list(readerOf(form.item));
    case 'map':
      return read.map(readerOf(form.value));
    case 'word': {
      const names = namesOf(form);
      const word = read.word([...names.keys()]);
      return (field, node) => names.get(word(field, node));
    }
    case 'truth':
      return read.truth;
    default:
      return read.parsed(parserOf(form));
  }
}

/** `grace` is `graceMs` there. */
function inSchemaNames({ fields }: ObjectForm, section: Readonly<Record<string, unknown>>): object {
  const names = new Map([...fields].map(([name, { form }]) => [spokenName(name, form), name]));
  return Object.fromEntries(Object.entries(section).map(([name, value]) => [names.get(name) ?? name, value]));
}

/** The key of a task file that somebody means who writes it as a flag: `retry`, `retry.max_attempts`. */
export function taskFileKey(flag: string): string | undefined {
  const wanted = flag.replaceAll('-', '_');
  const { fields } = top;
  if (Object.keys(fields).some((name) => snakeCase(name) === wanted)) return wanted;
  for (const [name, reader] of Object.entries(fields)) {
    if (!('fields' in reader)) continue;
    const under = Object.keys(Object(reader.fields)).map(snakeCase);
    const found = under.find((each) => each === wanted || `${snakeCase(name)}_${each}` === wanted);
    if (found !== undefined) return `${snakeCase(name)}.${found}`;
  }
  return undefined;
}
