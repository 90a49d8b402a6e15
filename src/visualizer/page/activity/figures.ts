/** What the figures show, and say. Pure. */
import { countText, durationText, sizeText } from '../model/quantity.ts';
import { type Activity, lastOf, mostOf, perSecond, type Recent, sumOf, type Values } from './activity.ts';
import type { SparkLine } from './sparkline.tsx';

export interface Figure {
  readonly key: string;
  readonly name: string;
  readonly lines: readonly (SparkLine & {
    readonly name: string;
    readonly text: (value: number) => string;
  })[];
}

export function figuresOf({ total, node, stepSeconds }: Recent): readonly Figure[] {
  const { running, waiting, p50Ms, p99Ms } = total;
  return [
    figure('running', 'Running', [line('running', running, 'running', countText, true)]),
    figure('waiting', 'Waiting', [line('waiting', waiting, 'pending', countText, true)]),
    figure('ended', 'Ended a second', endedLines(total, stepSeconds)),
    figure('duration', 'Duration', [
      line('p50', p50Ms, 'accent', durationText),
      line('p99', p99Ms, 'timed-out', durationText),
    ]),
    ...(node === undefined
      ? []
      : [
          figure('processors', 'Processor of the node', [
            line('processors', node.processors, 'accent', processorText),
          ]),
          figure('memory', 'Memory of the node', [line('memory', node.memoryBytes, 'accent', sizeText)]),
        ]),
  ];
}

function endedLines(total: Activity, stepSeconds: number): Figure['lines'] {
  const { completed, failed, timedOut, cancelled } = total;
  const rate = (values: Values) => perSecond(values, stepSeconds);
  const lines = [
    line('completed', rate(completed), 'completed', rateText),
    line('failed', rate(failed), 'failed', rateText),
    line('timed out', rate(timedOut), 'timed-out', rateText),
    line('cancelled', rate(cancelled), 'pending', rateText),
  ];
  // The first two always: that nothing failed is what somebody looks for.
  return lines.filter(({ values }, at) => at < 2 || (mostOf(values) ?? 0) > 0);
}

/** All that ended of a task, and of these what went wrong. */
export function taskFigure(activity: Activity, stepSeconds: number): Figure {
  const { completed, failed, timedOut, cancelled } = activity;
  return figure('ended', 'Ended a second', [
    line(
      'ended',
      perSecond(sumOf(completed, failed, timedOut, cancelled), stepSeconds),
      'completed',
      rateText,
      true,
    ),
    line('failed', perSecond(sumOf(failed, timedOut), stepSeconds), 'failed', rateText),
  ]);
}

/** `completed 3.2 (most 5), failed 0 (most 0)`. */
export function wordsOf({ lines }: Figure, minutes: number): string {
  const words = lines.map(({ name, values, text }) => {
    const last = lastOf(values);
    const most = mostOf(values);
    return last === undefined || most === undefined
      ? `${name} unknown`
      : `${name} ${text(last)}, at most ${text(most)}`;
  });
  return `${words.join('; ')} in the last ${minutes} minutes`;
}

/** What each line is at a step; at the last that is known where none is pointed at. */
export function valuesAt({ lines }: Figure, step: number | undefined): readonly string[] {
  return lines.map(({ values, text }) => {
    const value = step === undefined ? lastOf(values) : (values[step] ?? undefined);
    return value === undefined ? '–' : text(value);
  });
}

function figure(key: string, name: string, lines: Figure['lines']): Figure {
  return { key, name, lines };
}

function line(
  name: string,
  values: Values,
  color: SparkLine['color'],
  text: (value: number) => string,
  filled = false,
): Figure['lines'][number] {
  return { name, values, color, text, filled };
}

function rateText(value: number): string {
  return value >= 10 || value === 0 ? countText(value) : value.toFixed(value < 1 ? 2 : 1);
}

function processorText(value: number): string {
  return `${Math.round(value * 100)} %`;
}
