/** How long runs of a function take, from its last completed ones. */

const historyLength = 50;
/** Functions remembered; the one least recently completed goes first. */
const mostFunctions = 10_000;
/** The guess for a function without history, in milliseconds. */
export const unknownDurationMs = 5000;

export class Estimates {
  readonly #durations = new Map<string, number[]>();

  record(functionKey: string, durationMs: number): void {
    const known = this.#durations.get(functionKey) ?? [];
    this.#durations.delete(functionKey);
    known.push(durationMs);
    if (known.length > historyLength) known.shift();
    this.#durations.set(functionKey, known);
    if (this.#durations.size > mostFunctions) {
      for (const oldest of this.#durations.keys()) {
        this.#durations.delete(oldest);
        break;
      }
    }
  }

  /** Median of the last completed runs in milliseconds; undefined without history. */
  median(functionKey: string): number | undefined {
    const known = this.#durations.get(functionKey);
    if (known === undefined) return undefined;
    const sorted = known.toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)];
  }
}
