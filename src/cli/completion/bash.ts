import { type CommandNode, everyCommand } from '../command-tree.ts';
import { listings, quoted } from './listings.ts';

/** A script for bash 4 and newer, without the package bash-completion. */
export function bashCompletion(tree: CommandNode): string {
  const commands = everyCommand(tree);
  const below = commands.slice(1).map(({ path }) => quoted(path));
  return `# bash completion of spear: source <(spear completion bash)
_spear() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} at=spear word names='' flags='' valued='' kind='' i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case "$at $word" in
      ${below.join(' | ')}) at="$at $word" ;;
    esac
  done
  case "$at" in
${commands.map(bashCase).join('\n')}
  esac
  if [[ " $valued " == *" $prev "* ]]; then
    compopt -o default 2>/dev/null
    return
  fi
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$cur"))
    return
  fi
  case "$kind" in
    task) names=$(${listings.task}) ;;
    execution) names=$(${listings.execution}) ;;
    file) compopt -o default 2>/dev/null; return ;;
  esac
  # Not by compgen -W, which would run what a server says in its names.
  for word in $names; do
    [[ $word == "$cur"* ]] && COMPREPLY+=("$word")
  done
}
complete -F _spear spear
`;
}

function bashCase({ path, flags, commands, argument }: CommandNode): string {
  const words = [
    ...(commands.length === 0 ? [] : [`names=${quoted(commands.map(({ name }) => name).join(' '))}`]),
    `flags=${quoted(flags.map(({ long }) => long).join(' '))}`,
    `valued=${quoted(
      flags
        .filter(({ takesValue }) => takesValue)
        .flatMap(({ long, short }) => (short === undefined ? [long] : [long, short]))
        .join(' '),
    )}`,
    ...(argument === undefined ? [] : [`kind=${argument}`]),
  ];
  return `    ${quoted(path)}) ${words.join('; ')} ;;`;
}
