/** Every event of the log, one row each. A row leads to that event. */

import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useKeys } from '../../keyboard/keys.ts';
import { countText } from '../../model/quantity.ts';
import type { LogIndex } from '../log/log-index.ts';
import { useVirtualRows } from '../rows/virtual-rows.ts';
import { textMatch } from '../text-match.ts';
import { allEntries, type EntryFilter, entryLabel } from './entries.ts';
import { EventBar } from './event-bar.tsx';
import { EventRow } from './event-row.tsx';
import { useEntries } from './use-entries.ts';
import '../rows/rows.css';
import './events.css';

interface Props {
  readonly index: LogIndex;
  readonly length: number;
  readonly at: number | undefined;
  /** An event to show at the present, each time that another object comes. */
  readonly pointed: { readonly sequence: number } | undefined;
  /** When the execution was: times are told since then. */
  readonly admitted: number;
  readonly attempts: number;
  readonly onEvent: (sequence: number) => void;
}

const rowHeight = 27;

export function EventList({ index, length, at, pointed, admitted, attempts, onEvent }: Props) {
  const { log } = index;
  const [filter, setFilter] = useState<EntryFilter>(allEntries);
  const [query, setQuery] = useState('');
  const [active, setActive] = useState<number | undefined>(undefined);
  const match = useMemo(() => textMatch(query), [query]);
  const { places, busy } = useEntries(log, length, filter, match);
  const frame = useRef<HTMLDivElement>(null);
  const rows = useVirtualRows(frame, places.length, rowHeight);
  // Travel moves the list along; the reader's own place in it is that of the last row they were on.
  const here = at ?? active;
  const row = here === undefined ? -1 : rowOf(places, log.indexOf(here));
  useLayoutEffect(() => {
    if (at !== undefined && row >= 0) rows.reveal(row);
  }, [at, row]);
  useLayoutEffect(() => {
    if (pointed === undefined) return;
    setActive(pointed.sequence);
    rows.reveal(rowOf(places, log.indexOf(pointed.sequence)));
    frame.current?.scrollIntoView({ block: 'nearest' });
    frame.current?.focus();
  }, [pointed]);

  const move = (to: number): void => {
    const event = log.at(places[Math.max(0, Math.min(places.length - 1, to))] ?? -1);
    if (event === undefined) return;
    rows.reveal(Math.max(0, Math.min(places.length - 1, to)));
    if (at === undefined) setActive(event.sequence);
    else onEvent(event.sequence);
  };
  useKeys('Events, in focus', [
    { key: 'k', help: 'Line before' },
    { key: 'ArrowUp', help: 'Line before' },
    { key: 'j', help: 'Next line' },
    { key: 'ArrowDown', help: 'Next line' },
    { key: 'PageUp', help: 'A page up' },
    { key: 'PageDown', help: 'A page down' },
    { key: 'Home', help: 'First line' },
    { key: 'End', help: 'Last line' },
    { key: 'Enter', help: 'Travel to it' },
  ]);
  const act = (event: KeyboardEvent): void => {
    const acts: Readonly<Record<string, () => void>> = {
      j: () => move(row + 1),
      ArrowDown: () => move(row + 1),
      k: () => move(row === -1 ? places.length - 1 : row - 1),
      ArrowUp: () => move(row === -1 ? places.length - 1 : row - 1),
      PageDown: () => move(row + rows.fit),
      PageUp: () => move(row - rows.fit),
      Home: () => move(0),
      End: () => move(places.length - 1),
      Enter: () => here !== undefined && onEvent(here),
    };
    const known = Object.hasOwn(acts, event.key) ? acts[event.key] : undefined;
    if (known === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    known();
  };
  const shown = [];
  for (let number = rows.first; number < rows.end; number += 1) {
    const event = log.at(places[number] ?? -1);
    if (event === undefined) break;
    shown.push(
      <EventRow
        key={event.sequence}
        event={event}
        row={number}
        admitted={admitted}
        before={log.at(places[number - 1] ?? -1)?.time}
        active={number === row}
        future={at !== undefined && event.sequence > at}
        onEvent={onEvent}
      />,
    );
  }
  const current = log.at(places[row] ?? -1);
  return (
    <section class="panel events" aria-label="Events">
      <EventBar
        filter={filter}
        setFilter={setFilter}
        query={query}
        setQuery={setQuery}
        attempts={attempts}
        found={places.length}
        all={length}
        busy={busy}
      />
      <div
        class="events-frame"
        ref={frame}
        tabIndex={0}
        role="listbox"
        aria-label={`${countText(places.length)} events; Enter travels to one`}
        aria-activedescendant={current === undefined ? undefined : `event-${current.sequence}`}
        onScroll={rows.onScroll}
        onKeyDown={act}
      >
        <div class="rows-space" role="presentation" style={{ height: `${rows.height}px` }}>
          <div class="rows-shown" role="presentation" style={{ transform: `translateY(${rows.offset}px)` }}>
            {shown}
          </div>
        </div>
      </div>
      {places.length === 0 && !busy && (
        <p class="panel-empty">
          {length === 0 ? 'No event has come yet.' : 'No event passes.'}
          {length > 0 && (
            <button
              type="button"
              class="link"
              onClick={() => {
                setFilter(allEntries);
                setQuery('');
              }}
            >
              Show all {countText(length)}
            </button>
          )}
        </p>
      )}
      <p class="hidden" aria-live="polite">
        {current === undefined ? '' : entryLabel(current)}
      </p>
    </section>
  );
}

/** The row of the last place up to an index; -1 where there is none. */
function rowOf(places: readonly number[], index: number): number {
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((places[middle] ?? Number.POSITIVE_INFINITY) <= index) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
