/** The states of a chart. Colour, shape, border and word each tell what a state is. */
import { StatusShape } from '../../theme/status-mark.tsx';
import { lookOf } from '../../theme/tone.ts';
import type { Box } from './layout.ts';
import { PressGroup } from './press-group.tsx';

/** The box around the children of a state. */
export function StateGroup({ box, inside }: { readonly box: Box; readonly inside: boolean }) {
  const { tone } = lookOf(box.path);
  return (
    <g class="state-group" data-tone={tone} data-inside={inside ? '' : undefined}>
      <rect class="group-box" x={box.x} y={box.y} width={box.width} height={box.height} rx="14" />
      <text class="group-name" x={box.x + 16} y={box.y + 22}>
        {nameOf(box.path)}
      </text>
    </g>
  );
}

interface Props {
  readonly box: Box;
  readonly isFinal: boolean;
  readonly isInitial: boolean;
  readonly current: boolean;
  readonly past: boolean;
  readonly visits: number;
  /** Goes to the last time that it was entered. */
  readonly onGo: (() => void) | undefined;
}

export function StateBox({ box, isFinal, isInitial, current, past, visits, onGo }: Props) {
  const { tone, shape } = lookOf(box.path);
  const been = current || visits > 0;
  const told = current
    ? past
      ? 'it was here then'
      : 'it is here now'
    : been
      ? `entered ${times(visits)}`
      : 'not entered';
  return (
    <PressGroup
      class="state"
      label={`State ${box.path}${visits > 1 ? ` ×${visits}` : ''}: ${told}${isFinal ? ', final' : ''}`}
      data={{
        'data-tone': tone,
        'data-been': been ? '' : undefined,
        'data-current': current ? '' : undefined,
      }}
      current={current}
      onPress={onGo}
    >
      <title>{`${box.path}: ${told}`}</title>
      {isInitial && (
        <g class="state-start">
          <circle cx={box.x - 1} cy={box.y - 1} r="4.5" />
        </g>
      )}
      {current && (
        <rect
          class="state-halo"
          x={box.x - 5}
          y={box.y - 5}
          width={box.width + 10}
          height={box.height + 10}
          rx="14"
        />
      )}
      <rect class="state-body" x={box.x} y={box.y} width={box.width} height={box.height} rx="10" />
      {isFinal && (
        <rect
          class="state-inner"
          x={box.x + 3}
          y={box.y + 3}
          width={box.width - 6}
          height={box.height - 6}
          rx="7.5"
        />
      )}
      <g class="state-shape">
        <StatusShape shape={shape} x={box.x + 13} y={box.y + box.height / 2 - 8} size={16} />
      </g>
      <text class="state-name" x={box.x + 38} y={box.y + box.height / 2 + 4.5}>
        {nameOf(box.path)}
      </text>
      {visits > 1 && (
        <g class="state-count">
          <rect class="count-pill" x={box.x + box.width - 34} y={box.y - 9} width="38" height="18" rx="9" />
          <text class="count-text" x={box.x + box.width - 15} y={box.y + 4} text-anchor="middle">
            ×{visits}
          </text>
        </g>
      )}
    </PressGroup>
  );
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}
