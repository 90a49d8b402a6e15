/** The list of executions: what is wanted, what is known of it, and what is shown. */
import { computed, effect, type ReadonlySignal, signal, untracked } from '@preact/signals';
import { after, nodeNow, seconds } from '../clock.ts';
import type { Call } from '../feed/call.ts';
import type { Feed } from '../feed/feed.ts';
import type { Status } from '../model/status.ts';
import type { Router } from '../shell/router.ts';
import { Pages } from './pages.ts';
import { filterOf, hasNoBounds, type RowFilter, type RowTest, testOf } from './row-filter.ts';
import type { RowStore } from './row-store.ts';
import { RowView } from './row-view.ts';

export type Counts = Readonly<Record<Status, number>>;

export interface StatusCounts {
  readonly counts: Counts;
  /** Of what the page has read, where the node does not count. */
  readonly partial: boolean;
}

export interface ListModel {
  readonly rows: RowStore;
  readonly view: RowView;
  readonly pages: Pages;
  readonly filter: ReadonlySignal<RowFilter>;
  readonly counts: ReadonlySignal<StatusCounts>;
  /** There are newer ones that nobody told the page of. */
  readonly gap: ReadonlySignal<boolean>;
  /** The reader looks at something: newer ones wait. */
  hold(): void;
  /** Shows all that waits, and all that comes. */
  release(): void;
  /** Where the list was scrolled to, for when the reader comes back to it. */
  scrollTop: number;
  stop(): void;
}

interface Options {
  readonly call: Call;
  readonly feed: Feed;
  readonly rows: RowStore;
  readonly router: Router;
}

const countEveryMs = 400;
/** How often what grows older than the span that is wanted leaves the list. */
const ageEveryMs = 10_000;

export function createListModel({ call, feed, rows, router }: Options): ListModel {
  const view = new RowView(rows);
  const pages = new Pages({ call, rows, reached: (frontier) => view.reach(frontier) });
  const key = computed(() => JSON.stringify(filterOf(router.address.value)));
  const filter = computed(() => JSON.parse(key.value) as RowFilter);
  const asked = computed(() => JSON.stringify({ ...filter.value, text: '', code: '' }));
  const counted = signal<Counts>(none);
  const counts = computed(() => {
    const wanted = filter.value;
    const node = feed.node.value;
    if (wanted.text === '' && hasNoBounds(wanted) && node !== undefined)
      return { counts: node.counts, partial: false };
    return { counts: counted.value, partial: !pages.state.value.done };
  });

  let rest: RowTest = () => true;
  const test = (wanted: RowFilter): RowTest => {
    const both = testOf(wanted, nodeNow());
    rest = both.rest;
    return (row) => both.status(row) && both.rest(row);
  };
  let due: (() => void) | undefined;
  const count = () => {
    due = undefined;
    const next: Record<Status, number> = { ...none };
    for (const row of rows.values()) if (rest(row)) next[row.status] += 1;
    counted.value = next;
  };
  const countSoon = () => {
    due ??= after(countEveryMs, count);
  };

  const gap = signal(false);
  let isHeld = false;
  let isOld = false;
  let aged = 0;
  const stops = [
    effect(() => {
      const wanted = test(filter.value);
      untracked(() => {
        view.choose(wanted);
        count();
      });
    }),
    effect(() => {
      // Listed when the feed stands, again when it lost its place, and for every other question.
      if (feed.epoch.value === 0 || asked.value === '') return;
      untracked(() => {
        gap.value = false;
        view.reach('~');
        void pages.open(filter.value);
      });
    }),
    effect(() => {
      if (feed.missed.value === 0) return;
      // Whoever stands at the top gets the newest again; others keep what they look at until they go there.
      if (isHeld) gap.value = true;
      else untracked(() => void pages.open(filter.value));
    }),
    effect(() => {
      if (feed.returns.value === 0) return;
      // There may be rows of which the node has nothing more.
      if (isHeld) isOld = true;
      else untracked(() => void pages.open(filter.value));
    }),
    effect(() => {
      const time = seconds.value;
      if (filter.peek().since === '' || time - aged < ageEveryMs) return;
      aged = time;
      untracked(() => view.retest(test(filter.value)));
    }),
    rows.listen(countSoon),
  ];
  return {
    rows,
    view,
    pages,
    filter,
    counts,
    gap,
    scrollTop: 0,
    hold: () => {
      isHeld = true;
      view.hold();
    },
    release: () => {
      isHeld = false;
      view.release();
      if (!gap.peek() && !isOld) return;
      gap.value = false;
      isOld = false;
      void pages.open(filter.peek());
    },
    stop: () => {
      for (const stop of stops) stop();
      due?.();
    },
  };
}

const none: Counts = { pending: 0, running: 0, completed: 0, failed: 0, timedOut: 0, cancelled: 0 };
