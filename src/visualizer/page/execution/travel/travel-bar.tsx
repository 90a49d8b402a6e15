/** Going back and forth in the log. What is shown then is the past: it says so, and nothing in it can be changed. */
import { useKeys } from '../../keyboard/keys.ts';
import { countText, durationText, instantText } from '../../model/quantity.ts';
import { Icon } from '../../theme/icon.tsx';
import { lookOf } from '../../theme/tone.ts';
import { entryLabel } from '../events/entries.ts';
import type { LogIndex } from '../log/log-index.ts';
import './travel.css';

interface Props {
  readonly index: LogIndex;
  readonly length: number;
  /** Undefined at the live end. */
  readonly at: number | undefined;
  /** When the execution was: times are told since then. */
  readonly admitted: number;
  /** More events may come. */
  readonly growing: boolean;
  /** None will come. Neither: nothing is heard of it now. */
  readonly ended: boolean;
  readonly onEvent: (sequence: number) => void;
  readonly onEnd: () => void;
}

/** More marks than this cannot be told apart. */
const maxMarks = 400;

export function TravelBar({ index, length, at, admitted, growing, ended, onEvent, onEnd }: Props) {
  const { log } = index;
  const last = Math.max(0, length - 1);
  const place = at === undefined ? last : Math.max(0, log.indexOf(at));
  const event = log.at(place);
  const step = (direction: 1 | -1): void => {
    const next = index.neighbour(at ?? log.lastSequence + (direction === -1 ? 0 : 1), direction);
    if (next !== undefined) onEvent(next.sequence);
    else if (direction === 1) onEnd();
    else if (log.first !== undefined) onEvent(log.first.sequence);
  };
  useKeys('Time travel', [
    { key: '[', help: 'Previous transition', act: () => step(-1) },
    { key: ']', help: 'Next transition', act: () => step(1) },
  ]);
  useKeys('Slider, in focus', [
    { key: 'ArrowLeft', help: 'Event before' },
    { key: 'ArrowRight', help: 'Next event' },
    { key: 'PageDown', help: 'Many events back' },
    { key: 'PageUp', help: 'Many events on' },
    { key: 'Home', help: 'To the first event' },
    { key: 'End', help: 'To the present' },
  ]);
  const said =
    event === undefined
      ? 'no event'
      : `${entryLabel(event)}, ${durationText(event.time - admitted)} after the admission`;
  const go = (target: number): void => {
    const wanted = log.at(target);
    if (target >= last || wanted === undefined) onEnd();
    else onEvent(wanted.sequence);
  };
  return (
    <div class="travel" data-past={at === undefined ? undefined : ''}>
      {at !== undefined && <TravelKeys onEnd={onEnd} />}
      <span class="button-row">
        <button
          type="button"
          class="tiny"
          title="To the first event"
          aria-label="To the first event"
          onClick={() => go(0)}
        >
          <svg width="13" height="13" viewBox="0 0 16 16" aria-hidden="true">
            <path
              d="M4 3v10M12 3 7 8l5 5"
              fill="none"
              stroke="currentColor"
              stroke-width="1.5"
              stroke-linecap="round"
              stroke-linejoin="round"
            />
          </svg>
        </button>
        <button
          type="button"
          class="tiny"
          title="Previous transition ( [ )"
          aria-label="Previous transition"
          onClick={() => step(-1)}
        >
          <Icon name="back" size={13} />
        </button>
        <button
          type="button"
          class="tiny"
          title="Next transition ( ] )"
          aria-label="Next transition"
          onClick={() => step(1)}
        >
          <Icon name="right" size={13} />
        </button>
      </span>
      <div class="slider">
        <Marks index={index} last={last} />
        <input
          type="range"
          min="0"
          max={String(last)}
          step="1"
          value={String(place)}
          aria-label="Event of the log"
          aria-valuetext={said}
          onInput={(change) => go(Number(change.currentTarget.value))}
        />
      </div>
      <span class="travel-place">
        {at === undefined ? (
          <>
            <span class="live-dot" data-live={growing ? '' : undefined} aria-hidden="true" />
            {growing ? 'Live' : ended ? 'At the end' : 'As last heard'} · {countText(length)}{' '}
            {length === 1 ? 'event' : 'events'}
          </>
        ) : (
          <>
            Event {countText(event?.sequence ?? 0)} of {countText(log.lastSequence)}
          </>
        )}
      </span>
    </div>
  );
}

interface BannerProps {
  readonly index: LogIndex;
  readonly at: number;
  /** When the execution was: times are told since then. */
  readonly admitted: number;
  readonly growing: boolean;
  readonly onEnd: () => void;
}

/** Says that what is below is the past. */
export function PastBanner({ index, at, admitted, growing, onEnd }: BannerProps) {
  const event = index.log.at(Math.max(0, index.log.indexOf(at)));
  return (
    <p class="past-banner" role="status">
      <strong>The past, read-only.</strong>
      {event !== undefined && (
        <span>
          As it was at event {countText(event.sequence)}, {instantText(event.time)}, +
          {durationText(event.time - admitted)}
        </span>
      )}
      <span class="spring" />
      <button type="button" class="button" onClick={onEnd}>
        {growing ? 'Back to live' : 'Back to the end'} <span class="key">Esc</span>
      </button>
    </p>
  );
}

/** Escape leads out of the past first; only then out of the execution. Mounted late, so that it is asked first. */
function TravelKeys({ onEnd }: { readonly onEnd: () => void }) {
  useKeys('In the past', [{ key: 'Escape', help: 'Back to the present', act: onEnd }]);
  return null;
}

function Marks({ index, last }: { readonly index: LogIndex; readonly last: number }) {
  const { steps, log } = index;
  if (last < 1) return null;
  const every = Math.max(1, Math.ceil(steps.length / maxMarks));
  return (
    <svg class="slider-marks" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
      {steps
        .filter((step) => step.number % every === 0 || step.isFinal)
        .map((step) => {
          const x = (log.indexOf(step.sequence) / last) * 1000;
          return (
            <line
              key={step.number}
              data-tone={lookOf(step.to).tone}
              x1={x}
              x2={x}
              y1="0"
              y2="10"
              vector-effect="non-scaling-stroke"
            />
          );
        })}
    </svg>
  );
}
