/** The output of a log as rows, made in slices as the log grows or the reader chooses differently. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { LogIndex } from '../log/log-index.ts';
import { inSlices } from '../rows/frame-slices.ts';
import type { TextMatch } from '../text-match.ts';
import { LineStore } from './line-store.ts';
import { RowMap, type Showing } from './rows.ts';
import { OutputSearch } from './search.ts';

export interface Choice {
  readonly stream: 'both' | 'stdout' | 'stderr';
  /** 0 is all. */
  readonly attempt: number;
}

/** How much one step of the work does. */
const eventsAtOnce = 8;
const piecesAtOnce = 256;

export interface OutputRows {
  readonly store: LineStore;
  readonly map: RowMap;
  readonly search: OutputSearch | undefined;
  /** Changes with every slice of the work. */
  readonly version: number;
  /** Work is left. */
  readonly busy: boolean;
}

export function useOutput(
  index: LogIndex,
  length: number,
  choice: Choice,
  showing: Showing,
  match: TextMatch | undefined,
): OutputRows {
  const { stream, attempt } = choice;
  const { raw, columns } = showing;
  const store = useMemo(() => new LineStore(), [index, stream, attempt]);
  const map = useMemo(() => new RowMap({ raw, columns }), [store, raw, columns]);
  const search = useMemo(
    () => (match === undefined ? undefined : new OutputSearch(match, raw)),
    [store, match, raw, store.generation],
  );
  const taken = useRef({ store, events: 0, generation: 0 });
  const [work, setWork] = useState({ version: 0, busy: true });
  useEffect(() => {
    if (taken.current.store !== store) taken.current = { store, events: 0, generation: 0 };
    const { log } = index;
    const step = (): boolean => {
      const state = taken.current;
      const until = Math.min(length, state.events + eventsAtOnce);
      for (; state.events < until; state.events += 1) {
        const event = log.at(state.events);
        if (event?.kind !== 'chunk') continue;
        if (stream !== 'both' && event.chunk.stream !== stream) continue;
        if (attempt !== 0 && event.attempt !== attempt) continue;
        store.push(event);
      }
      if (state.generation !== store.generation) {
        state.generation = store.generation;
        map.clear();
      }
      const mapping = map.extend(store.pieces, piecesAtOnce);
      const searching = search?.extend(store.pieces, store.pieces.length, piecesAtOnce) ?? false;
      return state.events < length || mapping || searching;
    };
    let busy = true;
    return inSlices(
      () => {
        busy = step();
        return busy;
      },
      () => setWork(({ version }) => ({ version: version + 1, busy })),
    );
  }, [index, length, store, map, search]);
  return { store, map, search, ...work };
}
