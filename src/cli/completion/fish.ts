import { type CommandFlag, type CommandNode, everyCommand } from '../command-tree.ts';
import { listings } from './listings.ts';

/** A script that is put into `~/.config/fish/completions/spear.fish`. */
export function fishCompletion(tree: CommandNode): string {
  const commands = everyCommand(tree);
  const paths = commands.slice(1).map(({ path }) => fishQuoted(path));
  return `# fish completion of spear: spear completion fish > ~/.config/fish/completions/spear.fish
set -g __spear_commands ${paths.join(' ')}
function __spear_at
  set -l at spear
  for word in (commandline -opc)[2..-1]
    if contains -- "$at $word" $__spear_commands
      set at "$at $word"
    end
  end
  test "$at" = "$argv[1]"
end
complete -c spear -e
${commands.flatMap(linesOf).join('\n')}
`;
}

function linesOf({ path, commands, flags, argument }: CommandNode): string[] {
  const here = `complete -c spear -n ${fishQuoted(`__spear_at ${fishQuoted(path)}`)}`;
  const names = argument === 'task' || argument === 'execution' ? listings[argument] : undefined;
  return [
    ...commands.map(({ name, about }) => `${here} -f -a ${fishQuoted(name)} -d ${fishQuoted(about)}`),
    ...flags.map((flag) => `${here} ${flagWords(flag)} -d ${fishQuoted(flag.about)}`),
    ...(names === undefined ? [] : [`${here} -f -a ${fishQuoted(`(${names})`)}`]),
  ];
}

function flagWords({ long, short, takesValue }: CommandFlag): string {
  const words = [`-l ${long.slice(2)}`];
  if (short !== undefined) words.push(`-s ${short.slice(1)}`);
  if (takesValue) words.push('-r');
  return words.join(' ');
}

/** In single quotes fish knows two escapes. */
function fishQuoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
