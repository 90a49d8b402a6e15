/** Holds a history against what Spear promises. */
import type { History } from './history.ts';
import { attemptRules } from './rules/attempts.ts';
import { batchRules } from './rules/batches.ts';
import { deadlineRules } from './rules/deadlines.ts';
import { dependencyRules } from './rules/dependencies.ts';
import { gateRules } from './rules/gates.ts';
import { heardRules } from './rules/heard.ts';
import { keptRules } from './rules/kept.ts';
import { logRules } from './rules/log.ts';
import { nodeRules } from './rules/node.ts';
import { outcomeRules } from './rules/outcome.ts';
import type { Rule } from './rules/rule.ts';
import { scheduleRules } from './rules/schedules.ts';
import { webhookRules } from './rules/webhooks.ts';

export const rules: readonly Rule[] = [
  ...attemptRules,
  ...heardRules,
  ...logRules,
  ...deadlineRules,
  ...keptRules,
  ...outcomeRules,
  ...nodeRules,
  ...gateRules,
  ...webhookRules,
  ...dependencyRules,
  ...batchRules,
  ...scheduleRules,
];

/** What is against the rules, a line each, with the name of the rule first. */
export function judge(history: History): string[] {
  return rules.flatMap(({ name, check }) => [...check(history)].map((what) => `${name}: ${what}`));
}
