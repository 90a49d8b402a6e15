/** Times that go on. Only their text changes: the row around them is not drawn again. */
import { useComputed, useSignal } from '@preact/signals';
import { nodeNow, seconds } from '../clock.ts';
import { durationOf, type ExecutionRow } from '../model/execution-row.ts';
import { agoText, durationText, instantText, wholeSecondsText } from '../model/quantity.ts';

export function Elapsed({ row }: { readonly row: ExecutionRow }) {
  if (row.completedAt === undefined) return <TickingElapsed row={row} />;
  return <span>{durationText(durationOf(row, row.seenAt))}</span>;
}

function TickingElapsed({ row }: { readonly row: ExecutionRow }) {
  const latest = useSignal(row);
  latest.value = row;
  const text = useComputed(() => {
    // The beat may lie before what was seen last.
    const at = Math.max(seconds.value, latest.value.seenAt);
    const ms = durationOf(latest.value, at);
    return wholeSecondsText(ms);
  });
  return (
    <span class="ticking" data-running={row.status === 'running'}>
      {text}
    </span>
  );
}

export function Ago({ instant }: { readonly instant: number }) {
  const latest = useSignal(instant);
  latest.value = instant;
  const text = useComputed(() => {
    void seconds.value;
    return agoText(nodeNow() - latest.value);
  });
  return (
    <time dateTime={new Date(instant).toISOString()} title={instantText(instant)}>
      {text}
    </time>
  );
}
