/** One line of the queue: those of a tenant with the same priority and fairness key. */
import { Ago } from '../list/ticking.tsx';
import { useLink } from '../model/link.ts';
import { countText } from '../model/quantity.ts';
import type { QueueClass, QueueLine } from '../model/queue.ts';

export function LineCard({ line, allTenants }: { readonly line: QueueLine; readonly allTenants: boolean }) {
  const { tenant, priority, fairnessKey, running, waiting, held, shareUsed, shareDue } = line;
  const name = fairnessKey === '' ? 'no fairness key' : fairnessKey;
  return (
    <article class="queue-line" aria-label={`${allTenants ? `${tenant}, ` : ''}${priority}, ${name}`}>
      <header>
        <h2>
          {allTenants && <span class="queue-tenant">{tenant}</span>}
          <span class="queue-priority" data-priority={priority}>
            {priority}
          </span>
          <span class={fairnessKey === '' ? 'quiet' : 'mono queue-key'} title={fairnessKey}>
            {name}
          </span>
        </h2>
        <dl class="queue-facts">
          <Fact name="Waiting" value={countText(waiting)} />
          <Fact name="Held" value={countText(held)} />
          <Fact name="Running" value={countText(running)} />
          <div class="queue-share">
            <dt>Share had</dt>
            <dd>
              <ShareBar used={shareUsed} due={shareDue} />
              {percent(shareUsed)} <span class="quiet">of {percent(shareDue)} due</span>
            </dd>
          </div>
        </dl>
      </header>
      {line.classes.length > 0 && (
        <ul class="queue-classes">
          {line.classes.map((each) => (
            <ClassRow key={each.key} of={each} />
          ))}
          {line.otherClasses > 0 && (
            <li class="quiet">
              And those of{' '}
              {line.otherClasses === 1 ? 'one more key' : `${countText(line.otherClasses)} more keys`}.
            </li>
          )}
        </ul>
      )}
    </article>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** What it had, and a mark at what is due to it. */
function ShareBar({ used, due }: { readonly used: number; readonly due: number }) {
  return (
    <svg width="60" height="10" viewBox="0 0 60 10" aria-hidden="true">
      <rect class="gauge-ground" y="2" width="60" height="6" rx="3" />
      {used > 0 && <rect class="gauge-bar" y="2" width={Math.max(3, 60 * used)} height="6" rx="3" />}
      {due > 0 && <rect class="queue-due" x={Math.min(58, 60 * due)} width="2" height="10" />}
    </svg>
  );
}

function ClassRow({ of }: { readonly of: QueueClass }) {
  const { waiting, kind, since, summary, freedBy, heldBy, next, nextSince } = of;
  return (
    <li class="queue-class" data-tone={kind === undefined ? 'pending' : 'held'}>
      <p class="queue-count">
        <b>{countText(waiting)}</b> waiting
      </p>
      <div>
        <p class="queue-hold">
          {kind !== undefined && <span class="badge queue-kind">{kind}</span>} {summary}
          {since !== undefined && (
            <span class="quiet">
              {' '}
              (closed <Ago instant={since} />)
            </span>
          )}
        </p>
        <p class="quiet">{freedBy}</p>
        {heldBy.length > 0 && (
          <p class="queue-ids">
            <span class="quiet">held by</span> <Ids ids={heldBy} />
          </p>
        )}
        {next !== '' && (
          <p class="queue-ids">
            <span class="quiet">first is</span> <Ids ids={[next]} />
            {nextSince !== undefined && (
              <span class="quiet">
                came <Ago instant={nextSince} />
              </span>
            )}
          </p>
        )}
      </div>
    </li>
  );
}

function Ids({ ids }: { readonly ids: readonly string[] }) {
  const link = useLink();
  return (
    <>
      {ids.map((id) => (
        <a key={id} class="mono" href={link({ view: 'queue', execution: id })}>
          {id}
        </a>
      ))}
    </>
  );
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
