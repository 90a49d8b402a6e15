/** All executions, live. */
import { useSignalEffect } from '@preact/signals';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { ActivityStrip } from '../activity/activity-strip.tsx';
import { after } from '../clock.ts';
import { useVirtualRows } from '../execution/rows/virtual-rows.ts';
import { countText } from '../model/quantity.ts';
import { usePage } from '../shell/page.ts';
import { Icon } from '../theme/icon.tsx';
import { EmptyList } from './empty-list.tsx';
import { Filters } from './filters.tsx';
import { ListFoot } from './list-foot.tsx';
import { useListKeys } from './list-keys.ts';
import type { ListModel } from './list-model.ts';
import { useMedia } from './media.ts';
import { Row } from './row.tsx';
import { isSearch } from './row-filter.ts';
import './list.css';

const columns = ['State', 'Task', 'Function', 'Id', 'Attempt', 'Created', 'Duration', 'Error'] as const;
const headings: Partial<Record<(typeof columns)[number], string>> = { Created: 'Created (UTC)' };
/** Pages are asked for while there are still so many rows to scroll. */
const ahead = 60;
/** Rows drawn beyond each edge. */
const around = 12;
/** How far a search reads on by itself. */
export const searchesAhead = 5000;

export function ListView() {
  const { list, router, notices } = usePage();
  const place = useRef<HTMLDivElement>(null);
  const [start] = useState(list.scrollTop);
  const [limit, setLimit] = useState(searchesAhead);
  const [copied, setCopied] = useState('');
  const narrow = useMedia('(max-width: 760px)');
  const rowHeight = narrow ? 64 : 34;
  const order = list.view.order.value;
  // Rows that change are looked up anew.
  void list.view.revision.value;
  const pages = list.pages.state.value;
  const { selected } = router.address.value;
  const { first, end, atTop, onScroll } = useVirtualRows(place, order.length, rowHeight, { around, start });

  useAnchor(place, list, order, rowHeight);
  const isLive = atTop && selected === '';
  useEffect(() => {
    if (isLive) list.release();
    else list.hold();
  }, [isLive, list]);
  const isSearching = isSearch(list.filter.value);
  const wantsMore = end + ahead >= order.length && !pages.done && pages.fault === '' && !list.rows.isFull;
  useEffect(() => {
    if (!wantsMore || pages.loading || (isSearching && pages.listed >= limit)) return;
    list.pages.more().catch(() => {});
  }, [wantsMore, pages, isSearching, limit, list]);
  const shownFilter = useRef(list.filter.peek());
  useSignalEffect(() => {
    const filter = list.filter.value;
    if (filter === shownFilter.current || place.current === null) return;
    shownFilter.current = filter;
    list.scrollTop = 0;
    place.current.scrollTop = 0;
  });

  const select = useCallback((id: string) => router.refine({ selected: id }), [router]);
  const copy = useCallback(
    (id: string) => {
      navigator.clipboard
        .writeText(id)
        .then(() => {
          setCopied(id);
          after(1500, () => setCopied(''));
        })
        .catch(() => notices.complain('The browser does not let this page copy'));
    },
    [notices],
  );
  const scrollTo = (top: number) => {
    // The event that tells of it comes later than the rows that may come before it.
    list.scrollTop = top;
    if (place.current !== null) place.current.scrollTop = top;
  };
  const toTop = () => {
    scrollTo(0);
    router.refine({ selected: '' });
    list.release();
  };
  useListKeys({ place, rowHeight, copy, toTop, scrollTo });

  const fresh = list.view.fresh.value;
  return (
    <section class="list" aria-label="Executions">
      <h1 class="hidden">Executions</h1>
      <ActivityStrip />
      <Filters />
      <div class="fresh-line">
        <div class="fresh-place" role="status">
          {(fresh > 0 || list.gap.value) && (
            <button type="button" class="fresh" onClick={toTop}>
              <Icon name="up" size={13} /> {list.gap.value ? 'Many' : countText(fresh)} new
            </button>
          )}
        </div>
      </div>
      <div
        class="grid"
        role="grid"
        aria-label="Executions, newest first"
        aria-rowcount={order.length + 1}
        aria-colcount={columns.length}
        aria-activedescendant={order.includes(selected) ? `row-${selected}` : undefined}
        tabIndex={0}
        ref={place}
        onScroll={(event) => {
          list.scrollTop = event.currentTarget.scrollTop;
          onScroll();
        }}
      >
        <div role="row" class="row head" aria-rowindex={1}>
          {columns.map((name) => (
            <div role="columnheader" class={`cell ${name.toLowerCase()}`} key={name}>
              {headings[name] ?? name}
            </div>
          ))}
        </div>
        <div role="rowgroup" class="rows" style={{ height: `${order.length * rowHeight}px` }}>
          {order.slice(first, end).map((id, offset) => {
            const row = list.rows.get(id);
            if (row === undefined) return null;
            return (
              <Row
                key={id}
                row={row}
                index={first + offset}
                top={(first + offset) * rowHeight}
                selected={id === selected}
                copied={id === copied}
                select={select}
                copy={copy}
              />
            );
          })}
        </div>
        {order.length === 0 && <EmptyList />}
        <ListFoot limit={limit} searchOn={() => setLimit(pages.listed + searchesAhead)} />
      </div>
    </section>
  );
}

/** Keeps the rows that the reader looks at in their place when others come or go above them. */
function useAnchor(
  place: { readonly current: HTMLDivElement | null },
  list: ListModel,
  order: readonly string[],
  rowHeight: number,
): void {
  const before = useRef(order);
  useLayoutEffect(() => {
    const known = before.current;
    before.current = order;
    const element = place.current;
    // Not the element's own: to ask for it here would have the rows laid out twice.
    const { scrollTop } = list;
    if (element === null || known === order || scrollTop < rowHeight / 2) return;
    const index = Math.floor(scrollTop / rowHeight);
    // The first row on screen may itself be gone: then the next that is left.
    for (let at = index; at < Math.min(known.length, index + 50); at += 1) {
      const now = order.indexOf(known[at] ?? '');
      if (now === -1) continue;
      if (now !== at) element.scrollTop = scrollTop + (now - at) * rowHeight;
      return;
    }
  }, [order, place, list, rowHeight]);
}
