/** Holds what clients of a cluster were told, and what programs say of themselves, against what is stored. */
import {
  ErrorCode,
  type ExecutionResult,
  ExecutionStatus,
  OutputStream,
  type StreamExecutionResult,
} from '../../src/server/gen/spearlet/function_pb.js';
import type { Told } from './told.ts';
import { type Beat, overlaps } from './witness.ts';

type Log = readonly StreamExecutionResult[];

/**
 * In words, what does not hold.
 *
 * @param log the whole log of the execution as it is stored
 * @param beats what its attempts wrote of themselves
 */
export function judge(told: Told, log: Log, beats: readonly Beat[]): string[] {
  const ids = [...told.executionIds];
  const wrong = [
    ...told.wrong,
    ...(ids.length === 1 ? [] : [`answers name ${ids.join(' and ') || 'no execution'}`]),
    ...grammar(log),
    ...wasHeard(told, log),
    ...answers(told, log),
    ...end(told, log),
    ...lives(told, log, beats),
  ];
  return named(told, wrong);
}

export function named({ executionIds, kind, mode, invocationId }: Told, wrong: readonly string[]): string[] {
  return wrong.map(
    (what) => `${[...executionIds].join(' ')} (${kind.name}, ${mode}, ${invocationId}): ${what}`,
  );
}

/** Each log is numbered from 1 without a gap, grows in its positions, and ends once. */
function grammar(log: Log): string[] {
  const wrong: string[] = [];
  const finals = log.filter(({ isFinal }) => isFinal).length;
  if (finals !== 1 || log.at(-1)?.isFinal !== true) wrong.push(`its log has ${finals} ends`);
  for (const [index, { sequence, position }] of log.entries()) {
    if (sequence !== BigInt(index + 1))
      wrong.push(`its log has event ${sequence} where ${index + 1} was next`);
    const before = log[index - 1];
    if (before !== undefined && position <= before.position)
      wrong.push(`position ${position} after ${before.position}`);
  }
  return wrong;
}

/** Nobody hears what is not stored. */
function wasHeard({ heard }: Told, log: Log): string[] {
  return heard.flatMap((event) => {
    const stored = log[Number(event.sequence) - 1];
    if (stored !== undefined && said(stored) === said(event)) return [];
    return [`heard event ${event.sequence} as ${said(event)}, stored is ${stored && said(stored)}`];
  });
}

/** All who were told of its end were told of the same one. */
function answers({ ends }: Told, log: Log): string[] {
  const stored = resultOf(log);
  return ends.flatMap((end) => {
    const [told, is] = [ended(end), stored && ended(stored)];
    const wrong = told === is ? [] : [`an answer has the end ${told}, stored is ${is}`];
    if (!end.outputTruncated && !Buffer.from(end.output).equals(outputOf(log, end.attempt)))
      wrong.push(`an answer has other output than attempt ${end.attempt} in the log`);
    return wrong;
  });
}

function end({ kind, wasToEnd, isCancelled }: Told, log: Log): string[] {
  const result = resultOf(log);
  const { status } = result ?? {};
  const mayBe = [
    ...(isCancelled ? [] : [status === ExecutionStatus.COMPLETED]),
    wasToEnd && status === ExecutionStatus.CANCELLED,
    kind.isOnce === true && result?.errorCode === ErrorCode.INTERRUPTED,
  ];
  if (mayBe.includes(true)) return [];
  const asked = isCancelled ? ', and its end was promised' : '';
  return [`it ended with ${status} ${result?.errorCode} ${result?.errorMessage}${asked}`];
}

/** Attempts do not overlap, and are no more than they may be. */
function lives({ kind, beats: file }: Told, log: Log, beats: readonly Beat[]): string[] {
  const result = resultOf(log);
  const wrong = overlaps(beats);
  const lived = new Set(beats.map(({ attempt }) => attempt)).size;
  if (kind.isOnce === true && (result?.attempt ?? 0) > 1) wrong.push(`it has ${result?.attempt} attempts`);
  if (kind.isOnce === true && lived > 1) wrong.push(`it ran ${lived} times`);
  if (lived > (result?.attempt ?? 0)) wrong.push(`it ran ${lived} times in ${result?.attempt} attempts`);
  const isWhole = beats.at(-1)?.what === 'end';
  if (file !== '' && result?.status === ExecutionStatus.COMPLETED && !isWhole)
    wrong.push(`it completed, and its program last wrote ${beats.at(-1)?.what}`);
  return wrong;
}

function resultOf(log: Log): ExecutionResult | undefined {
  const last = log.at(-1)?.event;
  return last?.case === 'result' ? last.value : undefined;
}

function ended({ status, errorCode, attempt, recoveries }: ExecutionResult): string {
  return `${status} ${errorCode} of attempt ${attempt} with ${recoveries} recoveries`;
}

function outputOf(log: Log, attempt: number): Buffer {
  return Buffer.concat(
    log.flatMap((each) =>
      each.event.case === 'chunk' &&
      each.event.value.stream === OutputStream.STDOUT &&
      each.attempt === attempt
        ? [each.event.value.data]
        : [],
    ),
  );
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
          ? ended(value)
          : '';
  return `${kind} ${position} ${attempt} ${about}`;
}
