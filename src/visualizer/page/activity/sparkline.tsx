/** A few lines without axes: what they show stands in words beside them. */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { useMedia } from '../list/media.ts';
import { theme } from '../theme/theme.ts';
import type { Values } from './activity.ts';

export interface SparkLine {
  readonly values: Values;
  /** Of `tokens.css`. */
  readonly color: 'running' | 'pending' | 'completed' | 'failed' | 'accent' | 'timed-out';
  /** What is under the line is coloured, too. */
  readonly filled?: boolean;
}

interface Props {
  readonly lines: readonly SparkLine[];
  readonly width: number;
  readonly height: number;
  /** Hears which step the reader points at; undefined for none. */
  readonly pointed?: (step: number | undefined) => void;
}

export function Sparkline({ lines, width, height, pointed }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const colors = lines.map(({ color, filled }) => `${color}${filled ? '*' : ''}`).join(' ');
  const dark = useMedia('(prefers-color-scheme: dark)');
  const drawn = useRef<readonly SparkLine[] | undefined>(undefined);
  // The values come by the effect below, into the drawing that there is.
  useEffect(() => {
    const { current: element } = place;
    if (element === null) return;
    const made = new uPlot(
      optionsOf(element, { lines, width, height, ...(pointed && { pointed }) }),
      dataOf(lines),
      element,
    );
    plot.current = made;
    drawn.current = lines;
    return () => {
      plot.current = undefined;
      made.destroy();
    };
  }, [colors, width, height]);
  useEffect(() => {
    if (drawn.current === lines) return;
    drawn.current = lines;
    plot.current?.setData(dataOf(lines));
  }, [lines]);
  const look = `${theme.value} ${dark}`;
  const shown = useRef(look);
  useEffect(() => {
    if (shown.current === look) return;
    shown.current = look;
    // The page has the colours of the new theme once its own effects have run.
    queueMicrotask(() => plot.current?.redraw());
  }, [look]);
  return (
    <div
      class="sparkline"
      ref={place}
      aria-hidden="true"
      style={{ width: `${width}px`, height: `${height}px` }}
    />
  );
}

function optionsOf(element: HTMLElement, { lines, width, height, pointed }: Props): uPlot.Options {
  const colorOf = (name: string) => () => {
    element.style.color = `var(--${name})`;
    return getComputedStyle(element).color;
  };
  return {
    width,
    height,
    padding: [2, 2, 2, 2],
    legend: { show: false },
    cursor: {
      show: pointed !== undefined,
      y: false,
      drag: { x: false, y: false },
      points: { show: false },
    },
    hooks: { setCursor: [({ cursor }) => pointed?.(cursor.idx ?? undefined)] },
    scales: {
      x: { time: false },
      // From nothing on, so that a small change does not look like a large one.
      y: { range: (_, __, max) => [0, Number.isFinite(max) && max > 0 ? max * 1.05 : 1] },
    },
    axes: [{ show: false }, { show: false }],
    series: [
      {},
      ...lines.map(({ color, filled }) => ({
        stroke: colorOf(color),
        ...(filled === true && { fill: colorOf(`${color}-soft`) }),
        width: 1.5,
        // One that has no neighbour is no line.
        points: { show: true, size: 3, filter: ({ data }: uPlot, at: number) => lonely(data[at] ?? []) },
      })),
    ],
  };
}

function lonely(values: ArrayLike<number | null | undefined>): number[] {
  const isKnown = (at: number) => values[at] !== null && values[at] !== undefined;
  return Array.from(values, (_, at) => at).filter(
    (at) => isKnown(at) && !isKnown(at - 1) && !isKnown(at + 1),
  );
}

function dataOf(lines: readonly SparkLine[]): uPlot.AlignedData {
  const steps = (lines[0]?.values ?? []).map((_, at) => at);
  return [steps, ...lines.map(({ values }) => [...values])];
}
