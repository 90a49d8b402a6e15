/** I8, and one execution for each invocation id. */
import { type History, planOf } from '../history.ts';
import type { Rule } from './rule.ts';

const kept: Rule = {
  name: 'I8 kept',
  *check({ told, finals }: History) {
    const heard = new Set(told.flatMap((each) => ('executionId' in each ? [each.executionId ?? ''] : [])));
    for (const executionId of heard) {
      if (executionId !== '' && !finals.has(executionId)) yield `${executionId} was accepted and is gone`;
    }
  },
};

const ended: Rule = {
  name: 'I8 ended',
  *check({ finals }: History) {
    for (const [executionId, { result }] of finals) {
      if (!result.isCompleted) yield `${executionId} is still ${result.state}`;
    }
  },
};

/** What a server may say no to here, by call; whatever else it says is a violation. */
const down = ['UNAVAILABLE STORE_UNAVAILABLE', 'UNAVAILABLE DRAINING'];
const allowed: Readonly<Record<string, readonly string[]>> = {
  invoke: ['UNAVAILABLE DRAINING', 'UNAVAILABLE STORE_UNAVAILABLE'],
  cancel: down,
  suspend: [...down, 'FAILED_PRECONDITION'],
  resume: [...down, 'FAILED_PRECONDITION'],
  wait: down,
  watch: down,
  status: down,
  list: down,
  invokeBatch: down,
  getBatch: down,
  waitBatch: down,
  watchBatch: down,
  cancelBatch: down,
  createSchedule: down,
  // It came to its end, or another client has deleted it.
  pauseSchedule: [...down, 'FAILED_PRECONDITION SCHEDULE_ENDED', 'NOT_FOUND'],
  resumeSchedule: [...down, 'NOT_FOUND'],
  triggerSchedule: [...down, 'NOT_FOUND'],
  backfillSchedule: [...down, 'NOT_FOUND'],
  deleteSchedule: [...down, 'NOT_FOUND'],
  listFirings: [...down, 'NOT_FOUND'],
  redriveDeliveries: down,
};

const refusals: Rule = {
  name: 'refusals',
  *check({ told }: History) {
    for (const each of told) {
      if (each.kind !== 'refused') continue;
      const { call, code, reason, message, executionId = '' } = each;
      const words = allowed[call] ?? [];
      if (!words.includes(code) && !words.includes(`${code} ${reason}`)) {
        yield `${call} ${executionId}: ${code} ${reason}: ${message}`;
      }
    }
  },
};

const nothingRefused: Rule = {
  name: 'refused is not accepted',
  *check({ told, plans, finals }: History) {
    const existing = new Map([...finals].map(([executionId, { result }]) => [planOf(result), executionId]));
    for (const each of told) {
      if (each.kind !== 'refused' || each.plan === undefined) continue;
      const executionId = existing.get(each.plan);
      // One with an invocation id may have been accepted another time.
      if (executionId === undefined || plans.get(each.plan)?.invocationId !== '') continue;
      yield `plan ${each.plan} was refused (${each.reason}: ${each.message}), and is ${executionId}`;
    }
  },
};

const once: Rule = {
  name: 'one execution for each request',
  *check({ plans, finals, told }: History) {
    const owners = new Map<number, Set<string>>();
    const own = (plan: number, executionId: string): void => {
      owners.set(plan, (owners.get(plan) ?? new Set()).add(executionId));
    };
    const created = new Map<number, number>();
    for (const [executionId, { result }] of finals) own(planOf(result), executionId);
    for (const each of told) {
      if (each.kind !== 'admitted') continue;
      own(each.plan, each.executionId);
      if (each.joined === false) created.set(each.plan, (created.get(each.plan) ?? 0) + 1);
    }
    for (const [plan, ids] of owners) {
      if (!plans.has(plan)) yield `there is a plan ${plan} that nobody made`;
      if (ids.size > 1 && plans.get(plan)?.schedule === undefined)
        yield `plan ${plan} has the executions ${[...ids].join(', ')}`;
    }
    for (const [plan, times] of created) {
      if (times > 1) yield `plan ${plan} was told ${times} times that it made its execution`;
    }
  },
};

export const keptRules: readonly Rule[] = [kept, ended, refusals, nothingRefused, once];
