/** The events of a log as rows of a list, and which of them a reader wants to see. Pure. */
import { transitionWords } from '../../../../domain/transition-words.ts';
import type { LogEvent } from '../../model/log-event.ts';
import { countText, sizeText } from '../../model/quantity.ts';
import { withoutAnsi } from '../output/ansi.ts';
import { oneLine } from '../output/visible.ts';
import type { TextMatch } from '../text-match.ts';

/** What is shown; all of `kinds` and `attempt` must hold. */
export interface EntryFilter {
  readonly transitions: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Only what went wrong. */
  readonly failures: boolean;
  /** 0 is all. */
  readonly attempt: number;
}

export const allEntries: EntryFilter = {
  transitions: true,
  stdout: true,
  stderr: true,
  failures: false,
  attempt: 0,
};

const shownBytes = 400;
/** A search looks at no more of one event: a chunk has at most this. */
const searchedBytes = 65_536;

export function passes(event: LogEvent, filter: EntryFilter, match: TextMatch | undefined): boolean {
  if (filter.attempt !== 0 && event.attempt !== filter.attempt) return false;
  if (event.kind === 'chunk' ? !filter[event.chunk.stream] : !filter.transitions) return false;
  if (filter.failures && !isFailure(event)) return false;
  return match === undefined || match.occursIn(searched(event));
}

/** It tells of something that went wrong, or of what was done about it. */
export function isFailure(event: LogEvent): boolean {
  if (event.kind === 'result') return event.result.status !== 'completed';
  if (event.kind === 'chunk') return false;
  if (event.kind === 'refusal') return true;
  const { reasonCode, eventType, to } = event.transition;
  return (
    reasonCode !== '' ||
    eventType === 'lost' ||
    eventType === 'reattached' ||
    eventType === 'limit' ||
    to === 'running.backingOff'
  );
}

export function entryText(event: LogEvent): string {
  if (event.kind === 'chunk') {
    return oneLine(withoutAnsi(decoded(event.chunk.data, shownBytes)).replace(/\r?\n$/, ''), 240);
  }
  if (event.kind === 'refusal') return event.text;
  if (event.kind === 'result') {
    const { result } = event;
    return result.errorCode === ''
      ? result.status
      : `${result.errorCode}: ${oneLine(result.errorMessage, 240)}`;
  }
  return transitionWords({ ...event.transition, attempt: event.attempt });
}

/** The size of a chunk; empty for all else. */
export function entrySize(event: LogEvent): string {
  return event.kind === 'chunk' ? sizeText(event.chunk.data.byteLength) : '';
}

/** The whole row as a sentence, for those who listen. */
export function entryLabel(event: LogEvent): string {
  const by = event.principal === undefined ? '' : `, by ${event.principal}`;
  const head = `Event ${countText(event.sequence)}, attempt ${event.attempt}${by}`;
  if (event.kind === 'chunk') return `${head}, ${event.chunk.stream}: ${entryText(event)}`;
  if (event.kind === 'refusal') return `${head}, network: ${event.text}`;
  if (event.kind === 'result') return `${head}, result: ${entryText(event)}`;
  const { from, to, eventType, reasonCode } = event.transition;
  const because = reasonCode === '' ? '' : ` because of ${reasonCode}`;
  const words = entryText(event);
  const told = words === '' ? '' : `: ${words}`;
  return `${head}, ${eventType} from ${from === '' ? 'nothing' : from} to ${to}${because}${told}`;
}

function searched(event: LogEvent): string {
  if (event.kind === 'chunk') return withoutAnsi(decoded(event.chunk.data, searchedBytes));
  if (event.kind === 'refusal') return `${event.sequence} network ${event.text}`;
  if (event.kind === 'result') {
    const { result } = event;
    return `${event.sequence} result ${result.state} ${result.errorCode} ${result.errorMessage}`;
  }
  const { from, to, eventType, reasonCode, contextPatch } = event.transition;
  return `${event.sequence} ${eventType} ${from} ${to} ${reasonCode} ${event.principal ?? ''} ${entryText(event)} ${contextPatch}`;
}

const decoder = new TextDecoder();

function decoded(data: Uint8Array, most: number): string {
  return decoder.decode(data.byteLength > most ? data.subarray(0, most) : data);
}
