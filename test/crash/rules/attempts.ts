/** I1 and `on_interrupt`: how often what was asked for has run, by its own marks and by its record. */

import { mayReattach, mayRerun } from '../../../src/domain/interruption.ts';
import { ErrorCode } from '../../../src/server/gen/spearlet/function_pb.js';
import type { Final, History, Plan } from '../history.ts';
import { planOf } from '../history.ts';
import { eachExecution, type Rule, statesIn } from './rule.ts';

function finalsByPlan({ finals }: History): Map<number, Final> {
  return new Map([...finals.values()].map((final) => [planOf(final.result), final]));
}

/** A rule about the marks of every plan that left some. */
function eachMarked(
  name: string,
  check: (plan: Plan, attempts: readonly string[], final: Final | undefined) => Iterable<string>,
): Rule {
  return {
    name,
    *check(history) {
      const finals = finalsByPlan(history);
      for (const [number, marks] of history.marks) {
        const plan = history.plans.get(number);
        if (plan === undefined || marks.length === 0) continue;
        const attempts = marks.map(({ attempt }) => attempt);
        for (const what of check(plan, attempts, finals.get(number))) {
          yield `plan ${number} (${plan.terms.task}): ${what}`;
        }
      }
    },
  };
}

const oneAtATime = eachMarked('I1 one at a time', function* (_plan, attempts) {
  const turns = attempts.filter((attempt, index) => attempt !== attempts[index - 1]);
  if (turns.length > new Set(turns).size) yield `attempts ran at once: ${turns.join(', ')}`;
});

const accounted = eachMarked('effects are accounted for', function* (_plan, attempts, final) {
  const ran = new Set(attempts).size;
  if (final === undefined) yield 'it ran, and there is no execution of it';
  else if (ran > final.result.attempt) yield `${ran} attempts ran, its record says ${final.result.attempt}`;
});

const policy = eachExecution('on_interrupt', function* ({ result, log }, { terms }, { runs }) {
  // Attempts that were stopped to be held, whether or not they went on before they were.
  const holds = statesIn(log).filter(
    ({ eventType, to }) => eventType === 'suspend' && to === 'running.stopping',
  ).length;
  // Those that a stop of the node left behind are no recoveries.
  const losses = statesIn(log).filter(({ eventType, to }) => eventType === 'lost' && to !== 'failed').length;
  const most = terms.maxAttempts + losses + holds;
  if (result.attempt > most) yield `attempt ${result.attempt}, and ${most} are all that may be`;
  const stops = runs.filter(({ phase }) => phase === 'drain' || phase === 'stop').length;
  if (losses - result.recoveries > stops) {
    yield `${losses} attempts were lost, ${result.recoveries} of them count, and the node was told to stop ${stops} times`;
  }
  if (result.recoveries > losses) yield `${result.recoveries} recoveries, and ${losses} attempts were lost`;
  if (result.recoveries > terms.maxRecoveries) {
    yield `it was run again ${result.recoveries} times, allowed are ${terms.maxRecoveries}`;
  }
  if (losses > 0 && !mayRerun(terms.onInterrupt)) {
    yield `it was run again, and its policy is ${terms.onInterrupt}`;
  }
  if (result.errorCode !== ErrorCode.INTERRUPTED) return;
  if (mayRerun(terms.onInterrupt) && result.recoveries < terms.maxRecoveries) {
    yield `it is INTERRUPTED after ${result.recoveries} recoveries, and its policy is ${terms.onInterrupt}`;
  }
  if (result.attempt === 0) yield 'it is INTERRUPTED, and no attempt of it ever began';
});

/**
 * The programs of the load read all of their input before they write. One that came to its end may be lost all the same:
 * its container goes before its end is durable.
 */
const followed = eachExecution('what has had its input is followed', function* (final, plan, { marks }) {
  const { result, log } = final;
  if (!mayReattach(plan.terms.onInterrupt)) return;
  const wrote = new Set<number>();
  const lost: number[] = [];
  for (const { attempt, event } of log) {
    if (event.case === 'chunk') wrote.add(attempt);
    if (event.case === 'transition' && event.value.eventType === 'lost' && wrote.has(attempt))
      lost.push(attempt);
  }
  const ends = (marks.get(plan.number) ?? []).filter(({ what }) => what === 'end').length;
  const endsLost = result.exitCode === undefined ? ends : ends - 1;
  if (lost.length > endsLost) yield `attempts had written and were lost: ${lost.join(', ')}`;
});

/**
 * Events are dated before their node is gone, and a run is over only when it is. Output of a container that ended, or was
 * lost, while the node was away is taken without a word: nothing of it was followed.
 */
const told = eachExecution('what is followed again says so', function* ({ log }, { terms }, { runs }) {
  const ends = runs.map(({ endedAt }) => endedAt);
  for (const { at, from, to, attempt, eventType } of statesIn(log)) {
    if (eventType !== 'reattached') continue;
    if (from !== to) yield `attempt ${attempt} was followed again from ${from} to ${to}`;
    if (!mayReattach(terms.onInterrupt)) yield `attempt ${attempt} was followed again, against its policy`;
    if (!ends.some((end) => end <= at)) yield `attempt ${attempt} was followed again, and no run had ended`;
  }
});

export const attemptRules: readonly Rule[] = [oneAtATime, accounted, policy, followed, told];
