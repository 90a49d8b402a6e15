/** The flags of `spear serve`, of the table of its options. */
import { type Command, Option } from 'commander';
import {
  defaultText,
  flagOf,
  isNumeric,
  type OptionValue,
  type Option as ServeOption,
} from '../config/option.ts';
import { optionNames, options, retiredOptions } from '../config/options.ts';
import { parseDuration } from './duration.ts';
import { parseSize } from './size.ts';

export function addConfigFlags(command: Command): Command {
  command.option('--config <file>', 'a file with options, in YAML; see spear config (or SPEAR_CONFIG)');
  for (const name of optionNames) {
    const option = options[name];
    const flag = flagOf(name);
    const parse = parserOf(flag, option.value);
    const words = [wordsOf(flag, option.value), descriptionOf(option)] as const;
    if (parse === undefined) command.option(...words);
    else command.option(...words, parse);
  }
  for (const name of Object.keys(retiredOptions)) command.addOption(new Option(flagOf(name)).hideHelp());
  return command;
}

function wordsOf(flag: string, value: OptionValue): string {
  return value.kind === 'truth' ? flag : `${flag} <${value.placeholder}>`;
}

function descriptionOf(option: ServeOption): string {
  const { value, about } = option;
  const words = value.kind === 'word' ? `: ${value.words.join(', ')}` : '';
  const several = value.kind === 'list' && value.several === true ? '; may come more than once' : '';
  const fallback = defaultText(option);
  return `${about}${words}${several}${fallback === undefined ? '' : ` (default ${fallback})`}`;
}

type Parse = (text: string, before?: string) => string;

/** Others are read where all sources are. */
function parserOf(flag: string, value: OptionValue): Parse | undefined {
  if (value.kind === 'list' && value.several === true) {
    return (text, before) => (before === undefined ? text : `${before}${value.separator}${text}`);
  }
  if (!isNumeric(value) || (value.kind !== 'size' && value.kind !== 'duration')) return undefined;
  const parse = value.kind === 'size' ? parseSize : parseDuration;
  return (text) => (text === 'auto' && value.auto === true ? text : String(parse(flag, text)));
}
