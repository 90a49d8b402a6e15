import type { NewEvent } from '../../domain/event.ts';
import type { Outcome } from '../../domain/execution.ts';
import { noRoomMessage } from './output-room.ts';

type Chunk = Extract<NewEvent, { kind: 'chunk' }>;

/** Events that are in no commit yet, without a part of their output. */
export interface OutputCut {
  /** Numbered anew, without a gap. */
  readonly events: readonly NewEvent[];
  /** Of what was left out. */
  readonly bytes: number;
  readonly chunks: number;
  /** The number now of the event that had this one, or of the last one before it that is left. */
  moved(sequence: number): number;
}

/** Leaves out the first chunk that is not kept and all chunks after it; undefined where all are kept. */
export function cutOutput(
  events: readonly NewEvent[],
  keeps: (chunk: Chunk) => boolean,
): OutputCut | undefined {
  const left: NewEvent[] = [];
  const cut: number[] = [];
  let bytes = 0;
  for (const event of events) {
    if (event.kind === 'chunk' && (cut.length > 0 || !keeps(event))) {
      cut.push(event.sequence);
      bytes += event.data.byteLength;
    } else left.push(cut.length === 0 ? event : { ...event, sequence: event.sequence - cut.length });
  }
  if (cut.length === 0) return undefined;
  const moved = (sequence: number): number => sequence - cut.filter((gone) => gone <= sequence).length;
  return { events: left, bytes, chunks: cut.length, moved };
}

/** The end of an execution whose output, or with `keepValue` false whose value, found no room: no success any more. */
export function cutOutcome(outcome: Outcome, keepValue: boolean): Outcome {
  const { output, ...rest } = outcome;
  const kept = keepValue && output !== undefined ? { ...rest, output } : rest;
  if (kept.status !== 'completed') return kept;
  return { ...kept, status: 'failed', code: 'OUTPUT_LIMIT', message: noRoomMessage };
}
