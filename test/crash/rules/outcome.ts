/** Every execution ended as what it ran, and what was done to it, lets it end. */
import { timestampMs } from '@bufbuild/protobuf/wkt';
import {
  ErrorCode,
  ExecutionStatus,
  OutputStream,
  type StreamExecutionResult,
} from '../../../src/server/gen/spearlet/function_pb.js';
import type { Final, History, Plan } from '../history.ts';
import { wasCancelledWithBatch } from './batches.ts';
import { unmet, withOutputs } from './dependencies.ts';
import { eachExecution, type Rule, statesIn } from './rule.ts';
import { wasReplaced } from './schedules.ts';

/** What each attempt wrote on stdout. */
function outputs(log: readonly StreamExecutionResult[]): Map<number, Buffer> {
  const byAttempt = new Map<number, Buffer[]>();
  for (const { attempt, event } of log) {
    if (event.case !== 'chunk' || event.value.stream !== OutputStream.STDOUT) continue;
    byAttempt.set(attempt, [...(byAttempt.get(attempt) ?? []), Buffer.from(event.value.data)]);
  }
  return new Map([...byAttempt].map(([attempt, parts]) => [attempt, Buffer.concat(parts)]));
}

const whole = eachExecution('output', function* ({ result, log }, plan, history) {
  const terms = withOutputs(plan.terms, history);
  const written = outputs(log);
  for (const [attempt, data] of written) {
    if (!terms.stdout.subarray(0, data.length).equals(data)) {
      yield `attempt ${attempt} wrote what is not its output: ${excerpt(data)}, not ${excerpt(terms.stdout)}`;
    }
  }
  if (result.exitCode === undefined && result.status !== ExecutionStatus.COMPLETED) return;
  if (terms.value !== undefined) {
    if (Buffer.from(result.output).toString() !== terms.value) yield `its value is ${excerpt(result.output)}`;
    return;
  }
  if (result.exitCode !== terms.exitCode) return;
  const last = written.get(result.attempt) ?? Buffer.alloc(0);
  if (result.errorCode !== ErrorCode.OUTPUT_LIMIT && !last.equals(terms.stdout))
    yield `it wrote ${last.length} of ${terms.stdout.length} bytes and came to its end`;
  if (!last.equals(result.output)) yield 'the output of its record is not that of its last attempt';
});

function excerpt(data: Uint8Array): string {
  return JSON.stringify(Buffer.from(data.subarray(0, 60)).toString());
}

/** A server that ended while the execution was under way. */
function wasLost({ result }: Final, { runs }: History): boolean {
  const from = result.startedAt === undefined ? Number.NaN : timestampMs(result.startedAt);
  const to = result.completedAt === undefined ? Number.NaN : timestampMs(result.completedAt);
  return runs.some(
    ({ endedAt, phase }) => endedAt >= from && (endedAt <= to || phase === 'drain' || phase === 'stop'),
  );
}

/** It ended while a full disk took no output beyond what is kept for endings. */
function metFullDisk({ result }: Final, { runs }: History): boolean {
  const at = result.completedAt === undefined ? Number.NaN : timestampMs(result.completedAt);
  return runs.some(
    ({ endedAt, phase, faultAt }) =>
      phase === 'full' && faultAt !== undefined && faultAt <= at && at <= endedAt,
  );
}

function explained(final: Final, { terms }: Plan, history: History): boolean {
  const { result, log } = final;
  switch (result.errorCode) {
    case ErrorCode.UNSPECIFIED:
      return result.status === ExecutionStatus.COMPLETED && terms.exitCode === 0;
    case ErrorCode.FUNCTION_EXIT:
      return terms.exitCode !== 0 && result.exitCode === terms.exitCode;
    case ErrorCode.CANCELLED:
      return (
        history.cancelled.has(result.executionId) ||
        wasCancelledWithBatch(final, history) ||
        wasReplaced(final, history)
      );
    case ErrorCode.DEPENDENCY_FAILED:
      return result.attempt === 0 && unmet(terms, history).length > 0;
    case ErrorCode.TOTAL_TIMEOUT:
      return true;
    case ErrorCode.QUEUE_TIMEOUT:
      return terms.queueMs !== undefined && result.attempt === 0;
    case ErrorCode.ATTEMPT_TIMEOUT:
      return terms.attemptMs !== undefined && statesIn(log).some(({ to }) => to === 'running.stopping');
    case ErrorCode.INTERRUPTED:
      return wasLost(final, history);
    case ErrorCode.OUTPUT_LIMIT:
      return metFullDisk(final, history);
    default:
      return false;
  }
}

const endings = eachExecution('endings', function* (final, plan, history) {
  if (explained(final, plan, history)) return;
  const { result } = final;
  yield `it is ${result.state} with ${ErrorCode[result.errorCode]}, exit code ${result.exitCode}, which nothing explains: ${result.errorMessage}`;
});

export const outcomeRules: readonly Rule[] = [whole, endings];
