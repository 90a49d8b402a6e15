import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { StreamExecutionResult } from '../../../src/server/gen/spearlet/function_pb.js';
import { type Final, type History, type Plan, planOf } from '../history.ts';

/** Something that must hold, and what in a history is against it: nothing, where it holds. */
export interface Rule {
  /** The invariant, by its number where it has one. */
  readonly name: string;
  readonly check: (history: History) => Iterable<string>;
}

/** A rule about every execution that there is, with the plan that it is of. */
export function eachExecution(
  name: string,
  check: (final: Final, plan: Plan, history: History) => Iterable<string>,
): Rule {
  return {
    name,
    *check(history) {
      for (const [executionId, final] of history.finals) {
        const plan = history.plans.get(planOf(final.result));
        if (plan === undefined) {
          yield `${executionId} is of no plan`;
          continue;
        }
        for (const what of check(final, plan, history)) yield `${executionId} (${plan.terms.task}): ${what}`;
      }
    },
  };
}

export function timeOf(event: StreamExecutionResult): number {
  return event.time === undefined ? Number.NaN : timestampMs(event.time);
}

/** The states that a log goes through, each with when it came there. */
export function statesIn(log: readonly StreamExecutionResult[]) {
  return log.flatMap((event) =>
    event.event.case === 'transition'
      ? [{ at: timeOf(event), attempt: event.attempt, ...event.event.value }]
      : [],
  );
}
