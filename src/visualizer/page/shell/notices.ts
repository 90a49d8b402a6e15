/**
 * What the page says in passing: that an action worked, or why it did not.
 *
 * - What worked goes by itself, unless the reader is at it; what did not stays until the reader takes it away.
 * - Of too many, what worked goes first, the oldest before the others.
 */
import { type ReadonlySignal, signal } from '@preact/signals';
import { after } from '../clock.ts';

export interface Notice {
  readonly id: number;
  readonly text: string;
  readonly bad: boolean;
  /** An execution to go to; empty where there is none. */
  readonly execution: string;
}

export interface Notices {
  readonly shown: ReadonlySignal<readonly Notice[]>;
  say(text: string, execution?: string): void;
  /** Stays until the reader takes it away. */
  complain(text: string): void;
  dismiss(id: number): void;
  /** Answers `false` where there was none. */
  dismissAll(): boolean;
  /** While it holds, nothing goes by itself. */
  hold(on: boolean): void;
}

const shownForMs = 8000;
const most = 3;

export function createNotices(later: typeof after = after): Notices {
  const shown = signal<readonly Notice[]>([]);
  const due = new Set<number>();
  let held = false;
  let count = 0;
  const keep = (test: (notice: Notice) => boolean) => {
    shown.value = shown.value.filter(test);
    // What is gone tells no more that the reader left it.
    if (shown.value.length === 0) held = false;
  };
  const expire = () => {
    if (held) return;
    keep(({ id }) => !due.has(id));
    due.clear();
  };
  const add = (notice: Omit<Notice, 'id'>) => {
    count += 1;
    const id = count;
    // The same again takes the place of the first.
    const others = shown.value.filter(({ text, execution }) => {
      return text !== notice.text || execution !== notice.execution;
    });
    if (others.length >= most) {
      const goes = others.find(({ bad }) => !bad) ?? others[0];
      shown.value = [...others.filter((each) => each !== goes), { ...notice, id }];
    } else shown.value = [...others, { ...notice, id }];
    return id;
  };
  return {
    shown,
    say: (text, execution = '') => {
      const id = add({ text, execution, bad: false });
      later(shownForMs, () => {
        due.add(id);
        expire();
      });
    },
    complain: (text) => {
      add({ text, execution: '', bad: true });
    },
    dismiss: (gone) => keep(({ id }) => id !== gone),
    dismissAll: () => {
      if (shown.value.length === 0) return false;
      keep(() => false);
      return true;
    },
    hold: (on) => {
      held = on;
      expire();
    },
  };
}
