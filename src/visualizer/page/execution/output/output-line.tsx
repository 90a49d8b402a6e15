/** One row of output. */
import type { Run } from './visible.ts';

interface Props {
  readonly runs: readonly Run[];
  readonly stream: 'stdout' | 'stderr';
  /** 0 where the row goes on with a line that began above. */
  readonly line: number;
  readonly hit: boolean;
}

export function OutputLine({ runs, stream, line, hit }: Props) {
  return (
    <div class="output-line" data-stream={stream} data-hit={hit ? '' : undefined}>
      <span class="output-number" aria-hidden="true">
        {line === 0 ? '' : line}
      </span>
      <span class="output-stream">{stream === 'stderr' ? 'E' : ''}</span>
      <span class="output-text">
        {runs.map((run, place) => {
          const style = styleOf(run);
          return (
            <span key={place} class={run.look || undefined} {...(style !== undefined && { style })}>
              {run.text}
            </span>
          );
        })}
      </span>
    </div>
  );
}

/** Set through the element's style object, which a content policy without inline styles allows. */
function styleOf({ ink, ground }: Run): { color?: string; backgroundColor?: string } | undefined {
  if (ink === undefined && ground === undefined) return undefined;
  return {
    ...(ink !== undefined && { color: `rgb(${ink})` }),
    ...(ground !== undefined && { backgroundColor: `rgb(${ground})` }),
  };
}
