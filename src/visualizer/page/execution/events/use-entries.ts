/** The places of the events that pass a filter, found in slices. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { EventLog } from '../../model/event-log.ts';
import { inSlices } from '../rows/frame-slices.ts';
import type { TextMatch } from '../text-match.ts';
import { type EntryFilter, passes } from './entries.ts';

interface Entries {
  /** Indices into the log, ascending. */
  readonly places: readonly number[];
  readonly busy: boolean;
}

const atOnce = 64;

export function useEntries(
  log: EventLog,
  length: number,
  filter: EntryFilter,
  match: TextMatch | undefined,
): Entries {
  const found = useMemo(() => ({ places: [] as number[], next: 0 }), [log, filter, match]);
  const [, redraw] = useState(0);
  useEffect(() => {
    return inSlices(
      () => {
        const until = Math.min(length, found.next + atOnce);
        for (; found.next < until; found.next += 1) {
          const event = log.at(found.next);
          if (event !== undefined && passes(event, filter, match)) found.places.push(found.next);
        }
        return found.next < length;
      },
      () => redraw((version) => version + 1),
    );
  }, [log, length, found]);
  return { places: found.places, busy: found.next < length };
}
