/** A batch is there with all of its members or not at all; each of them ends, and what was told of them stays so. */
import { equals } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import {
  type Batch,
  BatchMemberStateSchema,
  MemberFailurePolicy,
} from '../../../src/server/gen/spearlet/batch_pb.js';
import { ExecutionStatus } from '../../../src/server/gen/spearlet/function_pb.js';
import type { BatchPlan, Final, FinalBatch, History } from '../history.ts';
import { planOf } from '../history.ts';
import type { Rule } from './rule.ts';

const { COMPLETED } = ExecutionStatus;
/** What a busy machine may take to end the members, beyond the grace of one. */
const busyMs = 5000;

/** Executions by the plan of their batch. */
function membersOf({ batchPlans, finals }: History): Map<BatchPlan, Final[]> {
  const owners = new Map([...batchPlans.values()].flatMap((plan) => plan.members.map((of) => [of, plan])));
  const found = new Map<BatchPlan, Final[]>([...batchPlans.values()].map((plan) => [plan, []]));
  for (const final of finals.values()) {
    const owner = owners.get(planOf(final.result));
    if (owner !== undefined) found.get(owner)?.push(final);
  }
  return found;
}

const whole: Rule = {
  name: 'all of a batch or nothing',
  *check(history: History) {
    for (const [{ number, members }, finals] of membersOf(history)) {
      if (finals.length !== 0 && finals.length !== members.length) {
        yield `batch ${number}: ${finals.length} of ${members.length} members are there`;
      }
    }
    for (const told of history.told) {
      if (told.kind !== 'batchSeen') continue;
      const { length } = history.batchPlans.get(told.batch)?.members ?? [];
      if (told.members !== 0 && told.members !== length) {
        yield `batch ${told.batch}: ${told.members} of ${length} members were listed`;
      }
    }
  },
};

const accepted: Rule = {
  name: 'one batch for each request',
  *check(history: History) {
    const there = membersOf(history);
    for (const told of history.told) {
      const number = told.kind === 'batchAdmitted' || told.kind === 'refused' ? told.batch : undefined;
      const plan = history.batchPlans.get(number ?? Number.NaN);
      if (plan === undefined) continue;
      const finals = there.get(plan) ?? [];
      const ids = new Map(finals.map(({ result }) => [planOf(result), result]));
      if (told.kind === 'refused') {
        // One with an invocation id may have been accepted another time.
        if (plan.invocationId === '' && finals.length > 0) yield `batch ${number} was refused, and is there`;
      } else if (told.kind === 'batchAdmitted') {
        if (!history.batches.has(told.batchId)) yield `${told.batchId} was accepted and is gone`;
        for (const [member, of] of plan.members.entries()) {
          const { executionId, batchId } = ids.get(of) ?? {};
          if (executionId !== told.executionIds[member] || batchId !== told.batchId) {
            yield `${told.batchId}: member ${member} was ${told.executionIds[member]}, and is ${executionId} of ${batchId}`;
          }
        }
      }
    }
  },
};

/** A rule about each batch that is there, with its members in their order. */
function eachBatch(
  name: string,
  check: (final: FinalBatch, members: readonly (Final | undefined)[], history: History) => Iterable<string>,
): Rule {
  return {
    name,
    *check(history) {
      for (const [batchId, final] of history.batches) {
        const members = final.members.map(({ executionId }) => history.finals.get(executionId));
        for (const what of check(final, members, history)) yield `${batchId}: ${what}`;
      }
    },
  };
}

