/** One execution of the node. */
import { effect, useSignal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { executionActions } from '../actions/execution-actions.ts';
import { ExecutionView } from '../execution/execution-view.tsx';
import { openLiveSource } from '../feed/live-source.ts';
import { useKeys } from '../keyboard/keys.ts';
import { addressOf } from '../model/address.ts';
import type { ExecutionSource } from '../model/execution-source.ts';
import { Icon } from '../theme/icon.tsx';
import { usePage } from './page.ts';
import './pane.css';

export function LivePane({ id }: { readonly id: string }) {
  const page = usePage();
  const { router, list } = page;
  const at = useSignal(router.address.peek().at);
  const [source, setSource] = useState<ExecutionSource>();
  const machines = page.machines.value;

  useEffect(() => {
    if (machines === undefined) return;
    const opened = openLiveSource({
      id,
      call: page.call,
      feed: page.feed,
      rows: list.rows,
      machines,
      at,
      actions: (row) =>
        executionActions(row, {
          acts: page.acts,
          dialogs: page.dialogs,
          notices: page.notices,
          left: (gone) => {
            list.rows.remove([gone]);
            router.leave();
          },
        }),
    });
    setSource(opened);
    return opened.close;
  }, [id, machines, page, list, router, at]);

  // The slider and the address follow each other at once: a frame later, one would take back what the other did since.
  useEffect(() => {
    const stopTelling = effect(() => {
      const wanted = at.value;
      const known = router.address.peek();
      if (known.at !== wanted && known.execution === id) router.refine({ at: wanted });
    });
    const stopHearing = effect(() => {
      const wanted = router.address.value;
      if (wanted.execution === id) at.value = wanted.at;
    });
    return () => {
      stopTelling();
      stopHearing();
    };
  }, [id, router, at]);
  useKeys('Execution', [{ key: 'Escape', help: 'Back to the list', act: () => router.leave() }]);

  return (
    <div class="pane">
      <nav class="crumbs" aria-label="Where you are">
        <a
          href={addressOf({ execution: '', at: undefined }, router.address.value)}
          onClick={(event) => {
            if (event.button !== 0 || event.metaKey || event.ctrlKey) return;
            event.preventDefault();
            router.leave();
          }}
        >
          <Icon name="back" /> {router.address.value.view === 'tree' ? 'Tree' : 'Executions'}
        </a>
      </nav>
      {source === undefined ? (
        <p class="pane-wait quiet">Reading {id}…</p>
      ) : (
        <ExecutionView source={source} />
      )}
    </div>
  );
}
