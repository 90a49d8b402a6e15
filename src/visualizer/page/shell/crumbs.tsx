/** The way back from one execution, for the hand and for Escape. */
import { useKeys } from '../keyboard/keys.ts';
import { addressOf, type View } from '../model/address.ts';
import { Icon } from '../theme/icon.tsx';
import { usePage } from './page.ts';

const names: Readonly<Record<View, string>> = {
  list: 'Executions',
  tree: 'Tree',
  queue: 'Queue',
  batches: 'Batches',
  tasks: 'Tasks',
  schedules: 'Schedules',
};

export function Crumbs() {
  const { router } = usePage();
  useKeys('Execution', [{ key: 'Escape', help: 'Back to the list', act: () => router.leave() }]);
  return (
    <nav class="crumbs" aria-label="Where you are">
      <a
        href={addressOf({ execution: '', at: undefined }, router.address.value)}
        onClick={(event) => {
          if (event.button !== 0 || event.metaKey || event.ctrlKey) return;
          event.preventDefault();
          router.leave();
        }}
      >
        <Icon name="back" /> {names[router.address.value.view]}
      </a>
    </nav>
  );
}
