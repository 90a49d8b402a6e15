/** I7: a crash neither extends nor shortens a deadline. */
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { ErrorCode } from '../../../src/server/gen/spearlet/function_pb.js';
import type { History } from '../history.ts';
import { eachExecution, type Rule, statesIn } from './rule.ts';

/** Between the clock that people read and the one that deadlines go by: a busy machine is long between two looks. */
const clocksMs = 250;
/** What a busy machine may take to end an attempt, beyond its grace. */
const busyMs = 5000;

const instant = (time: Timestamp | undefined): number =>
  time === undefined ? Number.NaN : timestampMs(time);

const fixed = eachExecution('I7 total deadline', function* ({ result, log }, { terms }) {
  const told = statesIn(log).flatMap(({ contextPatch }) => {
    const { totalDeadline } = JSON.parse(contextPatch || '{}') as { readonly totalDeadline?: number };
    return totalDeadline === undefined ? [] : [totalDeadline];
  });
  const [first] = told;
  if (first === undefined) yield 'its log does not say when its total timeout is';
  else if (Math.abs(first - instant(result.createdAt) - terms.totalMs) > clocksMs) {
    yield `its total timeout is ${first - instant(result.createdAt)} ms after its admission`;
  }
  if (new Set(told).size > 1) yield `its total timeout moved: ${told.join(', ')}`;
});

const early = eachExecution('I7 not early', function* ({ result, log }, { terms }) {
  const created = instant(result.createdAt);
  const lived = instant(result.completedAt) - created;
  if (result.errorCode === ErrorCode.TOTAL_TIMEOUT && lived < terms.totalMs - clocksMs) {
    yield `its total timeout of ${terms.totalMs} ms came after ${lived} ms`;
  }
  const began = statesIn(log).find(({ to }) => to.startsWith('running.'))?.at ?? Number.POSITIVE_INFINITY;
  if (began - created < terms.startAfterMs - clocksMs) {
    yield `it was to begin after ${terms.startAfterMs} ms, and did after ${began - created}`;
  }
});

const late = eachExecution('I7 not late', function* ({ result }, { terms }, history: History) {
  const deadline = instant(result.createdAt) + terms.totalMs;
  const end = instant(result.completedAt);
  for (const { readyAt, faultAt, endedAt } of history.runs) {
    if (readyAt === undefined) continue;
    const sound = Math.min(end, faultAt ?? endedAt) - Math.max(deadline, readyAt);
    if (sound > terms.graceMs + busyMs) yield `it went on for ${sound} ms past its total timeout in one run`;
  }
});

export const deadlineRules: readonly Rule[] = [fixed, early, late];
