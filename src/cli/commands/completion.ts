import { Command } from 'commander';
import { commandTree } from '../command-tree.ts';
import { oneOf } from '../flag.ts';
import type { Shell } from '../shell.ts';

const shells = ['bash', 'zsh', 'fish'] as const;

export function completionCommand(shell: Shell): Command {
  const command = new Command('completion')
    .description('print a script that completes commands, flags, tasks and executions in a shell')
    .argument('<shell>', shells.join(', '))
    .addHelpText(
      'after',
      '\nFor bash, in ~/.bashrc: source <(spear completion bash). The scripts say where others keep theirs.',
    );
  return command.action(async (given: string) => {
    const wanted = oneOf('SHELL', shells)(given);
    const tree = commandTree(command.parent ?? command);
    const { completionOf } = await import('../completion/scripts.ts');
    await shell.out.write(completionOf(wanted, tree));
  });
}
