/** Each end is told to whom it concerns at least once, under one id, and to nobody else. */
import { ExecutionStatus } from '../../../src/server/gen/spearlet/function_pb.js';
import { DeliveryState } from '../../../src/server/gen/spearlet/webhook_pb.js';
import { type EndWord, type Final, type History, planOf } from '../history.ts';
import type { Rule } from './rule.ts';

const words = new Map<ExecutionStatus, EndWord>([
  [ExecutionStatus.COMPLETED, 'completed'],
  [ExecutionStatus.FAILED, 'failed'],
  [ExecutionStatus.CANCELLED, 'cancelled'],
  [ExecutionStatus.TIMED_OUT, 'timed_out'],
]);

/** The paths of the webhooks that an execution is told to as it has ended. */
function owed({ result }: Final, { plans }: History): string[] {
  const word = words.get(result.status);
  const tells = plans.get(planOf(result))?.terms.tells ?? [];
  if (word === undefined) return [];
  return tells.filter(({ statuses }) => statuses?.includes(word) ?? true).map(({ path }) => path);
}

const atLeastOnce: Rule = {
  name: 'webhooks at least once',
  *check(history: History) {
    const taken = new Set(
      history.tellings
        .filter(({ accepted }) => accepted)
        .map(({ executionId, path }) => `${executionId} ${path}`),
    );
    for (const [executionId, final] of history.finals) {
      for (const path of owed(final, history)) {
        if (!taken.has(`${executionId} ${path}`)) yield `${executionId}: its end was never told to ${path}`;
      }
    }
  },
};

const oneId: Rule = {
  name: 'webhook-id',
  *check({ tellings }: History) {
    const ids = new Map<string, string>();
    const owners = new Map<string, string>();
    for (const { id, executionId, path } of tellings) {
      const owner = `${executionId} ${path}`;
      const known = ids.get(owner);
      if (known !== undefined && known !== id) yield `${owner} was told as ${known} and as ${id}`;
      const other = owners.get(id);
      if (other !== undefined && other !== owner) yield `${id} is of ${other} and of ${owner}`;
      ids.set(owner, id);
      owners.set(id, owner);
    }
  },
};

const nothingElse: Rule = {
  name: 'webhooks of nothing else',
  *check(history: History) {
    for (const { id, executionId, path, status } of history.tellings) {
      const final = history.finals.get(executionId);
      if (final === undefined) yield `${id}: ${executionId} was told to ${path} and is not there`;
      else if (words.get(final.result.status) !== status)
        yield `${id}: ${executionId} was told as ${status} and is ${final.result.state}`;
      else if (!owed(final, history).includes(path))
        yield `${id}: ${executionId} was told to ${path}, which asked for no ${status}`;
    }
  },
};

const signed: Rule = {
  name: 'webhooks signed',
  *check({ unsigned }: History) {
    yield* unsigned;
  },
};

const listed: Rule = {
  name: 'webhooks listed',
  *check(history: History) {
    const left = new Map<string, string[]>();
    for (const [executionId, final] of history.finals) left.set(executionId, owed(final, history));
    for (const { deliveryId, executionId, url, state } of history.deliveries) {
      const path = URL.parse(url)?.pathname ?? '';
      const paths = left.get(executionId) ?? [];
      if (!paths.includes(path))
        yield `${deliveryId}: ${executionId} owes ${path} nothing, or has told it twice`;
      else paths.splice(paths.indexOf(path), 1);
      if (state !== DeliveryState.DELIVERED) yield `${deliveryId}: ${path} is ${DeliveryState[state]}`;
    }
    for (const [executionId, paths] of left) {
      for (const path of paths) yield `${executionId}: no delivery to ${path} is listed`;
    }
  },
};

export const webhookRules: readonly Rule[] = [atLeastOnce, oneId, nothingElse, signed, listed];
