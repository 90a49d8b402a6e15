/** The list from the keyboard. */
import type { RefObject } from 'preact';
import { useKeys } from '../keyboard/keys.ts';
import { usePage } from '../shell/page.ts';

interface Options {
  readonly place: RefObject<HTMLElement | null>;
  readonly rowHeight: number;
  readonly copy: (id: string) => void;
  readonly toTop: () => void;
  readonly scrollTo: (top: number) => void;
}

export function useListKeys({ place, rowHeight, copy, toTop, scrollTo }: Options): void {
  const { list, router } = usePage();
  const selected = () => router.address.peek().selected;
  const move = (step: number) => {
    const order = list.view.order.peek();
    if (order.length === 0) return;
    const at = order.indexOf(selected());
    const from = at === -1 ? (step > 0 ? firstOnScreen() - 1 : firstOnScreen() + 1) : at;
    go(Math.min(order.length - 1, Math.max(0, from + step)));
  };
  const firstOnScreen = () => Math.ceil((place.current?.scrollTop ?? 0) / rowHeight);
  const go = (index: number) => {
    const id = list.view.order.peek()[index];
    if (id === undefined) return;
    router.refine({ selected: id });
    const element = place.current;
    if (element === null) return;
    const top = index * rowHeight;
    // Below the head, which stands over the rows.
    const room = element.clientHeight - 2 * rowHeight;
    if (top < element.scrollTop) scrollTo(top);
    else if (top > element.scrollTop + room) scrollTo(top - room);
  };
  const pageful = () => Math.max(1, Math.floor((place.current?.clientHeight ?? 0) / rowHeight) - 2);
  const down = { act: () => move(1) };
  const up = { act: () => move(-1) };
  useKeys('List', [
    { key: 'j', help: 'Next execution', ...down },
    { key: 'ArrowDown', help: 'Next execution', ...down },
    { key: 'k', help: 'Execution before', ...up },
    { key: 'ArrowUp', help: 'Execution before', ...up },
    { key: 'PageDown', act: () => move(pageful()) },
    { key: 'PageUp', act: () => move(-pageful()) },
    {
      key: 'Enter',
      help: 'Open it',
      act: () => selected() !== '' && router.go({ execution: selected(), at: undefined }),
    },
    { key: 'c', help: 'Copy its id', act: () => selected() !== '' && copy(selected()) },
    { key: 'g', help: 'To the newest', act: toTop },
    { key: 'Home', help: 'To the newest', act: toTop },
    { key: 'End', act: () => go(list.view.order.peek().length - 1) },
    {
      key: 'Escape',
      help: 'Let the selection go',
      act: () => selected() !== '' && router.refine({ selected: '' }),
    },
  ]);
}
