/** The table of docs/tasks.md and its Chinese version, made of the schema; run, it writes both. */
import { readFile, writeFile } from 'node:fs/promises';
import {
  type FieldForm,
  type Form,
  kebabCase,
  type NumberForm,
  type ObjectForm,
  snakeCase,
  spokenName,
} from '../src/domain/schema/form.ts';
import { taskDefinition } from '../src/domain/schema/task-definition.ts';
import { longestDays, longestMs } from '../src/domain/schema/values.ts';

export const pages: readonly string[] = ['docs/tasks.md', 'docs/tasks-zh.md'];

const begin = '<!-- made by npm run generate -->\n';
const end = '<!-- until here -->\n';

/** The page with the table as the schema has it now. */
export function withReference(page: string): string {
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error('the page has no place for the table');
  const lines = [
    '| key | value | default | flag | |',
    '|---|---|---|---|---|',
    ...rowsOf(taskDefinition.form, ''),
  ];
  return `${before}${begin}${lines.join('\n')}\n${end}${after}`;
}

function rowsOf({ fields }: ObjectForm, above: string): string[] {
  return [...fields].flatMap(([name, field]) => {
    const key = `${above}${snakeCase(spokenName(name, field.form))}`;
    // One that a flag says in a word is told in a row.
    if (field.form.kind === 'object' && field.form.line === undefined) {
      return rowsOf(field.form, `${key}.`);
    }
    const { flag, means = '', runtimes, secret } = field.about;
    const only = runtimes === undefined ? '' : `${runtimes.join(', ')}: `;
    const cells = [
      `\`${key}\``,
      valueWords(field.form),
      defaultWords(field),
      flag && `\`${flag.words}\``,
      `${only}${means}${secret === true ? ' A snapshot has the values only where it is asked to.' : ''}`,
    ];
    return [`| ${cells.map((cell) => (cell ?? '').replaceAll('|', '\\|')).join(' | ')} |`];
  });
}

function defaultWords({ form, about, optional }: FieldForm): string {
  if (about.defaultWords !== undefined) return about.defaultWords;
  if (!('default' in about)) return optional ? 'none' : 'needed';
  const text = plainText(form, about.default);
  return text === '' || text === '[]' || text === '{}' ? 'none' : text;
}

function plainText(form: Form, value: unknown): string {
  if (typeof value === 'object') return JSON.stringify(value);
  if (form.kind === 'duration') return durationInFile(Number(value));
  return form.kind === 'whole' && form.unit === 'bytes' ? bytesText(Number(value)) : String(value);
}

function valueWords(form: Form): string {
  switch (form.kind) {
    case 'text':
      return `${form.words?.allowed ?? 'a text'}, at most ${bytesText(form.most)}`;
    case 'number':
    case 'whole':
      return form.unit === 'bytes'
        ? `${bytesText(form.least)} to ${bytesText(form.most)}`
        : `${form.least} to ${form.most}`;
    case 'duration':
      return durationWords(form);
    case 'word':
      return form.what === undefined ? form.words.map(kebabCase).join(', ') : form.what;
    case 'truth':
      return 'true or false';
    case 'list':
      if (form.item.kind === 'object') return `a list of at most ${form.most}: ${objectWords(form.item)}`;
      return `a list of at most ${form.most}: ${valueWords(form.item)}${totalWords(form.total)}`;
    case 'map':
      return `at most ${form.most}; name: ${valueWords(form.name)}; value: ${valueWords(form.value)}${totalWords(form.total)}`;
    case 'object':
      return objectWords(form);
    default:
      return 'see right';
  }
}

/** `key` (a text), `limit` (1 to 9). */
function objectWords({ fields }: ObjectForm): string {
  return [...fields]
    .map(([name, { form, about, optional }]) => {
      const fallback = optional ? `, default ${about.defaultWords ?? 'none'}` : '';
      return `\`${snakeCase(spokenName(name, form))}\` (${valueWords(form)}${fallback})`;
    })
    .join(', ');
}

function durationWords({ least, most }: NumberForm): string {
  const longest = most === longestMs ? `${longestDays}d` : durationInFile(most);
  return least === 1 ? `above 0, at most ${longest}` : `${least / 1000}s to ${longest}`;
}

function durationInFile(ms: number): string {
  if (ms % 60_000 === 0) return `${ms / 60_000}m`;
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

function totalWords(total: number | undefined): string {
  return total === undefined ? '' : `; ${bytesText(total)} in all`;
}

function bytesText(bytes: number): string {
  for (const [unit, size] of [
    ['TiB', 2 ** 40],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ] as const) {
    if (bytes >= size && bytes % size === 0) return `${bytes / size} ${unit}`;
  }
  return `${bytes} bytes`;
}

if (import.meta.main) {
  for (const path of pages) await writeFile(path, withReference(await readFile(path, 'utf8')));
}
