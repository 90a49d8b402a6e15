/** How the members of a batch stand: a bar, and the same in words. */
import type { Batch } from '../model/batch.ts';
import { countText } from '../model/quantity.ts';
import { type Status, statusWords } from '../model/status.ts';

const order: readonly Status[] = ['completed', 'failed', 'timedOut', 'cancelled', 'running', 'pending'];
const width = 200;

export function CountBar({
  batch: { counts, members },
}: {
  readonly batch: Pick<Batch, 'counts' | 'members'>;
}) {
  const some = order.filter((status) => counts[status] > 0);
  let at = 0;
  return (
    <span class="count-bar">
      <svg width={width} height="8" viewBox={`0 0 ${width} 8`} aria-hidden="true">
        {some.map((status) => {
          const from = at;
          at += (width * counts[status]) / Math.max(1, members);
          return (
            <rect key={status} data-tone={status} class="count-part" x={from} width={at - from} height="8" />
          );
        })}
      </svg>
      <span>
        {some.map((status) => `${countText(counts[status])} ${statusWords[status].toLowerCase()}`).join(', ')}
      </span>
    </span>
  );
}
