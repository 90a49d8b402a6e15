/** A way from one state to another, and what leads along it. */
import { type DrawnWay, wayNames } from './drawn-ways.ts';
import type { Label } from './labels.ts';
import { PressGroup } from './press-group.tsx';
import type { Route } from './routes.ts';

interface Props {
  readonly way: DrawnWay;
  readonly route: Route;
  readonly label: Label | undefined;
  /** It was the last one taken. */
  readonly last: boolean;
  readonly onEvent: ((sequence: number) => void) | undefined;
}

export function WayLine({ way, route, label, last, onEvent }: Props) {
  const { taken } = way;
  const told =
    taken === undefined ? 'not taken' : `taken ${taken.count === 1 ? 'once' : `${taken.count} times`}`;
  const text = `${wayNames(way)}${taken !== undefined && taken.count > 1 ? ` ×${taken.count}` : ''}`;
  const go = taken === undefined || onEvent === undefined ? undefined : () => onEvent(taken.last);
  return (
    <PressGroup
      class="way"
      label={`${text === way.events.join(', ') ? text : `${text}, that is ${way.events.join(', ')}`}: from ${way.from} to ${way.to}, ${told}${last ? ', the last one' : ''}`}
      data={{
        'data-taken': taken === undefined ? undefined : '',
        'data-last': last ? '' : undefined,
        'data-foreign': way.way === undefined ? '' : undefined,
      }}
      onPress={go}
    >
      <title>{`${way.events.join(', ')}: ${way.from} → ${way.to}, ${told}`}</title>
      <path class="way-reach" d={route.path} />
      <path class="way-line" d={route.path} />
      <path class="way-arrow" d={route.arrow} />
      {label !== undefined && (
        <text class="way-label" x={label.x} y={label.y} text-anchor={label.anchor}>
          {text}
        </text>
      )}
    </PressGroup>
  );
}
