/** What the lanes of the timeline hold, with words. Pure. */
import { countText, durationText } from '../../model/quantity.ts';
import type { Shape, Tone } from '../../theme/tone.ts';
import type { LogIndex } from '../log/log-index.ts';
import { type Attempt, type AttemptEnd, endWords, type LaneName, type Spans, spansOf } from '../log/spans.ts';
import type { TimeScale } from './scale.ts';

export type Lane = LaneName | 'attempts' | 'output';

export const laneWords: Readonly<Record<Lane, string>> = {
  waiting: 'Waiting',
  queued: 'Queued',
  held: 'Held',
  attempts: 'Attempts',
  backoff: 'Backoff',
  output: 'Output',
};

export interface Bar {
  readonly key: string;
  readonly lane: Exclude<Lane, 'output'>;
  readonly from: number;
  /** Absent where it still lasts. */
  readonly to: number | undefined;
  readonly tone: Tone;
  readonly shape: Shape | undefined;
  /** Within the bar. */
  readonly label: string;
  /** For people, without its times. */
  readonly word: string;
  /** The event that began it. */
  readonly sequence: number;
  readonly attempt: Attempt | undefined;
}

const tones: Readonly<Record<LaneName, Tone>> = {
  waiting: 'pending',
  queued: 'pending',
  held: 'held',
  backoff: 'timedOut',
};

const endLooks: Readonly<Record<AttemptEnd, { readonly tone: Tone; readonly shape: Shape | undefined }>> = {
  running: { tone: 'running', shape: 'arc' },
  completed: { tone: 'completed', shape: 'check' },
  failed: { tone: 'failed', shape: 'cross' },
  timedOut: { tone: 'timedOut', shape: 'late' },
  cancelled: { tone: 'cancelled', shape: 'slash' },
  lost: { tone: 'failed', shape: 'retry' },
  stopped: { tone: 'held', shape: 'pause' },
};

export function barsOf({ stays, attempts }: Spans): readonly Bar[] {
  const bars: Bar[] = stays.map((stay) => ({
    key: `${stay.lane}${stay.entry.sequence}`,
    lane: stay.lane,
    from: stay.from,
    to: stay.to,
    tone: tones[stay.lane],
    shape: undefined,
    label: '',
    word: stay.state === 'running.suspended' ? 'Suspended' : laneWords[stay.lane],
    sequence: stay.entry.sequence,
    attempt: undefined,
  }));
  for (const attempt of attempts) {
    const { tone, shape } = endLooks[attempt.end];
    const paused = attempt.end === 'running' && attempt.phases.at(-1)?.kind === 'pause';
    const why = paused
      ? 'paused'
      : attempt.code === ''
        ? endWords[attempt.end]
        : `${endWords[attempt.end]}, ${attempt.code}`;
    bars.push({
      key: `attempt${attempt.entry.sequence}`,
      lane: 'attempts',
      from: attempt.from,
      to: attempt.to,
      tone,
      shape,
      label: `${attempt.number}`,
      word: `Attempt ${attempt.number}: ${why}`,
      sequence: attempt.entry.sequence,
      attempt,
    });
  }
  return bars.sort((one, other) => one.from - other.from || one.sequence - other.sequence);
}

/** The bars that were known at an event: of its log up to it, and of nothing that came after. All of them without one. */
export function barsAt(index: LogIndex, at: number | undefined): readonly Bar[] {
  const { steps } = index;
  if (at === undefined) return barsOf(spansOf(steps));
  return barsOf(spansOf(steps.slice(0, (index.stepAt(at)?.number ?? -1) + 1)));
}

/** What was still to come at an instant: where something stands, and not what. */
export interface LaterBar {
  readonly key: string;
  readonly lane: Bar['lane'];
  readonly from: number;
  readonly to: number | undefined;
  /** The event to go to. */
  readonly sequence: number;
}

/** The parts of `bars` that come after an instant. */
export function laterBars(bars: readonly Bar[], time: number): readonly LaterBar[] {
  return bars
    .filter(({ to }) => to === undefined || to > time)
    .map(({ key, lane, from, to, sequence }) => ({ key, lane, from: Math.max(from, time), to, sequence }));
}

/** The lanes that a log has something in; attempts and output always. */
export function lanesOf(bars: readonly Bar[]): readonly Lane[] {
  const used = new Set<Lane>(bars.map(({ lane }) => lane));
  const all: readonly Lane[] = ['waiting', 'queued', 'held', 'attempts', 'backoff', 'output'];
  return all.filter((lane) => lane === 'attempts' || lane === 'output' || used.has(lane));
}

/** A bar's times, relative to the admission. */
export function timesOf(bar: Bar, admitted: number, now: number): string {
  const lasted = durationText((bar.to ?? now) - bar.from);
  const began = `+${durationText(bar.from - admitted)}`;
  return bar.to === undefined
    ? `since ${began}, for ${lasted}`
    : `${began} to +${durationText(bar.to - admitted)}, ${lasted}`;
}

/** From here on a bar says that it is drawn wider than its time: less is not seen. */
const minWidening = 1.5;

/** How many times wider than its time a bar is drawn, where that could mislead; nothing where it does not. */
export function wideningOf(bar: Bar, scale: TimeScale, now: number): number | undefined {
  const times = scale.widening(bar.from, bar.to ?? now);
  return times >= minWidening ? times : undefined;
}

/** For people. */
export function wideningText(times: number): string {
  return `drawn ${times < 10 ? Number(times.toFixed(1)) : countText(times)}× wider than its time`;
}
