import { invalidArgument, type RequestError } from '../errors.ts';
import { identifierPattern } from './identifier.ts';

const labelPattern = new RegExp(`%?${identifierPattern.source}`, 'y');
const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const spacePattern = /(?:\s|\/\/[^\n]*)*/y;

/** A label as written; `%some` is escaped, and so never the keyword. */
export interface Label {
  readonly name: string;
  readonly escaped: boolean;
}

/** A cursor over the text of a WAVE call. Errors are invalid_argument for `call`, with the column. */
export class WaveReader {
  readonly text: string;
  #position: number;

  constructor(text: string, position = 0) {
    this.text = text;
    this.#position = position;
  }

  get position(): number {
    return this.#position;
  }

  /** Goes past spaces and comments, and says where that is. */
  nextPosition(): number {
    this.#match(spacePattern);
    return this.#position;
  }

  /** Whether this stands next, after spaces and comments. */
  at(sign: string): boolean {
    return this.text.startsWith(sign, this.nextPosition());
  }

  skip(sign: string): boolean {
    const found = this.at(sign);
    if (found) this.#position += sign.length;
    return found;
  }

  expect(sign: string, allowed = `"${sign}"`): void {
    if (!this.skip(sign)) throw this.refuse(allowed);
  }

  /** Takes exactly what the sticky pattern matches here, spaces included. */
  take(pattern: RegExp): string | undefined {
    return this.#match(pattern);
  }

  label(): Label | undefined {
    this.#match(spacePattern);
    const text = this.#match(labelPattern);
    if (text === undefined) return undefined;
    return text.startsWith('%') ? { name: text.slice(1), escaped: true } : { name: text, escaped: false };
  }

  /** Takes the keyword if it is next and not escaped. */
  keyword(name: string): boolean {
    const start = this.nextPosition();
    const label = this.label();
    if (label?.name === name && !label.escaped) return true;
    this.#position = start;
    return false;
  }

  number(): string | undefined {
    this.#match(spacePattern);
    return this.#match(numberPattern);
  }

  /** Items up to the closing sign, with commas between them and maybe after the last. */
  commaSeparated(close: string, item: (index: number) => void): void {
    for (let index = 0; !this.skip(close); index += 1) {
      item(index);
      if (this.skip(close)) return;
      this.expect(',', `"," or "${close}"`);
    }
  }

  atEnd(): boolean {
    return this.nextPosition() === this.text.length;
  }

  /** An error about the text at `position`, or at the next thing. */
  refuse(allowed: string, position?: number): RequestError {
    const at = position ?? this.nextPosition();
    const before = this.text.slice(0, at).split('\n');
    const line = before.length > 1 ? `line ${before.length}, ` : '';
    const column = [...(before.at(-1) ?? '')].length + 1;
    return invalidArgument('call', `${line}column ${column}: expected ${allowed}`);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#position;
    const text = pattern.exec(this.text)?.[0];
    if (text === undefined) return undefined;
    this.#position += text.length;
    return text;
  }
}
