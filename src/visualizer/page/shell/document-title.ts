/** The title of the browser's tab: what is open, and how it stands. */
import { useSignalEffect } from '@preact/signals';
import type { View } from '../model/address.ts';
import { countText } from '../model/quantity.ts';
import { statusWords } from '../model/status.ts';
import { usePage } from './page.ts';

const titles: Readonly<Record<View, string>> = {
  list: '',
  tree: 'Tree · ',
  queue: 'Queue · ',
  batches: 'Batches · ',
  tasks: 'Tasks · ',
  schedules: 'Schedules · ',
};

export function useDocumentTitle(): void {
  const { router, feed, file, list } = usePage();
  useSignalEffect(() => {
    const { execution, view } = router.address.value;
    const node = feed.node.value;
    if (file.value !== undefined) {
      document.title = `${file.value.fileName ?? 'a file'} · Spear`;
    } else if (execution !== '') {
      void list.view.revision.value;
      const row = list.rows.get(execution);
      document.title = row ? `${statusWords[row.status]}: ${row.taskName} · Spear` : `${execution} · Spear`;
    } else {
      const running = node ? `${countText(node.running)} running · ` : '';
      document.title = `${running}${titles[view]}Spear`;
    }
  });
}
