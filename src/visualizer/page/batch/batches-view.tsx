/** The batches of the node, or the one that is open. */
import { useEffect, useState } from 'preact/hooks';
import { faultText } from '../feed/call.ts';
import { Ago } from '../list/ticking.tsx';
import { type Batch, batchOf } from '../model/batch.ts';
import { useLink } from '../model/link.ts';
import { countText } from '../model/quantity.ts';
import { usePage } from '../shell/page.ts';
import type { ListBatchesResponseJson } from '../wire.ts';
import { BatchView } from './batch-view.tsx';
import { CountBar } from './count-bar.tsx';
import './batch.css';

export function BatchesView() {
  const { batch } = usePage().router.address.value;
  return batch === '' ? <BatchList /> : <BatchView key={batch} id={batch} />;
}

const pageSize = 100;

interface Listed {
  readonly batches: readonly Batch[];
  /** Empty at the end. */
  readonly next: string;
}

function BatchList() {
  const { call, feed, tenants } = usePage();
  const [listed, setListed] = useState<Listed>();
  const [fault, setFault] = useState('');
  const read = (pageToken: string): void => {
    setFault('');
    call<ListBatchesResponseJson>('BatchService/ListBatches', { pageSize, pageToken })
      .then(({ batches, nextPageToken }) =>
        setListed((known) => ({
          batches: [...(pageToken === '' ? [] : (known?.batches ?? [])), ...batches.map(batchOf)],
          next: nextPageToken,
        })),
      )
      .catch((error: unknown) => setFault(faultText(error)));
  };
  const heard = feed.epoch.value + feed.returns.value;
  // Read anew from another node, and after it was away.
  useEffect(() => read(''), [heard]);
  return (
    <section class="batch-view" aria-label="Batches">
      <header class="batch-head">
        <h1>Batches</h1>
        <button type="button" class="button" onClick={() => read('')}>
          Read again
        </button>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached from the keyboard */}
      <section class="batch-body" tabIndex={0} aria-label="All batches">
        {fault !== '' && (
          <p class="empty" role="alert">
            The node does not tell: {fault}.
          </p>
        )}
        {listed?.batches.length === 0 && (
          <p class="empty quiet">
            There is no batch. <code>spear batch FILE</code> runs many invocations together.
          </p>
        )}
        {listed === undefined && fault === '' && <p class="empty quiet">Reading the batches…</p>}
        {listed !== undefined && listed.batches.length > 0 && (
          <BatchTable batches={listed.batches} allTenants={tenants.all} />
        )}
        {listed !== undefined && listed.next !== '' && (
          <p>
            <button type="button" class="button" onClick={() => read(listed.next)}>
              Older ones
            </button>
          </p>
        )}
      </section>
    </section>
  );
}

function BatchTable({
  batches,
  allTenants,
}: {
  readonly batches: readonly Batch[];
  readonly allTenants: boolean;
}) {
  const link = useLink();
  return (
    <table class="batch-table">
      <thead>
        <tr>
          <th scope="col">Batch</th>
          <th scope="col">Created</th>
          <th scope="col">Tasks</th>
          <th scope="col">Members</th>
          <th scope="col">State</th>
        </tr>
      </thead>
      <tbody>
        {batches.map((batch) => (
          <tr key={batch.id}>
            <td>
              <a class="mono" href={link({ view: 'batches', batch: batch.id })}>
                {allTenants && `${batch.tenant}/`}
                {batch.id}
              </a>{' '}
              <span class="quiet">{batch.invocationId}</span>
            </td>
            <td>
              <Ago instant={batch.createdAt} />
            </td>
            <td>{batch.taskNames.join(', ')}</td>
            <td>{countText(batch.members)}</td>
            <td>
              <CountBar batch={batch} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
