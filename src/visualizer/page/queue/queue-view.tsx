/** Who waits for a slot: in which lines, what holds them, and what lets them go. */
import { useEffect, useMemo } from 'preact/hooks';
import { countText } from '../model/quantity.ts';
import type { Queue } from '../model/queue.ts';
import { usePage } from '../shell/page.ts';
import { Icon } from '../theme/icon.tsx';
import { LineCard } from './line-card.tsx';
import { watchQueue } from './queue-watch.ts';
import './queue.css';

export function QueueView() {
  const { call, tenants, feed } = usePage();
  const watch = useMemo(() => watchQueue(call, tenants.all), [call, tenants]);
  useEffect(() => watch.stop, [watch]);
  const queue = watch.queue.value;
  const refusal = watch.refusal.value;
  return (
    <section class="queue-view" aria-label="Queue">
      <header class="queue-head">
        <h1>Who waits for a slot</h1>
        {queue !== undefined && refusal === '' && <Summary queue={queue} />}
      </header>
      {refusal !== '' ? (
        <p class="empty quiet" role="alert">
          The node does not tell: {refusal}.
        </p>
      ) : queue === undefined ? (
        <p class="empty quiet">Waiting for the node…</p>
      ) : (
        <Lines queue={queue} away={feed.away.value} allTenants={tenants.all} />
      )}
    </section>
  );
}

function Summary({ queue: { slots, running, waiting, held } }: { readonly queue: Queue }) {
  return (
    <p class="queue-summary">
      <span>
        <b>{countText(running)}</b> of {countText(slots)} slots
      </span>
      <span>
        <b>{countText(waiting)}</b> waiting
      </span>
      <span>
        <b>{countText(held)}</b> of them held
      </span>
    </p>
  );
}

interface Props {
  readonly queue: Queue;
  readonly away: boolean;
  readonly allTenants: boolean;
}

function Lines({ queue, away, allTenants }: Props) {
  const { lines, block, otherLines, otherWaiting, silentNodes } = queue;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached from the keyboard
    <section class="queue-lines" tabIndex={0} aria-label="Lines" data-away={away ? '' : undefined}>
      {block !== '' && (
        <p class="queue-block" role="alert">
          <Icon name="warn" /> <span>Nothing starts: {block}.</span>
        </p>
      )}
      {silentNodes.length > 0 && (
        <p class="queue-block" role="alert">
          <Icon name="warn" />{' '}
          <span>No answer from {silentNodes.join(', ')}: what is there is not counted.</span>
        </p>
      )}
      {lines.length === 0 && (
        <p class="empty quiet">Nobody waits, and nothing runs: what comes now starts at once.</p>
      )}
      {lines.map((line) => (
        <LineCard key={line.key} line={line} allTenants={allTenants} />
      ))}
      <Others count={otherLines} waiting={otherWaiting} />
    </section>
  );
}

function Others({ count, waiting }: { readonly count: number; readonly waiting: number }) {
  if (count === 0) return null;
  return (
    <p class="quiet">
      And {count === 1 ? 'one line' : `${countText(count)} lines`}, in which {countText(waiting)} wait.
    </p>
  );
}
