/** What a task limits by keys holds over all runs of the server: attempts at a time, and starts in a time. */
import type { History } from '../history.ts';
import { planOf } from '../history.ts';
import { keyed } from '../wasm-kinds.ts';
import { type Rule, statesIn, timeOf } from './rule.ts';

/** Of the times in a log: milliseconds, of a clock that is read twice. */
const clocksMs = 5;

interface Attempt {
  readonly executionId: string;
  readonly from: number;
  readonly until: number;
}

/** When each attempt of the limited task had its slot, by the logs. */
function attemptsOf({ plans, finals }: History): Attempt[] {
  return [...finals].flatMap(([executionId, { result, log }]) => {
    if (plans.get(planOf(result))?.terms.task !== keyed.name) return [];
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
  });
}

const atATime: Rule = {
  name: 'concurrency',
  *check(history) {
    const attempts = attemptsOf(history);
    for (const { executionId, from } of attempts) {
      const beside = attempts.filter((other) => other.from <= from && from < other.until - clocksMs);
      if (beside.length > keyed.limit) {
        yield `${executionId}: ${beside.length} ran at ${from}, allowed are ${keyed.limit}`;
      }
    }
  },
};

const inATime: Rule = {
  name: 'rate',
  *check(history) {
    const starts = attemptsOf(history).sort((a, b) => a.from - b.from);
    for (const [first, { from }] of starts.entries()) {
      for (const [more, { executionId, from: to }] of starts.slice(first).entries()) {
        const allowed = keyed.burst + ((to - from + clocksMs) * keyed.units) / keyed.perMs;
        if (more + 1 > allowed) yield `${executionId}: start ${more + 1} in ${to - from} ms`;
      }
    }
  },
};

export const gateRules: readonly Rule[] = [atATime, inATime];
