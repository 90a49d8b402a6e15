/** A span of the timeline: a wait, or an attempt with its phases and its end. */

import { durationText } from '../../model/quantity.ts';
import { StatusShape } from '../../theme/status-mark.tsx';
import { type Bar, wideningText } from './bars.ts';

interface Props {
  readonly bar: Bar;
  readonly from: number;
  readonly to: number;
  readonly place: (time: number) => number;
  /** How many times wider than its time it is drawn, where that has to be said. */
  readonly widening: number | undefined;
  readonly now: number;
  readonly top: number;
  readonly height: number;
  readonly picked: boolean;
  readonly onPick: (bar: Bar | undefined) => void;
  readonly onEvent: (sequence: number) => void;
}

export function BarShape(props: Props) {
  const { bar, from, to, place, widening, now, top, height, picked, onPick, onEvent } = props;
  // What is too short to be seen is still there.
  const width = Math.max(2.5, to - from);
  const text = textFor(bar, now, width);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the frame takes the keys, and the drawing is hidden from readers
    <g
      class="bar"
      data-tone={bar.tone}
      data-lane={bar.lane}
      data-open={bar.to === undefined ? '' : undefined}
      data-picked={picked ? '' : undefined}
      data-wide={widening === undefined ? undefined : ''}
      onPointerEnter={() => onPick(bar)}
      onPointerDown={(event) => event.stopPropagation()}
      onPointerUp={(event) => event.stopPropagation()}
      onClick={() => onEvent(bar.sequence)}
    >
      <title>{bar.word}</title>
      <rect class="bar-body" x={from} y={top} width={width} height={height} rx={Math.min(5, width / 2)} />
      {bar.attempt?.phases.map(({ kind, from: began, to: over }) => {
        if (kind === 'run') return null;
        const left = Math.max(from, place(began));
        return (
          <rect
            key={began}
            class={`bar-${kind}`}
            x={left}
            y={top + 2}
            width={Math.max(2, Math.min(to, place(over ?? now)) - left)}
            height={height - 4}
            rx="2"
          />
        );
      })}
      {widening !== undefined && (
        <path class="bar-wide" d={wave(from, from + width, top + height + 2.5)}>
          <title>{wideningText(widening)}</title>
        </path>
      )}
      {text !== '' && (
        <text class="bar-label" x={from + 9} y={top + height / 2 + 4}>
          {text}
        </text>
      )}
      {bar.shape !== undefined && width > 22 && (
        <g class="bar-end">
          <StatusShape shape={bar.shape} x={from + width - 18} y={top + height / 2 - 7} size={14} />
        </g>
      )}
    </g>
  );
}

const perSign = 6.4;

/** As much as fits; nothing where nothing does. */
function textFor(bar: Bar, now: number, width: number): string {
  const lasted = durationText((bar.to ?? now) - bar.from);
  const wishes =
    bar.attempt === undefined
      ? [`${bar.word}, ${lasted}`, lasted]
      : [`${bar.word} · ${lasted}`, bar.word.replace('Attempt ', ''), bar.label];
  const room = width - (bar.shape === undefined ? 16 : 34);
  return wishes.find((text) => text.length * perSign < room) ?? '';
}

/** A wave under the bar, as drawings have it that are not to scale. */
function wave(from: number, to: number, y: number): string {
  const half = 3;
  const count = Math.max(1, Math.min(maxWaves, Math.round((to - from) / (2 * half))));
  return `M${from} ${y}${`q${half / 2} -2.5 ${half} 0t${half} 0`.repeat(count)}`;
}

const maxWaves = 1000;
