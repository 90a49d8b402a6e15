import { median, type Row } from './table.ts';

const usualRounds = 3;

/** What one round measured: the limit's and Spear's. */
export type Pair<Measure> = readonly [limit: Measure, spear: Measure];

/** Measures two, servers most often, in turn, so that a drift of the machine meets both; a first round only warms them up. */
export async function inTurn<Subject, Measure>(
  limit: Subject,
  spear: Subject,
  measure: (subject: Subject) => Promise<Measure>,
  rounds = usualRounds,
): Promise<Pair<Measure>[]> {
  const pairs: Pair<Measure>[] = [];
  for (let round = 0; round <= rounds; round++) {
    const pair = [await measure(limit), await measure(spear)] as const;
    if (round > 0) pairs.push(pair);
  }
  return pairs;
}

/** A row of medians: of each side's numbers, and of the ratios within a round. */
export function pairRow(what: string, pairs: readonly Pair<number>[], goal: string): Row {
  return {
    what,
    spear: median(pairs.map(([, spear]) => spear)).toFixed(0),
    limit: median(pairs.map(([limit]) => limit)).toFixed(0),
    ratio: median(pairs.map(([limit, spear]) => spear / limit)),
    goal,
  };
}
