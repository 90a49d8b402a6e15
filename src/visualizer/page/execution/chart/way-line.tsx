/** A way from one state to another, and what leads along it. */
import type { DrawnWay } from './drawn-ways.ts';
import { PressGroup } from './press-group.tsx';
import type { Route } from './routes.ts';

interface Props {
  readonly way: DrawnWay;
  readonly route: Route;
  /** It was the last one taken. */
  readonly last: boolean;
  readonly onEvent: ((sequence: number) => void) | undefined;
}

export function WayLine({ way, route, last, onEvent }: Props) {
  const { taken } = way;
  const told =
    taken === undefined ? 'not taken' : `taken ${taken.count === 1 ? 'once' : `${taken.count} times`}`;
  const names = way.events.length > 2 ? [...way.events.slice(0, 2), '…'] : way.events;
  const text = `${names.join(', ')}${taken !== undefined && taken.count > 1 ? ` ×${taken.count}` : ''}`;
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
      <text class="way-label" x={route.label.x} y={route.label.y} text-anchor={route.label.anchor}>
        {text}
      </text>
    </PressGroup>
  );
}
