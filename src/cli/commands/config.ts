import { Command } from 'commander';
import { shownText } from '../../config/option.ts';
import { type OptionName, optionNames, options } from '../../config/options.ts';
import { OptionSources } from '../../config/sources.ts';
import { type ConfigFlags, type NodeConfig, resolveConfig } from '../../config.ts';
import { snakeCase } from '../../domain/schema/form.ts';
import { addConfigFlags } from '../config-flags.ts';
import { note, type Shell } from '../shell.ts';
import { Table } from '../table.ts';

export function configCommand(shell: Shell): Command {
  return new Command('config')
    .description('check the configuration file of a server, and show what a server would be started with')
    .addCommand(checkCommand(shell))
    .addCommand(showCommand(shell))
    .addCommand(schemaCommand(shell));
}

function checkCommand(shell: Shell): Command {
  return new Command('check')
    .description('say whether a file can be a --config: exit code 0, or 64 with what is wrong')
    .argument('<file>')
    .action(async (path: string) => {
      const { readConfigFile } = await import('../../config/file.ts');
      const file = readConfigFile(path);
      // Variables of options are of the environment in which the server runs, not of the one in which this does.
      const env = Object.entries(shell.env).filter(([name]) => !name.startsWith('SPEAR_'));
      const own = Object.fromEntries(env);
      resolveConfig({}, own, file);
      for (const text of new OptionSources({}, own, file).retired()) await note(shell, text);
      const count = file.values.size;
      await shell.out.write(`${path} is good: ${count} option${count === 1 ? '' : 's'}\n`);
    });
}

interface Shown {
  readonly option: string;
  /** In words as a file has it; empty for none. */
  readonly value: string;
  readonly from: 'flag' | 'environment' | 'file' | 'default';
  /** The flag, the variable, or the file and its line; absent for a default. */
  readonly place?: string;
}

function showCommand(shell: Shell): Command {
  return addConfigFlags(new Command('show'))
    .description('show each option of spear serve as it would be with these flags, and where it is from')
    .option('--json', 'as JSON')
    .action(async ({ json, ...flags }: ConfigFlags & { readonly json?: boolean }) => {
      const { namedConfigFile } = await import('../../config/file.ts');
      const file = namedConfigFile(flags, shell.env);
      const sources = new OptionSources(flags, shell.env, file);
      const config = resolveConfig(flags, shell.env, file);
      for (const text of sources.retired()) await note(shell, text);
      const shown = optionNames.map((name) => shownOf(name, config, sources));
      if (json === true) {
        await shell.out.write(`${JSON.stringify({ options: shown }, null, 2)}\n`);
        return;
      }
      const table = new Table(shell.out, ['OPTION', 'VALUE', 'FROM']);
      await table.write(shown.map(({ option, value, from, place }) => [option, value || '-', place ?? from]));
    });
}

function shownOf(name: OptionName, config: NodeConfig, sources: OptionSources): Shown {
  const source = sources.find(name);
  return {
    option: snakeCase(name),
    value: shownText(options[name], config[name]),
    from: source?.kind ?? 'default',
    ...(source !== undefined && { place: source.place }),
  };
}

function schemaCommand(shell: Shell): Command {
  return new Command('schema')
    .description('print the JSON Schema of a configuration file')
    .action(async () => {
      const { configSchema } = await import('../../config/schema.ts');
      await shell.out.write(`${JSON.stringify(configSchema(), null, 2)}\n`);
    });
}
