/** An execution over time: its waits, its attempts and its output. */

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { nodeNow, seconds } from '../../clock.ts';
import { useKeys } from '../../keyboard/keys.ts';
import { countText, durationText, timeText } from '../../model/quantity.ts';
import type { Lifetime } from '../log/lifetime.ts';
import type { LogIndex } from '../log/log-index.ts';
import { Toggle } from '../toggle.tsx';
import { useSize } from '../use-size.ts';
import { type Bar, barsAt, lanesOf, laterBars, timesOf, wideningOf, wideningText } from './bars.ts';
import { gapsOf } from './gaps.ts';
import { scaleOf } from './scale.ts';
import { TimelineDrawing } from './timeline-drawing.tsx';
import { TimelineTable } from './timeline-table.tsx';
import { panned, showing, type Window, whole, zoomed } from './window.ts';
import './timeline.css';

interface Props {
  readonly index: LogIndex;
  /** Events in the index: what is drawn is made anew when it changes. */
  readonly length: number;
  /** What is drawn, unless it goes on. */
  readonly life: Lifetime;
  /** It goes on: the picture ends now, and not with the last event. */
  readonly growing: boolean;
  /** The event that the reader travelled to. */
  readonly at: number | undefined;
  readonly onEvent: (sequence: number) => void;
}

