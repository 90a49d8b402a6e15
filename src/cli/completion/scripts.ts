import type { CommandNode } from '../command-tree.ts';
import { bashCompletion } from './bash.ts';
import { fishCompletion } from './fish.ts';
import { zshCompletion } from './zsh.ts';

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

export function completionOf(shell: keyof typeof scripts, tree: CommandNode): string {
  return scripts[shell](tree);
}
