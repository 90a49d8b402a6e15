/** The timeline's picture. All geometry is in pixels: it is drawn for the width that there is. */
import { useMemo, useRef } from 'preact/hooks';
import { durationText } from '../../model/quantity.ts';
import type { LogIndex } from '../log/log-index.ts';
import { ticksOf } from './axis.ts';
import { BarShape } from './bar-shape.tsx';
import { type Bar, type Lane, type LaterBar, laneWords, wideningOf } from './bars.ts';
import { densityOf } from './density.ts';
import { OutputBars } from './output-bars.tsx';
import type { TimeScale } from './scale.ts';
import type { Window } from './window.ts';

interface Props {
  readonly index: LogIndex;
  readonly length: number;
  readonly scale: TimeScale;
  readonly window: Window;
  readonly width: number;
  readonly lanes: readonly Lane[];
  readonly bars: readonly Bar[];
  /** What comes after the event that the reader travelled to. */
  readonly later: readonly LaterBar[];
  /** The instant that the bars are of: what has no end lasts until then. */
  readonly now: number;
  /** Of the whole picture. */
  readonly end: number;
  readonly at: number | undefined;
  readonly picked: string;
  readonly onPick: (bar: Bar | undefined) => void;
  readonly onPoint: (time: number | undefined) => void;
  readonly onPan: (share: number) => void;
  readonly onTime: (time: number) => void;
  readonly onEvent: (sequence: number) => void;
}

const labels = 84;
const right = 14;
const axis = 26;
const laneHeight = 30;
const outputHeight = 46;
/** Of a text on the axis. */
const perSign = 6.2;

