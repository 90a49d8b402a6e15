/** One execution of the node. */
import { effect, useSignal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { executionActions } from '../actions/execution-actions.ts';
import { ExecutionView } from '../execution/execution-view.tsx';
import { faultText } from '../feed/call.ts';
import { type LiveSource, openLiveSource } from '../feed/live-source.ts';
import { isExecutionId } from '../model/address.ts';
import { Crumbs } from './crumbs.tsx';
import { NoExecution } from './no-execution.tsx';
import { usePage } from './page.ts';
import './pane.css';

export function LivePane({ id }: { readonly id: string }) {
  return (
    <div class="pane">
      <Crumbs />
      {isExecutionId(id) ? (
        <Known id={id} />
      ) : (
        <NoExecution
          title="Not an execution id"
          text={`“${id.slice(0, 200)}” is not an execution id: that is exec_ and 26 letters and digits.`}
        />
      )}
    </div>
  );
}

function Known({ id }: { readonly id: string }) {
  const page = usePage();
  const { router, list } = page;
  const at = useSignal(router.address.peek().at);
  const [source, setSource] = useState<LiveSource>();
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
      may: page.may,
      download: (path) => {
        page
          .download(path, page.tenants.of(list.rows.get(id)))
          .catch((error: unknown) => page.notices.complain(faultText(error)));
      },
      actions: (row) =>
        executionActions(row, {
          acts: page.acts,
          may: page.may,
          tenants: page.tenants,
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

  if (source === undefined) return <Reading id={id} />;
  return <Read source={source} />;
}

function Reading({ id }: { readonly id: string }) {
  return <p class="pane-wait quiet">Reading {id}…</p>;
}

/** Nothing is claimed of an execution before something is known of it. */
function Read({ source }: { readonly source: LiveSource }) {
  const { id, record, events, missing, fault } = source;
  if (record.value !== undefined || events.length.value > 0) return <ExecutionView source={source} />;
  if (missing.value) {
    return (
      <NoExecution
        title="No such execution"
        text={`The node has no ${id}: it was deleted, or is not kept any more.`}
      />
    );
  }
  if (fault.value === '') return <Reading id={id} />;
  return (
    <p class="pane-wait" role="alert">
      {fault.value}
    </p>
  );
}
