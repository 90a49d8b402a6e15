/** A state told three times: by its colour, its shape and its word. */
import type { Status } from '../model/status.ts';
import { lookOf, type Shape } from './tone.ts';

interface Props {
  readonly state: string;
  readonly status?: Status | undefined;
  /** Instead of the state's own word. */
  readonly word?: string;
  /** Only the shape; the word stays for those who listen. */
  readonly short?: boolean;
}

export function StatusMark({ state, status, word, short }: Props) {
  const look = lookOf(state, status);
  return (
    <span class="mark" data-tone={look.tone} title={short ? (word ?? look.word) : undefined}>
      <StatusShape shape={look.shape} />
      <span class={short ? 'hidden' : undefined}>{word ?? look.word}</span>
    </span>
  );
}

/** The drawing alone, 16 by 16, in the colour of the text around it. Also for use within another SVG. */
export function StatusShape({
  shape,
  x = 0,
  y = 0,
  size = 16,
}: {
  readonly shape: Shape;
  readonly x?: number;
  readonly y?: number;
  readonly size?: number;
}) {
  return (
    <svg x={x} y={y} width={size} height={size} viewBox="0 0 16 16" fill="none" aria-hidden="true">
      {drawings[shape]}
    </svg>
  );
}

const line = {
  stroke: 'currentColor',
  'stroke-width': 1.7,
  'stroke-linecap': 'round',
  'stroke-linejoin': 'round',
} as const;
/** Lines within a filled shape take the colour of what is behind it. */
const cut = { ...line, stroke: 'var(--mark-ground, var(--surface))' } as const;

const drawings = {
  dots: (
    <>
      <circle cx="8" cy="8" r="6.2" {...line} stroke-dasharray="1.6 2.9" />
      <circle cx="8" cy="8" r="1.6" fill="currentColor" />
    </>
  ),
  clock: (
    <>
      <circle cx="8" cy="8" r="6.2" {...line} />
      <path d="M8 4.6V8l2.2 1.6" {...line} />
    </>
  ),
  pause: (
    <>
      <rect x="1.2" y="1.2" width="13.6" height="13.6" rx="3.4" fill="currentColor" />
      <path d="M6 5.2v5.6M10 5.2v5.6" {...cut} />
    </>
  ),
  arc: (
    <>
      <circle cx="8" cy="8" r="6.2" {...line} opacity="0.28" />
      <path class="turning" d="M8 1.8a6.2 6.2 0 0 1 6.2 6.2" {...line} stroke-width={2.1} />
      <path d="M6.5 5.4v5.2L10.6 8z" fill="currentColor" />
    </>
  ),
  retry: (
    <>
      <path d="M13.6 8A5.6 5.6 0 1 1 11.7 3.8" {...line} />
      <path d="M12.2 1v3.2H9" {...line} />
    </>
  ),
  square: (
    <>
      <circle cx="8" cy="8" r="6.2" {...line} />
      <rect x="5.6" y="5.6" width="4.8" height="4.8" rx="0.8" fill="currentColor" />
    </>
  ),
  check: (
    <>
      <circle cx="8" cy="8" r="7" fill="currentColor" />
      <path d="M4.9 8.2l2.2 2.2 4-4.5" {...cut} />
    </>
  ),
  cross: (
    <>
      <path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z" fill="currentColor" />
      <path d="M5.7 5.7l4.6 4.6M10.3 5.7l-4.6 4.6" {...cut} />
    </>
  ),
  late: (
    <>
      <path d="M8 .8 15.2 14.4H.8z" fill="currentColor" stroke="currentColor" stroke-linejoin="round" />
      <path d="M8 5.6v3.6" {...cut} />
      <circle cx="8" cy="11.9" r="1" fill="var(--mark-ground, var(--surface))" />
    </>
  ),
  slash: (
    <>
      <circle cx="8" cy="8" r="6.2" {...line} />
      <path d="M3.8 12.2l8.4-8.4" {...line} />
    </>
  ),
  ring: <circle cx="8" cy="8" r="6.2" {...line} />,
} as const;