export function TimelineView({ index, length, life, growing, at, onEvent }: Props) {
  const [table, setTable] = useState(false);
  const [compress, setCompress] = useState(true);
  const [window, setWindow] = useState<Window>(whole);
  const [pointed, setPointed] = useState<number | undefined>(undefined);
  const [picked, setPicked] = useState<string>('');
  const frame = useRef<HTMLDivElement>(null);
  const { width } = useSize(frame);
  const all = useMemo(() => barsAt(index, undefined), [index, index.steps.length]);
  const bars = useMemo(() => (at === undefined ? all : barsAt(index, at)), [all, at]);
  const last = index.log.last?.time ?? 0;
  const { from } = life;
  const until = growing ? Math.max(seconds.value, nodeNow(), last) : life.to;
  // A moment may lie between the end and the writing of it.
  const end = Math.max(until, last);
  /** The instant that the bars are of. */
  const seen = at === undefined ? end : (index.log.at(index.log.indexOf(at))?.time ?? from);
  const later = useMemo(() => (at === undefined ? [] : laterBars(all, seen)), [all, at, seen]);
  const scale = useMemo(
    () => scaleOf(from, end, compress ? gapsOf(index, from, end) : [], compress),
    [index, length, from, end, compress],
  );
  const bar = bars.find(({ key }) => key === picked);

  const zoom = (factor: number, around = (window.start + window.end) / 2): void => {
    setWindow((before) => zoomed(before, factor, around));
  };
  const pick = (next: Bar | undefined): void => {
    if (next === undefined) return;
    setPicked(next.key);
    setWindow((before) => showing(before, scale.place(next.from), scale.place(next.to ?? seen)));
  };
  useKeys('Timeline, in focus', [
    { key: 'ArrowLeft', help: 'Bar before' },
    { key: 'ArrowRight', help: 'Next bar' },
    { key: 'Home', help: 'First bar' },
    { key: 'End', help: 'Last bar' },
    { key: 'Enter', help: 'Travel to where it begins' },
    { key: '+', help: 'Zoom in' },
    { key: '-', help: 'Zoom out' },
    { key: '0', help: 'All of it' },
    { key: 'PageUp', help: 'Earlier' },
    { key: 'PageDown', help: 'Later' },
  ]);
  const act = (event: KeyboardEvent): void => {
    const place = bars.findIndex(({ key }) => key === picked);
    const acts: Readonly<Record<string, () => void>> = {
      ArrowRight: () => pick(bars[Math.min(bars.length - 1, place + 1)]),
      ArrowLeft: () => pick(bars[Math.max(0, place - 1)]),
      Home: () => pick(bars[0]),
      End: () => pick(bars.at(-1)),
      Enter: () => bar !== undefined && onEvent(bar.sequence),
      '+': () => zoom(0.6),
      '=': () => zoom(0.6),
      '-': () => zoom(1 / 0.6),
      '0': () => setWindow(whole),
      PageUp: () => setWindow((before) => panned(before, -0.5)),
      PageDown: () => setWindow((before) => panned(before, 0.5)),
    };
    const known = Object.hasOwn(acts, event.key) ? acts[event.key] : undefined;
    if (known === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    known();
  };
  const wheel = useRef((_: WheelEvent): void => {});
  wheel.current = (event) => {
    const box = frame.current?.getBoundingClientRect();
    if (box === undefined || width === 0) return;
    const share = (event.clientX - box.left) / width;
    const around = window.start + share * (window.end - window.start);
    // The page scrolls on; who wants to zoom says so, or works here already.
    if (event.ctrlKey || event.metaKey || frame.current?.contains(document.activeElement)) {
      event.preventDefault();
      zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) * 0.006), around);
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY) && window.end - window.start < 1) {
      event.preventDefault();
      setWindow((before) => panned(before, event.deltaX / width));
    }
  };
  useEffect(() => {
    const element = frame.current;
    const listen = (event: WheelEvent): void => wheel.current(event);
    // A passive listener could not keep the page from scrolling.
    element?.addEventListener('wheel', listen, { passive: false });
    return () => element?.removeEventListener('wheel', listen);
  }, [table]);

  const widening = bar === undefined ? undefined : wideningOf(bar, scale, seen);
  const wide = bars.some((each) => wideningOf(each, scale, seen) !== undefined);
  const pointedEvent = pointed === undefined ? undefined : eventBefore(index, pointed);
  const told =
    pointed !== undefined
      ? `${timeText(pointed)} UTC · +${durationText(pointed - from)}${pointedEvent === undefined ? '' : ` · event ${countText(pointedEvent)}`}`
      : bar !== undefined
        ? [
            bar.word,
            timesOf(bar, from, seen),
            ...(widening === undefined ? [] : [wideningText(widening)]),
          ].join(' · ')
        : at === undefined
          ? `${durationText(until - from)} ${growing ? 'so far' : 'in all'}`
          : `${durationText(seen - from)} up to here`;
  return (
    <section class="panel timeline" aria-label="Timeline">
      <header class="panel-head">
        <h2>Timeline</h2>
        <span class="readout" aria-live="polite">
          {told}
        </span>
        <span class="spring" />
        {wide && !table && (
          <span
            class="to-scale"
            title="Time in which nothing happened is drawn short, so that the rest is drawn wide"
          >
            <span aria-hidden="true">∿ </span>not to scale: wider than its time
          </span>
        )}
        <Toggle
          on={compress}
          set={setCompress}
          label="Compress idle"
          hint="Draw time in which nothing happened short"
        />
        <span class="button-row">
          <button
            type="button"
            class="tiny"
            aria-label="Zoom out"
            title="Zoom out (−)"
            onClick={() => zoom(1 / 0.6)}
          >
            −
          </button>
          <button
            type="button"
            class="tiny"
            aria-label="Fit: show all of it"
            title="Show all of it (0)"
            disabled={window.end - window.start === 1}
            onClick={() => setWindow(whole)}
          >
            fit
          </button>
          <button
            type="button"
            class="tiny"
            aria-label="Zoom in"
            title="Zoom in (+)"
            onClick={() => zoom(0.6)}
          >
            +
          </button>
        </span>
        <Toggle on={table} set={setTable} label="Table" hint="Show the same as a table" />
      </header>
      {table ? (
        <TimelineTable index={index} bars={bars} from={from} now={seen} at={at} onEvent={onEvent} />
      ) : (
        <div
          class="timeline-frame"
          ref={frame}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: it takes keys
          tabIndex={0}
          role="group"
          aria-label="Timeline: left and right go from span to span, Enter travels there, plus and minus zoom, 0 shows all"
          onKeyDown={act}
        >
          <TimelineDrawing
            index={index}
            length={length}
            scale={scale}
            window={window}
            width={width}
            lanes={lanesOf(all)}
            bars={bars}
            later={later}
            now={seen}
            end={end}
            at={at}
            picked={picked}
            onPick={(bar) => setPicked(bar?.key ?? '')}
            onPoint={setPointed}
            onPan={(share) => setWindow((before) => panned(before, share))}
            onTime={(time) => {
              const sequence = eventBefore(index, time);
              if (sequence !== undefined) onEvent(sequence);
            }}
            onEvent={onEvent}
          />
        </div>
      )}
    </section>
  );
}

/** The last event up to an instant. Times ascend in a log. */
function eventBefore(index: LogIndex, time: number): number | undefined {
  const { log } = index;
  let low = 0;
  let high = log.length.peek();
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((log.at(middle)?.time ?? 0) <= time) low = middle + 1;
    else high = middle;
  }
  return log.at(Math.max(0, low - 1))?.sequence;
}
