/** The candidate with the fewest edits from `word`, or undefined where none is near enough to be meant. */
export function didYouMean(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let fewest = mostEdits(word) + 1;
  for (const candidate of candidates) {
    // A beginning of a word is as near as one typing error.
    const begun = word.length > 2 && candidate.startsWith(word);
    const edits = begun ? 1 : distance(word.toLowerCase(), candidate.toLowerCase(), fewest);
    if (edits < fewest) [best, fewest] = [candidate, edits];
  }
  return best;
}

/** One typing error in a short word, and one more for each three letters: more would be another word. */
function mostEdits(word: string): number {
  return Math.min(4, Math.max(1, Math.floor(word.length / 3)));
}

/** Edits of one letter, where two that changed places are one (optimal string alignment); `enough` is as good as more. */
function distance(a: string, b: string, enough: number): number {
  if (Math.abs(a.length - b.length) >= enough) return enough;
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
          ? (before[j - 2] ?? 0) + 1
          : Number.POSITIVE_INFINITY;
      next.push(Math.min(replaced, swapped, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
