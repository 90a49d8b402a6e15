/** What follows others begins when these have ended durably, is released once, and fails with what it needs. */
import { ExecutionStatus } from '../../../src/server/gen/spearlet/function_pb.js';
import type { Final, Followed, History, Terms } from '../history.ts';
import { planOf } from '../history.ts';
import { eachExecution, type Rule } from './rule.ts';

/** By history, as each rule asks for many. */
const byPlan = new WeakMap<History['finals'], Map<number, Final>>();

function finalOf({ finals }: History, plan: number): Final | undefined {
  let known = byPlan.get(finals);
  if (known === undefined) {
    known = new Map([...finals.values()].map((final) => [planOf(final.result), final]));
    byPlan.set(finals, known);
  }
  return known.get(plan);
}

function isUnmet({ plan, ended }: Followed, history: History): boolean {
  const status = finalOf(history, plan)?.result.status;
  return status !== ExecutionStatus.COMPLETED && !(ended && status !== undefined);
}

/** What it follows that did not become what it has to, so that it fails. */
export function unmet({ follows = [] }: Terms, history: History): readonly Followed[] {
  return follows.filter((each) => !each.anyway && isUnmet(each, history));
}

/** What it was to write, with what it was given of what it follows. */
export function withOutputs(terms: Terms, history: History): Terms {
  const from = terms.follows?.find(({ output }) => output !== undefined);
  if (from === undefined || isUnmet(from, history)) return terms;
  const given = Buffer.from(finalOf(history, from.plan)?.result.output ?? []);
  if (from.output === 'input') return { ...terms, stdout: given };
  return { ...terms, value: String(Number(terms.value) + Number(given.toString())) };
}

/** Where its end is in the log of the node: Infinity for one without. */
function endOf(final: Final | undefined): bigint | undefined {
  const last = final?.log.at(-1);
  return last?.isFinal === true ? last.position : undefined;
}

const order = eachExecution('begins after what it follows', function* ({ log }, { terms }, history) {
  const begun = log.find(({ event }) => event.case === 'transition' && event.value.to.startsWith('running.'));
  const released = log.find(
    ({ event }) =>
      event.case === 'transition' && event.value.eventType === 'unblocked' && event.value.to !== 'failed',
  );
  for (const { plan } of terms.follows ?? []) {
    const end = endOf(finalOf(history, plan));
    for (const [what, event] of [
      ['began', begun],
      ['was released', released],
    ] as const) {
      if (event === undefined || (end !== undefined && end < event.position)) continue;
      yield `it ${what} at ${event.position}, and plan ${plan} ended at ${end ?? 'no time'}`;
    }
  }
});

const once = eachExecution('released once', function* ({ log }) {
  const times = log.filter(
    ({ event }) => event.case === 'transition' && event.value.eventType === 'unblocked',
  ).length;
  if (times > 1) yield `it was released ${times} times`;
});

const policy = eachExecution('fails with what it follows', function* (final, { terms }, history) {
  const { attempt, status } = final.result;
  for (const { plan } of unmet(terms, history)) {
    if (attempt > 0) yield `it ran, although plan ${plan} did not end as it has to`;
    if (status === ExecutionStatus.COMPLETED) yield `it has completed, and plan ${plan} did not`;
  }
});

export const dependencyRules: readonly Rule[] = [order, once, policy];
