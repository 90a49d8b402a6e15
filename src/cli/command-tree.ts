/** The commands of `spear` as a tree without behaviour: completion and the manual page are made of it. */
import type { Command } from 'commander';

export interface CommandFlag {
  /** `--slots`. */
  readonly long: string;
  readonly short?: string;
  readonly takesValue: boolean;
  /** As the help has it: `--slots <n>`. */
  readonly usage: string;
  readonly about: string;
}

export interface CommandNode {
  readonly name: string;
  /** With those that it is under: `spear task list`. */
  readonly path: string;
  readonly about: string;
  /** `[options] <id>`. */
  readonly usage: string;
  readonly flags: readonly CommandFlag[];
  readonly commands: readonly CommandNode[];
  /** What its first argument is; absent for something that only its user can know. */
  readonly argument?: 'task' | 'execution' | 'file';
}

/** What the names of arguments stand for. */
const argumentKinds: Readonly<Record<string, CommandNode['argument']>> = {
  task: 'task',
  id: 'execution',
  file: 'file',
  snapshot: 'file',
};

export function commandTree(command: Command, above = ''): CommandNode {
  const path = above === '' ? command.name() : `${above} ${command.name()}`;
  const argument = argumentKinds[command.registeredArguments[0]?.name() ?? ''];
  const flags = command.options.flatMap((option): CommandFlag[] =>
    option.hidden || typeof option.long !== 'string'
      ? []
      : [
          {
            long: option.long,
            ...(option.short !== undefined && { short: option.short }),
            takesValue: option.required || option.optional,
            usage: option.flags,
            about: option.description,
          },
        ],
  );
  return {
    ...{ name: command.name(), path, about: command.description(), usage: command.usage() },
    flags: [
      ...flags,
      {
        long: '--help',
        short: '-h',
        takesValue: false,
        usage: '-h, --help',
        about: 'display help for command',
      },
    ],
    commands: command.commands.map((each) => commandTree(each, path)),
    ...(argument !== undefined && { argument }),
  };
}

/** It, and all that are under it. */
export function everyCommand(node: CommandNode): CommandNode[] {
  return [node, ...node.commands.flatMap(everyCommand)];
}
