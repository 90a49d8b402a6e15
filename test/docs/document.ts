/**
 * A document as somebody follows it who has nothing else: files to write, commands to run, and what they print.
 *
 * 1. A block of `sh` is run, with the blocks before it, in one bash.
 * 2. `<!-- not run: WHY -->` before such a block says why it is not; `documents.test.ts` has the reasons, and counts.
 * 3. `<!-- before: … -->` has commands for what the document takes for granted, such as a node; nobody sees them.
 * 4. `<!-- output -->` before a block says that the commands before it print its lines, in this order; `…` stands for
 *    anything.
 * 5. `<!-- needs: rustc go -->` names programs without which it cannot be followed.
 * 6. A block behind `` `NAME`: `` is a file to write; behind `` [`PATH`](LINK): `` it is a file of the project.
 */
import { commandsOf } from './readme.ts';

export type Part =
  | { readonly kind: 'run' | 'before'; readonly commands: readonly string[]; readonly line: number }
  | { readonly kind: 'not run'; readonly why: string; readonly commands: readonly string[] }
  | { readonly kind: 'output'; readonly lines: readonly string[] }
  | { readonly kind: 'file'; readonly path: string; readonly text: string; readonly isOfProject: boolean }
  | { readonly kind: 'other'; readonly language: string; readonly text: string; readonly line: number };

const pattern =
  /^<!-- before:\n(?<before>.*?)^-->$|^(?<lead>[^\n]*\n(?:[ \t]*\n)?)?(?<indent> *)```(?<language>[^\n]*)\n(?<text>.*?)^\k<indent>```$/gms;

export function partsOf(page: string): Part[] {
  return [...page.matchAll(pattern)].map((match) => {
    const { before, lead = '', indent = '', language = '', text: raw = '' } = match.groups ?? {};
    const line = page.slice(0, match.index).split('\n').length;
    if (before !== undefined) return { kind: 'before', commands: commandsOf(before), line };
    const text = raw.replaceAll(new RegExp(`^${indent}`, 'gm'), '');
    return partOf({ lead: lead.trim(), language, text, line });
  });
}

/** The programs that a document needs beyond those that every machine with Spear has. */
export function needsOf(page: string): string[] {
  return [...page.matchAll(/^<!-- needs: (.+) -->$/gm)].flatMap(([, names = '']) => names.split(' '));
}

interface Block {
  readonly lead: string;
  readonly language: string;
  readonly text: string;
  readonly line: number;
}

function partOf({ lead, language, text, line }: Block): Part {
  const why = /^<!-- not run: (.+) -->$/.exec(lead)?.[1];
  if (why !== undefined) return { kind: 'not run', why, commands: commandsOf(text) };
  if (lead === '<!-- output -->') return { kind: 'output', lines: text.trimEnd().split('\n') };
  if (language === 'sh') return { kind: 'run', commands: commandsOf(text), line };
  const written = /^`([^`]+)`:$/.exec(lead)?.[1];
  if (written !== undefined) return { kind: 'file', path: written, text, isOfProject: false };
  const held = /^\[`([^`]+)`\]\(\S+\):$/.exec(lead)?.[1];
  if (held !== undefined) return { kind: 'file', path: held, text, isOfProject: true };
  return { kind: 'other', language, text, line };
}

/** The lines that are not found, in their order, in what was printed. */
export function missingLines(lines: readonly string[], printed: string): string[] {
  let rest = printed;
  return lines.filter((line) => {
    const found = asPattern(line).exec(rest);
    if (found !== null) rest = rest.slice(found.index + found[0].length);
    return found === null;
  });
}

function asPattern(line: string): RegExp {
  const words = line.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${words.join('.*').replaceAll(/ +/g, ' +')}$`, 'm');
}
