/** A supervisor over its members, in their order, as it restarts and stops them. */
import { useLink } from '../model/link.ts';
import { countText } from '../model/quantity.ts';
import type { SupervisedBatch, SupervisedMember } from '../model/supervised-batch.ts';
import { StatusMark } from '../theme/status-mark.tsx';
import './supervision-tree.css';

/** What each strategy does when a member is to begin again. */
const strategyWords: Readonly<Record<string, string>> = {
  'one for one': 'it begins again alone',
  'one for all': 'all are stopped, the last first, and begin again',
  'rest for one': 'it and those behind it are stopped, the last first, and begin again',
};

export function SupervisionTree({ batch }: { readonly batch: SupervisedBatch }) {
  const { phase, strategy, recentRestarts, intensity, within, restarts, endMessage, members } = batch;
  return (
    <section class="batch-part" aria-label="Supervision">
      <h2>Supervision</h2>
      <ul class="supervision">
        <li>
          <span class="supervision-line">
            <StatusMark state={phase} />
            <b>supervisor</b>
            <span>{strategy}</span>
            <span class="quiet">
              {countText(recentRestarts)} of {countText(intensity)} restarts within {within}
            </span>
            <Restarts count={restarts} />
          </span>
          <p class="quiet">
            {endMessage !== ''
              ? `It ends: ${endMessage}.`
              : `When one is to begin again, ${strategyWords[strategy] ?? ''}.`}
          </p>
          <ul>
            {members.map((member, place) => (
              <Member key={place} member={member} batchId={batch.id} />
            ))}
          </ul>
        </li>
      </ul>
    </section>
  );
}

function Member({ member, batchId }: { readonly member: SupervisedMember; readonly batchId: string }) {
  const link = useLink();
  const { name, executionId, taskName, status, restart, restarts } = member;
  return (
    <li>
      <span class="supervision-line">
        {status !== undefined && <StatusMark state={status} status={status} />}
        <a href={link({ view: 'batches', batch: batchId, execution: executionId })}>{name}</a>
        <span>{taskName}</span>
        <span class="quiet">{restart}</span>
        <Restarts count={restarts} />
      </span>
    </li>
  );
}

function Restarts({ count }: { readonly count: number }) {
  if (count === 0) return null;
  return (
    <span class="badge warn">
      {countText(count)} {count === 1 ? 'restart' : 'restarts'}
    </span>
  );
}
