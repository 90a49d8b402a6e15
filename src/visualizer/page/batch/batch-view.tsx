/** One batch: how its members stand, why some failed, and running those again. */
import { useEffect, useMemo } from 'preact/hooks';
import type { RerunSubject } from '../actions/dialogs.ts';
import { Ago } from '../list/ticking.tsx';
import type { Batch, FailureGroup } from '../model/batch.ts';
import { useLink } from '../model/link.ts';
import { countText, durationText, instantText } from '../model/quantity.ts';
import { statuses, statusName, statusWords } from '../model/status.ts';
import { usePage } from '../shell/page.ts';
import { Icon } from '../theme/icon.tsx';
import { StatusMark } from '../theme/status-mark.tsx';
import { watchBatch } from './batch-watch.ts';
import { CountBar } from './count-bar.tsx';
import { BatchGraph } from './graph/batch-graph.tsx';
import { MemberTable } from './members/member-table.tsx';
import { SupervisionTree } from './supervision-tree.tsx';

export function BatchView({ id }: { readonly id: string }) {
  const { call, feed } = usePage();
  const link = useLink();
  const watch = useMemo(() => watchBatch(call, id), [call, id]);
  useEffect(() => watch.stop, [watch]);
  const batch = watch.batch.value;
  const refusal = watch.refusal.value;
  const supervised = watch.supervised.value;
  const away = feed.away.value ? '' : undefined;
  return (
    <section class="batch-view" aria-label="Batch">
      <nav class="crumbs" aria-label="Where you are">
        <a href={link({ view: 'batches' })}>
          <Icon name="back" /> Batches
        </a>
      </nav>
      <header class="batch-head">
        <h1 class="mono">{id}</h1>
        {batch !== undefined && <Acts batch={batch} />}
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached from the keyboard */}
      <section class="batch-body" tabIndex={0} aria-label="What became of it" data-away={away}>
        {refusal !== '' ? (
          <p class="empty" role="alert">
            The node does not tell: {refusal}.
          </p>
        ) : batch === undefined ? (
          <p class="empty quiet">Reading the batch…</p>
        ) : (
          <>
            <Facts batch={batch} />
            {supervised !== undefined && <SupervisionTree batch={supervised} />}
            <BatchGraph watch={watch} batch={batch} />
            <Failures batch={batch} groups={watch.failures.value} />
            <MemberTable batch={batch} />
          </>
        )}
      </section>
    </section>
  );
}

/** Which members of a batch run again: those that did not complete, or those of one group. */
function subjectOf({ id }: Batch, group?: FailureGroup): RerunSubject {
  const wanted = group === undefined ? (['failed', 'timedOut', 'cancelled'] as const) : [group.status];
  const words = group === undefined ? 'that did not complete' : `that ended as ${statusWords[group.status]}`;
  return {
    what: `the members ${words}${group?.code ? ` with ${group.code}` : ''}`,
    request: {
      filter: {
        batchId: id,
        statuses: wanted.map(statusName),
        ...(group?.code && { errorCodes: [`ERROR_CODE_${group.code}`] }),
      },
    },
  };
}

function useMayRerun(): boolean {
  const { may, tenants } = usePage();
  return may('RerunService/RerunExecutions') && !tenants.all;
}

function Acts({ batch }: { readonly batch: Batch }) {
  const { dialogs, may, tenants, call, notices } = usePage();
  const mayRerun = useMayRerun();
  const { failed, timedOut, cancelled } = batch.counts;
  const cancel = () =>
    dialogs.show({
      kind: 'confirm',
      title: 'Cancel this batch?',
      text: [
        `All of its ${countText(batch.members)} members that have not ended are asked to, and end as Cancelled.`,
      ],
      button: 'Cancel batch',
      danger: true,
      field: 'Reason, for the logs (optional)',
      run: async (reason) => {
        await call('BatchService/CancelBatch', { batchId: batch.id, reason });
        notices.say('Asked the batch to end');
      },
    });
  return (
    <div class="batch-acts">
      {!batch.ended && !batch.cancelling && !tenants.all && may('BatchService/CancelBatch') && (
        <button type="button" class="button danger" onClick={cancel}>
          Cancel batch
        </button>
      )}
      {mayRerun && failed + timedOut + cancelled > 0 && (
        <button
          type="button"
          class="button primary"
          onClick={() => dialogs.show({ kind: 'rerunMany', ...subjectOf(batch) })}
        >
          Run again
        </button>
      )}
    </div>
  );
}

function Facts({ batch }: { readonly batch: Batch }) {
  const link = useLink();
  const { createdAt, completedAt, members, layers, counts, taskNames, invocationId, cancelling } = batch;
  return (
    <section class="batch-part" aria-label="Members">
      <p>
        <b>{countText(members)}</b> members of {taskNames.join(', ')}
        {layers > 1 && ` in ${countText(layers)} layers that wait for one another`}
        {invocationId !== '' && <span class="quiet"> {invocationId}</span>}
      </p>
      <p class="quiet">
        Created <span title={instantText(createdAt)}>{<Ago instant={createdAt} />}</span>
        {completedAt === undefined
          ? cancelling
            ? '; it is being cancelled'
            : '; it goes on'
          : `; ended after ${durationText(completedAt - createdAt)}`}
        {batch.cancelsOthers && '; the others are cancelled when one fails'}
      </p>
      <CountBar batch={batch} />
      <p class="batch-links">
        <a href={link({ batch: batch.id })}>All members</a>
        {statuses
          .filter((status) => counts[status] > 0)
          .map((status) => (
            <a key={status} href={link({ batch: batch.id, statuses: [status] })}>
              {countText(counts[status])} {statusWords[status].toLowerCase()}
            </a>
          ))}
      </p>
    </section>
  );
}

function Failures({
  batch,
  groups,
}: {
  readonly batch: Batch;
  readonly groups: readonly FailureGroup[] | undefined;
}) {
  const link = useLink();
  const { dialogs } = usePage();
  const mayRerun = useMayRerun();
  if (groups === undefined) return <p class="quiet">Reading what failed…</p>;
  if (groups.length === 0)
    return <p class="quiet">{batch.ended ? 'Nothing failed.' : 'Nothing failed yet.'}</p>;
  return (
    <section class="batch-part" aria-label="What did not complete">
      <h2>What did not complete</h2>
      <table class="batch-table">
        <thead>
          <tr>
            <th scope="col">Members</th>
            <th scope="col">State</th>
            <th scope="col">Error</th>
            <th scope="col">Such as</th>
            {mayRerun && (
              <th scope="col">
                <span class="hidden">Actions</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {groups.map((group) => {
            const { status, code, count, first } = group;
            const there = link({ batch: batch.id, statuses: [status], code });
            return (
              <tr key={`${status} ${code}`}>
                <td>
                  <a href={there} aria-label={`${countText(count)} members: ${statusWords[status]} ${code}`}>
                    {countText(count)}
                  </a>
                </td>
                <td>
                  <StatusMark state={status} status={status} />
                </td>
                <td class="mono">{code}</td>
                <td class="batch-examples">
                  {first.map(({ id, name, member }) => (
                    <a key={id} href={link({ view: 'batches', batch: batch.id, execution: id })}>
                      #{member} {name}
                    </a>
                  ))}
                </td>
                {mayRerun && (
                  <td class="end">
                    <button
                      type="button"
                      class="button"
                      aria-label={`Run again the ${countText(count)} with ${code || statusWords[status]}`}
                      onClick={() => dialogs.show({ kind: 'rerunMany', ...subjectOf(batch, group) })}
                    >
                      Run again
                    </button>
                  </td>
                )}
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}
