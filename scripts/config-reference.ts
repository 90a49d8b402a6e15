/** The JSON Schema of the configuration file, and the tables of docs/configuration.md; run, it writes both. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { defaultText, optionWords } from '../src/config/option.ts';
import { optionGroups, options } from '../src/config/options.ts';
import { configSchema } from '../src/config/schema.ts';
import { snakeCase } from '../src/domain/schema/form.ts';

export const schemaPath = 'schema/config.schema.json';
export const configPage = 'docs/configuration.md';

const begin = '<!-- made by npm run generate -->\n';
const end = '<!-- until here -->\n';

export function schemaText(): string {
  return `${JSON.stringify(configSchema(), null, 2)}\n`;
}

/** The page with the tables as they are now. */
export function withOptions(page: string): string {
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error('the page has no place for the tables');
  const tables = optionGroups.map(([about, names]) => {
    const rows = names.map((name) => {
      const option = options[name];
      const live = option.live === true ? '; read again on SIGHUP' : '';
      const cells = [
        `\`${snakeCase(name)}\``,
        optionWords(option),
        defaultText(option) ?? (option.value.kind === 'truth' ? 'false' : 'none'),
        `${option.about}${live}`,
      ];
      return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
    });
    return [`### ${about}`, '', '| key | value | default | |', '|---|---|---|---|', ...rows].join('\n');
  });
  return `${before}${begin}\n${tables.join('\n\n')}\n\n${end}${after}`;
}

if (import.meta.main) {
  await mkdir(dirname(schemaPath), { recursive: true });
  await writeFile(schemaPath, schemaText());
  await writeFile(configPage, withOptions(await readFile(configPage, 'utf8')));
}
