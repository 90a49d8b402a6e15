/** The colours of a terminal. Anser reads the escape sequences; this keeps its state between pieces of text. Pure. */
import Anser, { type AnserJsonEntry } from 'anser';
import type { Run } from './visible.ts';

/** What earlier text has set. */
export interface AnsiState {
  readonly fg: string | null;
  readonly bg: string | null;
  readonly fg_truecolor: string | null;
  readonly bg_truecolor: string | null;
  readonly decorations: readonly string[];
}

/** The parser's own fields, which carry its state and which its types leave out. */
type Parser = { -readonly [Key in keyof AnsiState]: AnsiState[Key] } & {
  ansiToJson(text: string, options: object): AnserJsonEntry[];
};

const esc = '\u001b';
/** Changes nothing; with it the text before the first real sequence is drawn as what came before set it. */
const nothing = `${esc}[10m`;

export function hasAnsi(text: string): boolean {
  return text.includes(esc);
}

export interface Styled {
  readonly text: string;
  readonly style: Omit<Run, 'text'>;
}

export function styledText(text: string, state: AnsiState | undefined): readonly Styled[] {
  if (state === undefined && !hasAnsi(text)) return [{ text, style: { look: '' } }];
  const parser = parserAt(state);
  return parser
    .ansiToJson(nothing + text, { use_classes: true, remove_empty: true })
    .map((entry) => ({ text: entry.content, style: styleOf(entry) }));
}

/** What a text leaves set for what comes after it; undefined where nothing is. */
export function stateAfter(text: string, state: AnsiState | undefined): AnsiState | undefined {
  if (!hasAnsi(text)) return state;
  const parser = parserAt(state);
  parser.ansiToJson(text, { use_classes: true });
  const { fg, bg, fg_truecolor, bg_truecolor } = parser;
  const decorations = [...new Set(parser.decorations)];
  if (fg === null && bg === null && decorations.length === 0) return undefined;
  return { fg, bg, fg_truecolor, bg_truecolor, decorations };
}

const sequences =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: an escape sequence begins with one
  /\u001b\[[!-?]*[ -/]*[@-~]/g;

/** The text as it reads. */
export function withoutAnsi(text: string): string {
  return hasAnsi(text) ? text.replace(sequences, '') : text;
}

function parserAt(state: AnsiState | undefined): Parser {
  const parser = new Anser() as unknown as Parser;
  if (state !== undefined) Object.assign(parser, { ...state, decorations: [...state.decorations] });
  return parser;
}

function styleOf(entry: AnserJsonEntry): Omit<Run, 'text'> {
  const classes = entry.decorations.map((name) => `ansi-${name}`);
  const ink = colourOf(entry.fg, entry.fg_truecolor);
  const ground = colourOf(entry.bg, entry.bg_truecolor);
  if (ink === undefined && entry.fg) classes.push(`${entry.fg}-fg`);
  if (ground === undefined && entry.bg) classes.push(`${entry.bg}-bg`);
  return { look: classes.join(' '), ink, ground };
}

/** A colour that no class of ours stands for. */
function colourOf(name: string | null, exact: string | null): string | undefined {
  if (name === 'ansi-truecolor') return exact ?? undefined;
  const palette = /^ansi-palette-(\d+)$/.exec(name ?? '')?.[1];
  if (palette === undefined) return undefined;
  const number = Number(palette) - 16;
  if (number >= 216)
    return Array(3)
      .fill(8 + 10 * (number - 216))
      .join(', ');
  const level = (share: number) => (share === 0 ? 0 : 55 + 40 * share);
  return [Math.floor(number / 36), Math.floor(number / 6) % 6, number % 6].map(level).join(', ');
}
