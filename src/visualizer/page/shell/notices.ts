/** What the page says in passing: that an action worked, or why it did not. */
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
}

const shownForMs = 8000;
const most = 4;

export function createNotices(): Notices {
  const shown = signal<readonly Notice[]>([]);
  let count = 0;
  const dismiss = (id: number) => {
    shown.value = shown.value.filter((notice) => notice.id !== id);
  };
  const add = (notice: Omit<Notice, 'id'>) => {
    count += 1;
    const id = count;
    shown.value = [...shown.value, { ...notice, id }].slice(-most);
    return id;
  };
  return {
    shown,
    say: (text, execution = '') => {
      const id = add({ text, execution, bad: false });
      after(shownForMs, () => dismiss(id));
    },
    complain: (text) => {
      add({ text, execution: '', bad: true });
    },
    dismiss,
  };
}