export function TimelineDrawing(props: Props) {
  const { index, length, scale, window, width, lanes, bars, now, at } = props;
  const drag = useRef<{ x: number; last: number; moved: boolean } | undefined>(undefined);
  const inner = Math.max(50, width - labels - right);
  const x = (time: number): number =>
    labels + ((scale.place(time) - window.start) / (window.end - window.start)) * inner;
  const timeAt = (clientX: number, target: Element): number => {
    const share = (clientX - target.getBoundingClientRect().left - labels) / inner;
    return scale.time(window.start + Math.max(0, Math.min(1, share)) * (window.end - window.start));
  };
  const height =
    axis + lanes.reduce((sum, lane) => sum + (lane === 'output' ? outputHeight : laneHeight), 0) + 6;
  const tops = new Map<Lane, number>();
  lanes.reduce((top, lane) => {
    tops.set(lane, top);
    return top + (lane === 'output' ? outputHeight : laneHeight);
  }, axis);
  const density = useMemo(
    () => densityOf(index, scale, window.start, window.end, Math.max(10, Math.round(inner / 3))),
    [index, length, scale, window, inner],
  );
  const ticks = ticksOf(scale, window.start, window.end, (86 / inner) * (window.end - window.start));
  const cursor = at === undefined ? undefined : index.log.at(index.log.indexOf(at))?.time;
  const clip = `timeline-clip-${Math.round(inner)}`;
  const shown = scale.pieces.filter(
    (piece) => piece.compressed && piece.end > window.start && piece.start < window.end,
  );
  if (width === 0) return null;
  return (
    <svg
      class="timeline-drawing"
      width={width}
      height={height}
      aria-hidden="true"
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        drag.current = { x: event.clientX, last: event.clientX, moved: false };
      }}
      onPointerMove={(event) => {
        const held = drag.current;
        if (held !== undefined && (held.moved || Math.abs(event.clientX - held.x) > 4)) {
          if (!held.moved) event.currentTarget.setPointerCapture(event.pointerId);
          props.onPan((held.last - event.clientX) / inner);
          drag.current = { ...held, last: event.clientX, moved: true };
        }
        props.onPoint(timeAt(event.clientX, event.currentTarget));
      }}
      onPointerUp={(event) => {
        const held = drag.current;
        drag.current = undefined;
        if (held !== undefined && !held.moved) props.onTime(timeAt(event.clientX, event.currentTarget));
      }}
      onPointerLeave={() => {
        drag.current = undefined;
        props.onPoint(undefined);
      }}
    >
      <defs>
        <pattern
          id="timeline-idle"
          width="6"
          height="6"
          patternUnits="userSpaceOnUse"
          patternTransform="rotate(45)"
        >
          <line class="idle-line" x1="0" y1="0" x2="0" y2="6" />
        </pattern>
        <clipPath id={clip}>
          <rect x={labels} y="0" width={inner} height={height} />
        </clipPath>
      </defs>
      {lanes.map((lane) => {
        const top = tops.get(lane) ?? 0;
        const tall = lane === 'output' ? outputHeight : laneHeight;
        return (
          <g key={lane}>
            <line class="lane-line" x1="0" x2={width} y1={top} y2={top} />
            <text class="lane-name" x="14" y={top + tall / 2 + 4}>
              {laneWords[lane]}
            </text>
          </g>
        );
      })}
      <g clip-path={`url(#${clip})`}>
        {ticks.map((tick) => (
          <g key={tick.time}>
            <line class="tick-line" x1={x(tick.time)} x2={x(tick.time)} y1={axis - 6} y2={height} />
            <text class="tick-text" x={x(tick.time) + 4} y={axis - 9}>
              {tick.text}
            </text>
          </g>
        ))}
        {shown.map((piece) => {
          const left = x(piece.from);
          const wide = x(piece.to) - left;
          const text = `⟨${durationText(piece.to - piece.from)}⟩`;
          return (
            <g key={piece.from} class="idle">
              {piece.idle && (
                <rect x={left} y={axis} width={wide} height={height - axis} fill="url(#timeline-idle)" />
              )}
              <line x1={left} x2={left} y1={axis} y2={height} />
              <line x1={left + wide} x2={left + wide} y1={axis} y2={height} />
              {text.length * perSign < wide && (
                <text x={left + wide / 2} y={axis - 9} text-anchor="middle">
                  {text}
                </text>
              )}
            </g>
          );
        })}
        {props.later.map(({ key, lane, from, to, sequence }) => (
          // biome-ignore lint/a11y/noStaticElementInteractions: the frame takes the keys, and the drawing is hidden from readers
          <rect
            key={key}
            class="later-bar"
            x={x(from)}
            y={(tops.get(lane) ?? 0) + 5}
            width={Math.max(2.5, x(to ?? props.end) - x(from))}
            height={laneHeight - 10}
            onPointerDown={(event) => event.stopPropagation()}
            onPointerUp={(event) => event.stopPropagation()}
            onClick={() => props.onEvent(sequence)}
          />
        ))}
        {bars.map((bar) => {
          const from = x(bar.from);
          const to = x(bar.to ?? now);
          if (to < labels || from > width) return null;
          return (
            <BarShape
              key={bar.key}
              bar={bar}
              from={Math.max(from, labels - 20)}
              to={Math.min(to, width + 20)}
              place={x}
              widening={wideningOf(bar, scale, now)}
              now={now}
              top={(tops.get(bar.lane) ?? 0) + 5}
              height={laneHeight - 10}
              picked={bar.key === props.picked}
              onPick={props.onPick}
              onEvent={props.onEvent}
            />
          );
        })}
        <OutputBars
          density={density}
          left={labels}
          width={inner}
          top={(tops.get('output') ?? 0) + 4}
          height={outputHeight - 8}
        />
        {cursor !== undefined && (
          <g class="timeline-cursor">
            <rect
              x={x(cursor)}
              y={axis - 4}
              width={Math.max(0, labels + inner - x(cursor))}
              height={height}
            />
            <line x1={x(cursor)} x2={x(cursor)} y1={axis - 12} y2={height} />
            <path d={`M${x(cursor) - 6} ${axis - 14}h12l-6 8z`} />
          </g>
        )}
      </g>
    </svg>
  );
}
