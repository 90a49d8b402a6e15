/** What a task limits by keys holds over all runs of the server: attempts at a time, and starts in a time. */
import { type Final, type History, planOf } from '../history.ts';
import { keyed } from '../wasm-kinds.ts';
import { type Rule, statesIn, timeOf } from './rule.ts';

/** Of the times in a log: milliseconds, of a clock that is read twice. */
const clocksMs = 5;

/** When an execution had a slot: milliseconds since the epoch. */
interface Attempt {
  readonly executionId: string;
  readonly from: number;
  readonly until: number;
}

/** By its log. */
function attemptsIn({ result: { executionId }, log }: Final): Attempt[] {
  const attempts: Attempt[] = [];
  let from: number | undefined;
  for (const { to, at } of statesIn(log)) {
    const runs = to === 'running.attempting' || to === 'running.stopping';
    if (runs) from ??= at;
    else if (from !== undefined) {
      attempts.push({ executionId, from, until: at });
      from = undefined;
    }
  }
  // The last one has no state after it but the result.
  const end = log.at(-1);
  if (from !== undefined && end !== undefined) attempts.push({ executionId, from, until: timeOf(end) });
  return attempts;
}

/** Those that began while others had a slot, so that there were more than `limit` at that moment. */
export function* beyond(
  finals: readonly Final[],
  limit: number,
): Iterable<{ executionId: string; at: number }> {
  const attempts = finals.flatMap(attemptsIn);
  for (const { executionId, from } of attempts) {
    const beside = attempts.filter((other) => other.from <= from && from < other.until - clocksMs);
    if (beside.length > limit) yield { executionId, at: from };
  }
}

function limited({ plans, finals }: History): Final[] {
  return [...finals.values()].filter(({ result }) => plans.get(planOf(result))?.terms.task === keyed.name);
}

const atATime: Rule = {
  name: 'concurrency',
  *check(history) {
    for (const { executionId, at } of beyond(limited(history), keyed.limit)) {
      yield `${executionId}: more ran at ${at} than the ${keyed.limit} that are allowed`;
    }
  },
};

const inATime: Rule = {
  name: 'rate',
  *check(history) {
    const starts = limited(history)
      .flatMap(attemptsIn)
      .sort((a, b) => a.from - b.from);
    for (const [first, { from }] of starts.entries()) {
      for (const [more, { executionId, from: to }] of starts.slice(first).entries()) {
        const allowed = keyed.burst + ((to - from + clocksMs) * keyed.units) / keyed.perMs;
        if (more + 1 > allowed) yield `${executionId}: start ${more + 1} in ${to - from} ms`;
      }
    }
  },
};

export const gateRules: readonly Rule[] = [atATime, inATime];
