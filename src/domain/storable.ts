/** What a guest or its runtime says of an end, as the fields that carry it can hold it: one that cannot be told would break every list that it is in. */
import type { Outcome, ResourceUse } from './execution.ts';

/** Above any message of ours; a runtime may quote its guest. */
const longestMessage = 16 * 1024;

/** An int32; of any other number the low byte, which is all that a process can say. */
export function exitCodeOf(value: number): number {
  if (Number.isInteger(value) && value === (value | 0)) return value;
  return Number.isFinite(value) ? Number(BigInt(Math.trunc(value)) & 0xffn) : 255;
}

/** A number from 0 on that a count can be; 0 where it is none. */
export function countOf(value: number | undefined): number {
  if (value === undefined || !(value > 0)) return 0;
  return Math.min(Math.round(value), Number.MAX_SAFE_INTEGER);
}

export function storableUse({ cpuTimeUs, peakMemoryBytes }: ResourceUse): ResourceUse {
  return {
    ...(cpuTimeUs !== undefined && { cpuTimeUs: countOf(cpuTimeUs) }),
    ...(peakMemoryBytes !== undefined && { peakMemoryBytes: countOf(peakMemoryBytes) }),
  };
}

export function storableOutcome(outcome: Outcome): Outcome {
  const { exitCode, output } = outcome;
  const common = {
    ...(exitCode !== undefined && { exitCode: exitCodeOf(exitCode) }),
    ...(output !== undefined && { output: output.toWellFormed() }),
  };
  if (outcome.status === 'completed') return { status: 'completed', ...common };
  const { status, code, message, termination } = outcome;
  return {
    status,
    code,
    message: message.slice(0, longestMessage).toWellFormed(),
    ...common,
    ...(termination !== undefined && {
      termination: { rung: termination.rung, tookMs: countOf(termination.tookMs) },
    }),
  };
}
