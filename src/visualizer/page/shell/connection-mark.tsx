/** Whether what the page shows is how things are. */
import { useComputed } from '@preact/signals';
import { now, readerSeconds } from '../clock.ts';
import { wholeSecondsText } from '../model/quantity.ts';
import { usePage } from './page.ts';
import './connection-mark.css';

export function ConnectionMark() {
  const { feed } = usePage();
  const words = useComputed(() => {
    void readerSeconds.value;
    const connection = feed.connection.value;
    const state = feed.node.value?.state;
    const stops = connection.phase === 'live' && (state === 'draining' || state === 'stopped');
    if (stops || feed.leaving.value) return { phase: 'stopping', text: 'Node is stopping' };
    if (connection.phase === 'live') return { phase: 'live', text: 'Live' };
    if (connection.phase === 'connecting') return { phase: 'connecting', text: 'Connecting…' };
    return {
      phase: 'reconnecting',
      text: `Not connected for ${wholeSecondsText(now() - connection.since)}`,
    };
  });
  return (
    <span class="connection" data-phase={words.value.phase} role="status">
      <svg width="10" height="10" viewBox="0 0 10 10" aria-hidden="true">
        {words.value.phase === 'live' ? (
          <circle cx="5" cy="5" r="4" fill="currentColor" />
        ) : (
          <path d="M5 1 9 5 5 9 1 5z" fill="none" stroke="currentColor" stroke-width="1.6" />
        )}
      </svg>
      {words.value.text}
    </span>
  );
}
