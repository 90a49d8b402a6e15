/** What is wrong with a command line, in the words of the rest of the command: what it is, and what is allowed. */
import type { Command, CommanderError } from 'commander';
import { didYouMean } from '../domain/did-you-mean.ts';
import { quote } from '../domain/errors.ts';
import { taskFileKey } from './task-fields.ts';
import { UsageError } from './usage-error.ts';

/** Commands whose users look for what only a task can say. */
const sayingTasks = ['spear task register', 'spear invoke'];

/** Throws a UsageError where the first word that stands for a command is none: also before a `--help`. */
export function checkCommandName(program: Command, args: readonly string[]): void {
  let command = program;
  for (const word of args) {
    // The options of a command that has others under it take no value.
    if (word.startsWith('-')) continue;
    if (command === program && word === 'help') continue;
    if (command.commands.length === 0) return;
    const next = command.commands.find((each) => each.name() === word);
    // It does something with a word of its own.
    if (next === undefined && command.registeredArguments.length > 0) return;
    if (next === undefined) throw unknownCommand(command, word);
    command = next;
  }
}

function unknownCommand(command: Command, word: string): UsageError {
  const names = command.commands.map((each) => each.name());
  const guess = didYouMean(word, names);
  const hint = guess === undefined ? `allowed are ${names.join(', ')}` : `did you mean ${guess}?`;
  return new UsageError(`${quote(word)} is not a command of ${fullName(command)}; ${hint}`);
}

/** One line; `command` is the one whose line it was. */
export function parseErrorText(error: CommanderError, command: Command): string {
  const text = error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
  // The library tells what was wrong in its message alone.
  const named = /'([^']*)'/.exec(text)?.[1] ?? '';
  switch (error.code) {
    case 'commander.unknownOption':
      return unknownOption(named, command);
    case 'commander.optionMissingArgument':
      return `${/--[\w-]+/.exec(named)?.[0] ?? named}: has no value; allowed is ${named}`;
    case 'commander.missingArgument':
      return `${named.toUpperCase()}: is missing; allowed is ${fullName(command)} ${command.usage()}`;
    case 'commander.excessArguments': {
      const expected = command.registeredArguments.length;
      const extra = command.args.slice(expected).map(quote).join(', ');
      return `${extra}: is too much; allowed is ${fullName(command)} ${command.usage()}`;
    }
    default:
      return text;
  }
}

function unknownOption(option: string, command: Command): string {
  const [flag = option] = option.split('=', 1);
  const key = taskFileKey(flag.replace(/^-+/, ''));
  if (key !== undefined && sayingTasks.includes(fullName(command))) {
    return `${flag}: is not a flag of ${fullName(command)}; a task file can say it, as ${key}: spear task register --file TASK.yaml`;
  }
  const flags = [...command.options.flatMap(({ long }) => long ?? []), '--help'];
  // The two dashes are no part of the word.
  const guess = didYouMean(
    flag.replace(/^-+/, ''),
    flags.map((each) => each.slice(2)),
  );
  const hint = guess === undefined ? `see ${fullName(command)} --help` : `did you mean --${guess}?`;
  return `${flag}: is not a flag of ${fullName(command)}; ${hint}`;
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}
