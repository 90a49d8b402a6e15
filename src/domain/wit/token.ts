import { identifierPattern } from './identifier.ts';

export interface Token {
  readonly kind: 'word' | 'number' | 'version' | 'sign' | 'end';
  /** Without the `%` of an escaped word and the `@` of a version. */
  readonly text: string;
  readonly escaped: boolean;
  readonly line: number;
}

const tokenPattern = new RegExp(
  [
    String.raw`(?<space>[^\S\n]+)`,
    String.raw`(?<newline>\n)`,
    String.raw`(?<comment>//[^\n]*)`,
    String.raw`(?<block>/\*)`,
    `(?<word>%?${identifierPattern.source})`,
    String.raw`@(?<version>\d+\.\d+\.\d+(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?)`,
    String.raw`(?<number>\d[0-9A-Za-z.+-]*)`,
    '(?<sign>->|[{}()<>,;:=./@_])',
  ].join('|'),
  'y',
);

/** Cuts WIT text into tokens, comments left out; the last is of kind `end`. Throws an Error naming the line. */
function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const pattern = new RegExp(tokenPattern);
  let line = 1;
  while (pattern.lastIndex < text.length) {
    const start = pattern.lastIndex;
    const groups = pattern.exec(text)?.groups;
    if (groups === undefined) throw new Error(`line ${line}: unexpected ${JSON.stringify(text[start])}`);
    if (groups.newline !== undefined) line += 1;
    if (groups.block !== undefined) {
      const end = endOfBlockComment(text, start, line);
      line += text.slice(start, end).split('\n').length - 1;
      pattern.lastIndex = end;
    }
    const { word, version, number, sign } = groups;
    if (word !== undefined) {
      const escaped = word.startsWith('%');
      tokens.push({ kind: 'word', text: escaped ? word.slice(1) : word, escaped, line });
    } else if (version !== undefined) {
      tokens.push({ kind: 'version', text: version, escaped: false, line });
    } else if (number !== undefined) {
      tokens.push({ kind: 'number', text: number, escaped: false, line });
    } else if (sign !== undefined) {
      tokens.push({ kind: 'sign', text: sign, escaped: false, line });
    }
  }
  tokens.push({ kind: 'end', text: '', escaped: false, line });
  return tokens;
}

function endOfBlockComment(text: string, start: number, line: number): number {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = start;
  let open = 0;
  for (let found = mark.exec(text); found !== null; found = mark.exec(text)) {
    open += found[0] === '/*' ? 1 : -1;
    if (open === 0) return mark.lastIndex;
  }
  throw new Error(`line ${line}: expected the end of a comment, "*/"`);
}

/** A cursor over the tokens of a WIT text. What does not fit throws an Error naming the line and what was expected. */
export class TokenReader {
  readonly #tokens: readonly Token[];
  #position = 0;

  constructor(text: string) {
    this.#tokens = tokenize(text);
  }

  /** The token `ahead` places on; the end repeats. */
  peek(ahead = 0): Token {
    const token = this.#tokens[Math.min(this.#position + ahead, this.#tokens.length - 1)];
    if (token === undefined) throw new Error('a token list has no end');
    return token;
  }

  next(): Token {
    const token = this.peek();
    this.#position += 1;
    return token;
  }

  /** Whether the next token is this keyword or sign. An escaped word is never a keyword. */
  at(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind !== 'end' && !token.escaped && token.text === text;
  }

  /** Takes the keyword or sign if it is next. */
  skip(text: string): boolean {
    const found = this.at(text);
    if (found) this.next();
    return found;
  }

  expect(text: string): void {
    if (!this.skip(text)) this.fail(`"${text}"`);
  }

  identifier(what: string): string {
    if (this.peek().kind !== 'word') this.fail(what);
    return this.next().text;
  }

  /** Items up to the closing sign, with commas between them and maybe after the last. */
  commaSeparated<Item>(close: string, item: () => Item): Item[] {
    const items: Item[] = [];
    while (!this.skip(close)) {
      items.push(item());
      if (this.skip(close)) break;
      if (!this.skip(',')) this.fail(`"," or "${close}"`);
    }
    return items;
  }

  fail(expected: string): never {
    const token = this.peek();
    const found = token.kind === 'end' ? 'the end of the text' : JSON.stringify(token.text.slice(0, 80));
    throw new Error(`line ${token.line}: expected ${expected}, found ${found}`);
  }
}
