/** What a reader searches for: a text, whatever its case, or `/a pattern/`. Pure. */

export interface TextMatch {
  /** Where it occurs, without overlap, at most `most` times. */
  ranges(text: string, most?: number): readonly (readonly [from: number, to: number])[];
  occursIn(text: string): boolean;
}

/** Nothing where there is nothing to search for, or a pattern that is not finished. */
export function textMatch(query: string): TextMatch | undefined {
  if (query === '') return undefined;
  const pattern = patternOf(query);
  if (pattern === undefined) return undefined;
  return {
    ranges: (text, most = 100) => {
      const found: [number, number][] = [];
      pattern.lastIndex = 0;
      for (let hit = pattern.exec(text); hit !== null && found.length < most; hit = pattern.exec(text)) {
        // An empty match would be found again and again.
        if (hit[0] === '') pattern.lastIndex += 1;
        else found.push([hit.index, hit.index + hit[0].length]);
      }
      return found;
    },
    occursIn: (text) => {
      pattern.lastIndex = 0;
      return pattern.test(text);
    },
  };
}

function patternOf(query: string): RegExp | undefined {
  const parts = /^\/(.+)\/([ims]*)$/s.exec(query);
  try {
    if (parts !== null) return new RegExp(parts[1] ?? '', `g${parts[2]}`);
    return new RegExp(query.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'gi');
  } catch {
    // The reader still types.
    return undefined;
  }
}
