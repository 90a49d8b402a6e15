/** Instants to come, and in two time zones. */
import { useComputed, useSignal } from '@preact/signals';
import { nodeNow, seconds } from '../clock.ts';
import { instantText } from '../model/quantity.ts';
import { readerZone, untilText, zonedText } from './zoned.ts';

/** `in 5 m 20 s`. Only its text changes. */
export function Coming({ instant }: { readonly instant: number }) {
  const latest = useSignal(instant);
  latest.value = instant;
  const text = useComputed(() => {
    void seconds.value;
    return untilText(latest.value - nodeNow());
  });
  return (
    <time dateTime={new Date(instant).toISOString()} title={instantText(instant)}>
      {text}
    </time>
  );
}

/** The next ones, by the clocks of the schedule and of the reader. */
export function UpcomingTable({
  instants,
  zone,
}: {
  readonly instants: readonly number[];
  readonly zone: string;
}) {
  const own = readerZone();
  return (
    <table class="lined">
      <thead>
        <tr>
          <th scope="col">Comes</th>
          <th scope="col">{zone}, its time zone</th>
          {own !== zone && <th scope="col">{own}, yours</th>}
        </tr>
      </thead>
      <tbody>
        {instants.map((instant) => (
          <tr key={instant}>
            <td>
              <Coming instant={instant} />
            </td>
            <td>{zonedText(instant, zone)}</td>
            {own !== zone && <td>{zonedText(instant, own)}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
