/** Holds what clients of a cluster were told, and what programs say of themselves, against what is stored. */
import {
  ErrorCode,
  ExecutionStatus,
  type StreamExecutionResult,
} from '../../src/server/gen/spearlet/function_pb.js';
import type { Told } from './load.ts';
import { overlaps, type Witness } from './witness.ts';

/** In words, what does not hold; `log` is the whole log of the execution as it is stored. */
export function judge(told: Told, log: readonly StreamExecutionResult[], witness: Witness): string[] {
  const { executionIds, heard, task, beats } = told;
  const wrong = [...told.wrong];
  if (executionIds.size !== 1)
    wrong.push(`answers name ${[...executionIds].join(' and ') || 'no execution'}`);
  const finals = log.filter(({ isFinal }) => isFinal).length;
  if (finals !== 1 || log.at(-1)?.isFinal !== true) wrong.push(`its log has ${finals} ends`);
  for (const [index, { sequence }] of log.entries()) {
    if (sequence !== BigInt(index + 1))
      wrong.push(`its log has event ${sequence} where ${index + 1} was next`);
  }
  for (const [index, { position }] of log.entries()) {
    const before = log[index - 1];
    if (before !== undefined && position <= before.position)
      wrong.push(`position ${position} after ${before.position}`);
  }
  for (const event of heard) {
    const stored = log[Number(event.sequence) - 1];
    if (stored === undefined || said(stored) !== said(event)) {
      wrong.push(`heard event ${event.sequence} as ${said(event)}, stored is ${stored && said(stored)}`);
    }
  }
  const end = log.at(-1)?.event;
  const result = end?.case === 'result' ? end.value : undefined;
  const isOnce = task === 'beat-once';
  const completed = result?.status === ExecutionStatus.COMPLETED;
  if (!completed && !(isOnce && result?.errorCode === ErrorCode.INTERRUPTED)) {
    wrong.push(`it ended with ${result?.status} ${result?.errorCode} ${result?.errorMessage}`);
  }
  if (isOnce && (result?.attempt ?? 0) > 1) wrong.push(`it has ${result?.attempt} attempts`);
  if (beats !== '') {
    const lived = witness.beats(beats);
    wrong.push(...overlaps(lived));
    if (isOnce && new Set(lived.map(({ attempt }) => attempt)).size > 1) wrong.push('it ran more than once');
  }
  return wrong.map((what) => `${[...executionIds].join(' ')} (${task}, ${told.invocationId}): ${what}`);
}

/** What an event says, in words that can be compared. */
function said({ position, attempt, event }: StreamExecutionResult): string {
  const { case: kind, value } = event;
  const about =
    kind === 'chunk'
      ? Buffer.from(value.data).toString('hex')
      : kind === 'transition'
        ? `${value.from} ${value.to} ${value.eventType}`
        : kind === 'result'
          ? `${value.status} ${value.errorCode}`
          : '';
  return `${kind} ${position} ${attempt} ${about}`;
}
