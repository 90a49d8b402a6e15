/** The manual page of `spear`, spear(1), in the macros of man(7). */
import { type CommandFlag, type CommandNode, everyCommand } from './command-tree.ts';
import { exitCodes } from './exit-codes.ts';

export function manualPage(tree: CommandNode, version: string): string {
  const commands = everyCommand(tree).filter(({ commands: below }) => below.length === 0);
  return `${[
    `.TH SPEAR 1 "" "spear ${roff(version)}" "Spear"`,
    '.SH NAME',
    `spear \\- ${roff(tree.about)}`,
    '.SH SYNOPSIS',
    '.B spear',
    '.I COMMAND',
    '.RI [ OPTION ...]',
    '.SH COMMANDS',
    ...commands.flatMap(commandLines),
    '.SH EXIT STATUS',
    'Of invoke and wait: that of the function, and',
    ...Object.values(exitCodes).flatMap(({ code, meaning }) => ['.TP', `.B ${code}`, roff(meaning)]),
    '.SH ENVIRONMENT',
    ...variable('SPEAR_ADDRESS', 'the server that commands talk to'),
    ...variable('SPEAR_TOKEN', 'the token that they show'),
    ...variable('SPEAR_TENANT', 'the tenant that they are about'),
    ...variable('SPEAR_CONFIG', 'the configuration file of spear serve'),
    ...variable('SPEAR_OPTION', 'an option of spear serve, such as SPEAR_DATA_DIR for \\-\\-data\\-dir'),
  ].join('\n')}\n`;
}

function commandLines({ path, usage, about, flags }: CommandNode): string[] {
  return [`.SS "${roff(path)} ${roff(usage)}"`, roff(about), ...flags.flatMap(flagLines)];
}

function flagLines({ usage, about }: CommandFlag): string[] {
  return ['.TP', `.B ${roff(usage)}`, roff(about)];
}

function variable(name: string, about: string): string[] {
  return ['.TP', `.B ${name}`, about];
}

/** Text as it is: no escapes, no hyphens that could be broken at or become another sign, no request at its beginning. */
function roff(text: string): string {
  const plain = text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('"', '\\(dq')
    .replace(/\s*\n\s*/g, ' ');
  return /^[.']/.test(plain) ? `\\&${plain}` : plain;
}
