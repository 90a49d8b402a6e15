/** A schedule as it should be: two instants fired one after the other, and then one was skipped. */
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  FiringCause,
  FiringResult,
  FiringSchema,
  ScheduleOverlap,
  ScheduleSchema,
} from '../../src/server/gen/spearlet/schedule_pb.js';
import { type ForgedFinal, forgedFinal, noon } from './forged-execution.ts';
import type { FinalSchedule, Plan, SchedulePlan, Terms, Told } from './history.ts';

export const early = 'exec_early';
export const late = 'exec_late';
export const everySecond = 'every-1';

const number = 5;
const intervalMs = 1000;

export function forgedSchedule(terms: Terms) {
  const finals = [early, late].map((executionId, index): [string, ForgedFinal] => {
    const instant = noon + index * intervalMs;
    const made = forgedFinal(
      executionId,
      number,
      [
        [0, '', 'pending.queued', 'admit'],
        [1, 'pending.queued', 'running.attempting', 'dispatch'],
        [1, 'hello'],
      ],
      {
        ...{ output: Buffer.from('hello'), schedule: everySecond },
        requestId: `schedule/${everySecond}/${new Date(instant).toISOString().replace('.000Z', 'Z')}`,
      },
    );
    return [executionId, later(made, index * intervalMs)];
  });
  const firings = [early, late, late].map((executionId, index) =>
    create(FiringSchema, {
      sequence: BigInt(index + 1),
      instant: timestampFromMs(noon + index * intervalMs),
      at: timestampFromMs(noon + index * intervalMs),
      cause: FiringCause.CLOCK,
      result: index === 2 ? FiringResult.SKIPPED : FiringResult.FIRED,
      executionId,
    }),
  );
  const plan: SchedulePlan = {
    ...{ name: everySecond, plan: number, overlap: ScheduleOverlap.SKIP, intervalMs },
    ...{ catchUpMs: 10_000, endAt: noon + 2500 },
  };
  const schedule = create(ScheduleSchema, {
    definition: { name: everySecond },
    ...{ state: 'ended', createdAt: timestampFromMs(noon - 500), fired: 2n, skipped: 1n },
  });
  const final: FinalSchedule = { schedule, firings };
  const ofPlan: [number, Plan] = [number, { number, invocationId: '', terms, schedule: everySecond }];
  const told: Told[] = [
    { kind: 'scheduleMade', schedule: everySecond },
    { kind: 'firings', schedule: everySecond, firings: structuredClone(firings) },
  ];
  return { plan, ofPlan, finals, final, told };
}

/** All of it by so much later. */
function later(made: ForgedFinal, ms: number): ForgedFinal {
  const { result, log } = made;
  const moved = (time: { seconds: bigint; nanos: number } | undefined) => {
    if (time !== undefined) time.seconds += BigInt(ms / 1000);
  };
  const [first, end] = [log[0]?.event, log.at(-1)?.event];
  if (first?.case === 'transition') {
    const patch = JSON.parse(first.value.contextPatch) as { totalDeadline: number };
    first.value.contextPatch = JSON.stringify({ totalDeadline: patch.totalDeadline + ms });
  }
  for (const { time } of log) moved(time);
  for (const each of [result, end?.case === 'result' ? end.value : undefined]) {
    for (const time of [each?.createdAt, each?.startedAt, each?.completedAt]) moved(time);
  }
  return made;
}
