/** Which events of a log are not in its file, though the ones around them are. */

/** More gaps than these are only counted. */
const maxNamed = 5;

export class MissingEvents {
  /** The last event that was there; 0 before the first. */
  last = 0;
  #next: number;
  #events = 0;
  readonly #gaps: string[] = [];

  /** `oldest` is the first event that the node still had. */
  constructor(oldest: number) {
    this.#next = Math.max(1, oldest);
  }

  /** Sequence numbers ascend. */
  take(sequence: number): void {
    const count = sequence - this.#next;
    if (count > 0) {
      this.#events += count;
      this.#gaps.push(count === 1 ? `${this.#next}` : `${this.#next} to ${sequence - 1}`);
    }
    this.last = sequence;
    this.#next = sequence + 1;
  }

  /** For people; empty where none is missing. */
  get fault(): string {
    if (this.#events === 0) return '';
    if (this.#events === 1) return `Event ${this.#gaps[0]} is missing in the file.`;
    const more = this.#gaps.length - maxNamed;
    const named = this.#gaps.slice(0, maxNamed).join(', ');
    return `Events ${named}${more > 0 ? ` and those of ${more} more gaps` : ''} are missing in the file.`;
  }
}
