/** The commands of a document, as somebody pastes them into one bash. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

export function readDocument(path: string): Promise<string> {
  return readFile(join(root, path), 'utf8');
}

/** The commands of each block of `sh`, in order: one a line, but for a document that follows one. */
export function blocksOf(text: string): string[][] {
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => commandsOf(block));
}

/** One a line, but for a document that follows one, and what goes on behind a backslash, `|` or `&&`. */
export function commandsOf(block: string): string[] {
  const commands: string[] = [];
  let open: string | undefined;
  for (const line of block.trimEnd().split('\n')) {
    const last = commands.length - 1;
    const isRest = open !== undefined || /(\\|\||&&)$/.test(commands[last] ?? '');
    if (isRest) commands[last] += `\n${line}`;
    else if (line !== '') commands.push(line);
    if (open === undefined) open = /<<'(\w+)'/.exec(line)?.[1];
    else if (line === open) open = undefined;
  }
  return commands;
}
