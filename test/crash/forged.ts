/**
 * A history as it should be, to be spoiled: two executions over a crash, one of them lost and run again, and a batch of
 * two, of which one follows the other, and a schedule that has fired twice.
 */
import { create } from '@bufbuild/protobuf';
import {
  ExecutionResultSchema,
  ExecutionStatus,
  type StreamExecutionResult,
} from '../../src/server/gen/spearlet/function_pb.js';
import { forgedBatch } from './forged-batch.ts';
import { type ForgedFinal, forgedFinal, fromFirstPosition, noon, totalMs } from './forged-execution.ts';
import { type ForgedHooks, forgedHooks, forgedTells } from './forged-hooks.ts';
import { forgedSchedule } from './forged-schedule.ts';
import type { BatchPlan, FinalBatch, FinalSchedule, History, Mark, Plan, Terms, Told } from './history.ts';
import { plain } from './kinds.ts';

const { RUNNING } = ExecutionStatus;

/** A history that a test may change in any place. */
export interface Forged extends Omit<History, keyof ForgedHooks>, ForgedHooks {
  readonly plans: Map<number, Plan>;
  readonly told: Told[];
  readonly cancelled: Set<string>;
  readonly cancelledBatches: Set<string>;
  readonly batchPlans: Map<number, BatchPlan>;
  readonly pausedSchedules: Set<string>;
  readonly deletedSchedules: Set<string>;
  readonly runs: { -readonly [Key in keyof History['runs'][number]]: History['runs'][number][Key] }[];
  readonly finals: Map<string, ForgedFinal>;
  readonly batches: Map<string, FinalBatch>;
  readonly schedules: Map<string, FinalSchedule>;
  readonly marks: Map<number, Mark[]>;
  readonly remains: { when: string; what: string[] }[];
}

export const calm = 'exec_calm';
export const lost = 'exec_lost';

export function forged(): Forged {
  fromFirstPosition();
  const terms: Terms = { ...plain, totalMs, task: 'cat', runtime: 'wasm', stdout: Buffer.from('hello') };
  const marked: Terms = { ...terms, task: 'process-rerun', runtime: 'process', marks: true };
  const one = forgedFinal(
    calm,
    1,
    [
      [0, '', 'pending.queued', 'admit'],
      [1, 'pending.queued', 'running.attempting', 'dispatch'],
      [1, 'hello'],
    ],
    { output: Buffer.from('hello') },
  );
  const two = forgedFinal(
    lost,
    2,
    [
      [0, '', 'pending.queued', 'admit'],
      [1, 'pending.queued', 'running.attempting', 'dispatch'],
      [1, 'hel'],
      [1, 'running.attempting', 'running.backingOff', 'lost'],
      [2, 'running.backingOff', 'running.attempting', 'dispatch'],
      [2, 'hello'],
    ],
    { output: Buffer.from('hello'), attempt: 2, recoveries: 1 },
  );
  const together = forgedBatch(terms);
  const byClock = forgedSchedule(terms);
  const heard = (executionId: string, log: readonly StreamExecutionResult[]): Told[] =>
    log.map((event) => ({ kind: 'event', executionId, event: structuredClone(event) }));
  return {
    plans: new Map([
      [1, { number: 1, invocationId: '', terms }],
      [2, { number: 2, invocationId: 'request-2', terms: { ...marked, tells: forgedTells } }],
      ...together.plans,
      byClock.ofPlan,
    ]),
    told: [
      { kind: 'admitted', plan: 1, executionId: calm },
      ...heard(calm, one.log),
      { kind: 'admitted', plan: 2, executionId: lost, joined: false },
      { kind: 'admitted', plan: 2, executionId: lost, joined: true },
      ...heard(lost, two.log.slice(0, 3)),
      {
        kind: 'view',
        executionId: lost,
        result: create(ExecutionResultSchema, {
          executionId: lost,
          status: RUNNING,
          state: 'running.attempting',
        }),
        lastSequence: 3,
        withOutput: true,
      },
      {
        kind: 'view',
        executionId: lost,
        result: structuredClone(two.result),
        lastSequence: 7,
        withOutput: true,
      },
      { kind: 'refused', call: 'invoke', plan: 2, code: 'UNAVAILABLE', reason: 'DRAINING', message: '' },
      ...together.told,
      ...byClock.told,
    ],
    cancelled: new Set(),
    cancelledBatches: new Set(),
    batchPlans: new Map([[together.plan.number, together.plan]]),
    schedulePlans: new Map([[byClock.plan.name, byClock.plan]]),
    pausedSchedules: new Set(),
    deletedSchedules: new Set(),
    runs: [
      { phase: 'load', readyAt: noon - 500, endedAt: noon + 35, exit: 'SIGKILL', bugs: [], killed: true },
      { phase: 'last', readyAt: noon + 500, endedAt: noon + 9000, exit: '0', bugs: [], killed: false },
    ],
    finals: new Map([[calm, one], [lost, two], ...together.finals, ...byClock.finals]),
    batches: new Map([[together.batch.batchId, together.final]]),
    schedules: new Map([[byClock.plan.name, byClock.final]]),
    marks: new Map([
      [1, []],
      [
        2,
        [
          { attempt: 'a', what: 'start' },
          { attempt: 'a', what: 'step' },
          { attempt: 'b', what: 'start' },
          { attempt: 'b', what: 'end' },
        ],
      ],
    ]),
    remains: [{ when: 'when the server was gone', what: [] }],
    ...forgedHooks(lost),
  };
}
