/** Text in which nothing is hidden: control characters, and those that turn or hide text, are shown as what they are. Pure. */

/** A stretch of text that looks the same. */
export interface Run {
  readonly text: string;
  /** Class names; empty for plain text. */
  readonly look: string;
  /** Colours of their own, as `r, g, b`; absent where the class says it. */
  readonly ink?: string | undefined;
  readonly ground?: string | undefined;
}

// Controls, soft hyphen, marks of direction and width, line separators, byte order mark, annotations, tags, variation
// selectors beyond the usual two, halves of pairs.
const hidden =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e0fff}\ud800-\udfff]/u;
const tabStop = 8;

/** The runs of a text whose own look is `style`. Tabs become spaces up to the next stop after `column`; raw: they are shown. */
export function visibleRuns(
  text: string,
  style: Omit<Run, 'text'>,
  raw: boolean,
  column: number,
): readonly Run[] {
  if (!hidden.test(text)) return text === '' ? [] : [{ ...style, text }];
  const runs: Run[] = [];
  let plain = '';
  let at = column;
  const flush = (): void => {
    if (plain !== '') runs.push({ ...style, text: plain });
    plain = '';
  };
  for (const sign of text) {
    if (!hidden.test(sign)) {
      plain += sign;
      at += 1;
    } else if (sign === '\t' && !raw) {
      const spaces = tabStop - (at % tabStop);
      plain += ' '.repeat(spaces);
      at += spaces;
    } else {
      flush();
      const shown = pictureOf(sign);
      runs.push({ text: shown, look: 'control' });
      at += shown.length;
    }
  }
  flush();
  return runs;
}

function pictureOf(sign: string): string {
  const code = sign.codePointAt(0) ?? 0;
  if (sign === '\n') return '↵';
  // As terminals write them: fonts with pictures of them are rare.
  if (code < 0x20) return `^${String.fromCharCode(code + 0x40)}`;
  if (code === 0x7f) return '^?';
  return `⟨${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
}

/** One line of text in a small place: everything visible, and cut. */
export function oneLine(text: string, most: number): string {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text;
  return visibleRuns(cut, { look: '' }, true, 0)
    .map((run) => run.text)
    .join('');
}
