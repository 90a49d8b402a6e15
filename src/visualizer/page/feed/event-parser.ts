/** Reads server-sent events as they come, in pieces of any size (https://html.spec.whatwg.org/multipage/server-sent-events.html). */

/** `id` is the last that was told, also where this event has none. */
export type TakeEvent = (name: string, data: string, id: string) => void;

/** A carriage return at the end of what is known may be half of a line break. */
const lineBreak = /\r\n|\n|\r(?!$)/g;

export class EventParser {
  readonly #take: TakeEvent;
  /** Of the line that has not ended. */
  #text = '';
  #searched = 0;
  #begun = false;
  #name = '';
  #data: string[] = [];
  #id = '';

  constructor(take: TakeEvent) {
    this.#take = take;
  }

  push(piece: string): void {
    this.#text += piece;
    let start = 0;
    for (;;) {
      lineBreak.lastIndex = this.#searched;
      const found = lineBreak.exec(this.#text);
      if (found === null) break;
      this.#line(this.#text.slice(start, found.index));
      start = lineBreak.lastIndex;
      this.#searched = start;
    }
    this.#text = this.#text.slice(start);
    this.#searched = Math.max(0, this.#text.length - 1);
  }

  #line(line: string): void {
    const whole = this.#begun ? line : line.replace(/^\uFEFF/, '');
    this.#begun = true;
    if (whole === '') {
      this.#dispatch();
      return;
    }
    const colon = whole.indexOf(':');
    // A comment.
    if (colon === 0) return;
    const field = colon < 0 ? whole : whole.slice(0, colon);
    const value = colon < 0 ? '' : whole.slice(colon + (whole[colon + 1] === ' ' ? 2 : 1));
    if (field === 'event') this.#name = value;
    else if (field === 'data') this.#data.push(value);
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
  }

  #dispatch(): void {
    const [name, data] = [this.#name || 'message', this.#data];
    this.#name = '';
    this.#data = [];
    if (data.length > 0) this.#take(name, data.join('\n'), this.#id);
  }
}