const endings = eachBatch('every member ends', function* ({ batch, members, endings: log }, finals) {
  if (!batch.isCompleted) yield 'it has not ended';
  if (members.length !== batch.members) yield `${members.length} of ${batch.members} members are listed`;
  for (const [index, { member, status, sequence, errorCode }] of members.entries()) {
    const result = finals[index]?.result;
    if (member !== index) yield `member ${index} is listed as ${member}`;
    if (result === undefined) yield `member ${index} has no execution`;
    else if (result.status !== status || result.errorCode !== errorCode) {
      yield `member ${index} is listed as ${ExecutionStatus[status]}, and is ${result.state}`;
    }
    const logged = log.filter((each) => each.member === index);
    if (logged.length !== 1 || logged[0]?.sequence !== sequence) {
      yield `member ${index} ended with number ${sequence}, and has ${logged.length} ends in the log of the batch`;
    }
  }
  if (log.some(({ sequence }, index) => sequence !== BigInt(index + 1)))
    yield 'numbers of its log are missing';
  const { completed, failed, cancelled, timedOut } = batch;
  const counted = completed + failed + cancelled + timedOut;
  const rightly = members.filter(({ status }) => status === COMPLETED).length;
  if (counted !== batch.members || completed !== rightly) {
    yield `it counts ${counted} ends, ${completed} of them completed; its members say ${rightly}`;
  }
});

function ended({ completed, failed, cancelled, timedOut }: Batch): number {
  return completed + failed + cancelled + timedOut;
}

const heard = eachBatch('what was told of a batch', function* ({ batch, endings: log }, _, { told }) {
  for (const each of told) {
    if (!('batchId' in each) || each.batchId !== batch.batchId) continue;
    if (each.kind === 'batchEnding') {
      const { sequence } = each.member;
      const same = log.find((ending) => ending.sequence === sequence);
      if (same === undefined || !equals(BatchMemberStateSchema, same, each.member)) {
        yield `the end with number ${sequence} was told, and is gone or another`;
      }
    } else if (each.kind === 'batchView') {
      const { pending, running, members, isCompleted, lastSequence } = each.batch;
      if (pending + running + ended(each.batch) !== members) yield 'counts were told that do not add up';
      if (isCompleted !== (ended(each.batch) === members))
        yield 'it was told to have ended too early or late';
      const before = log.slice(0, Number(lastSequence)).filter(({ status }) => status === COMPLETED).length;
      if (before !== each.batch.completed) {
        yield `${each.batch.completed} were told to have completed by number ${lastSequence}, and ${before} had`;
      }
    } else if (each.kind === 'batchCancelled' && each.changed && !batch.cancelling) {
      yield 'a cancel of it was accepted and is forgotten';
    }
  }
});

/** When the members were to end: by a cancel that was accepted, or as one failed. */
function overAt({ batch, endings: log }: FinalBatch, { told }: History): number {
  const cancels = told.flatMap((each) =>
    each.kind === 'batchCancelled' && each.batchId === batch.batchId ? [each.at] : [],
  );
  const failed =
    batch.onMemberFailure === MemberFailurePolicy.CANCEL_OTHERS
      ? log.find(({ status }) => status !== COMPLETED)?.endedAt
      : undefined;
  return Math.min(...cancels, failed === undefined ? Number.POSITIVE_INFINITY : timestampMs(failed));
}

const stopped = eachBatch('a cancelled batch ends', function* (final, members, history) {
  const from = overAt(final, history);
  for (const each of members) {
    const { executionId, completedAt } = each?.result ?? {};
    const grace =
      history.plans.get(each === undefined ? Number.NaN : planOf(each.result))?.terms.graceMs ?? 0;
    const end = completedAt === undefined ? Number.POSITIVE_INFINITY : timestampMs(completedAt);
    for (const { readyAt, faultAt, endedAt } of history.runs) {
      if (readyAt === undefined) continue;
      const sound = Math.min(end, faultAt ?? endedAt) - Math.max(from, readyAt);
      if (sound > grace + busyMs) yield `${executionId} went on for ${sound} ms in one run`;
    }
  }
});

/** Somebody cancelled its batch, or another member did not complete and the batch says what becomes of it then. */
export function wasCancelledWithBatch({ result }: Final, { batches, cancelledBatches }: History): boolean {
  if (cancelledBatches.has(result.batchId)) return true;
  const batch = batches.get(result.batchId);
  if (batch?.batch.onMemberFailure !== MemberFailurePolicy.CANCEL_OTHERS) return false;
  const first = batch.endings.find(({ status }) => status !== COMPLETED);
  return first !== undefined && first.executionId !== result.executionId;
}

export const batchRules: readonly Rule[] = [whole, accepted, endings, heard, stopped];
