import { type CommandNode, everyCommand } from '../command-tree.ts';
import { listings, quoted } from './listings.ts';

/** A script that is put into a folder of `fpath` as `_spear`. */
export function zshCompletion(tree: CommandNode): string {
  const commands = everyCommand(tree);
  const below = commands.slice(1).map(({ path }) => quoted(path));
  return `#compdef spear
# zsh completion of spear: spear completion zsh > "\${fpath[1]}/_spear"
_spear() {
  local at=spear kind='' i
  local -a names flags valued
  for ((i = 2; i < CURRENT; i++)); do
    case "$at \${words[i]}" in
      ${below.join('|')}) at="$at \${words[i]}" ;;
    esac
  done
  case "$at" in
${commands.map(zshCase).join('\n')}
  esac
  if (( \${valued[(Ie)\${words[CURRENT - 1]}]} )); then
    _files
  elif [[ \${words[CURRENT]} == -* ]]; then
    _describe -o 'option' flags
  elif (( \${#names} )); then
    _describe 'command' names
  else
    case "$kind" in
      task) names=(\${(f)"$(${listings.task})"}); compadd -a names ;;
      execution) names=(\${(f)"$(${listings.execution})"}); compadd -a names ;;
      *) _files ;;
    esac
  fi
}
if [ "$funcstack[1]" = _spear ]; then _spear "$@"; else compdef _spear spear; fi
`;
}

function zshCase({ path, flags, commands, argument }: CommandNode): string {
  const described = (name: string, about: string): string =>
    quoted(`${name.replaceAll(':', '\\:')}:${about.replaceAll(':', '\\:')}`);
  const lines = [
    `names=(${commands.map(({ name, about }) => described(name, about)).join(' ')})`,
    `flags=(${flags.map(({ long, about }) => described(long, about)).join(' ')})`,
    `valued=(${flags
      .filter(({ takesValue }) => takesValue)
      .map(({ long }) => long)
      .join(' ')})`,
    ...(argument === undefined ? [] : [`kind=${argument}`]),
  ];
  return `    ${quoted(path)})\n${lines.map((line) => `      ${line}`).join('\n')}\n      ;;`;
}
