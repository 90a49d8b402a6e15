/** One task: what it was, what its name goes to, and moving that. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { type CallOptions, faultText } from '../feed/call.ts';
import { Ago } from '../list/ticking.tsx';
import { useLink } from '../model/link.ts';
import { instantText } from '../model/quantity.ts';
import { type Revisions, revisionsOf, sharesText, type TaskAlias } from '../model/revision.ts';
import { usePage } from '../shell/page.ts';
import { Icon } from '../theme/icon.tsx';
import type { ListRevisionsResponseJson } from '../wire.ts';
import { AliasForm } from './alias-form.tsx';
import { DifferenceView } from './difference-view.tsx';
import { rollbackOf } from './rollback.ts';

/** More than a task keeps, but for those of executions that are kept. */
const pageSize = 1000;

export function TaskView({ task }: { readonly task: string }) {
  const { call, tasks, tenants } = usePage();
  const link = useLink();
  const [known, setKnown] = useState<Revisions>();
  const [fault, setFault] = useState('');
  const [reads, setReads] = useState(0);
  const tenant = tenants.all ? (tasks.value.find(({ id }) => id === task)?.tenant ?? '') : '';
  const within: CallOptions = useMemo(() => ({ tenant }), [tenant]);
  // A registration changes what the page knows of its tasks.
  const registered = tasks.value;
  useEffect(() => {
    let wanted = true;
    call<ListRevisionsResponseJson>('RevisionService/ListRevisions', { task, pageSize }, within)
      .then((answer) => {
        if (!wanted) return;
        setKnown(revisionsOf(answer));
        setFault('');
      })
      .catch((error: unknown) => {
        if (wanted) setFault(faultText(error));
      });
    return () => {
      wanted = false;
    };
  }, [call, task, within, reads, registered]);
  const readAgain = () => setReads((count) => count + 1);
  return (
    <section class="batch-view" aria-label="Task">
      <nav class="crumbs" aria-label="Where you are">
        <a href={link({ view: 'tasks' })}>
          <Icon name="back" /> Tasks
        </a>
      </nav>
      <header class="batch-head">
        <h1>{known?.taskName ?? task}</h1>
        <div class="batch-acts">
          <a href={link({ task })}>Its executions</a>
          <button type="button" class="button" onClick={readAgain}>
            Read again
          </button>
        </div>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached from the keyboard */}
      <section class="batch-body" tabIndex={0} aria-label="Revisions and aliases">
        {fault !== '' && (
          <p class="empty" role="alert">
            The node does not tell: {fault}.
          </p>
        )}
        {known === undefined && fault === '' && <p class="empty quiet">Reading its revisions…</p>}
        {known !== undefined && (
          <>
            <Aliases known={known} within={within} readAgain={readAgain} />
            <RevisionTable known={known} />
            {known.revisions.length > 1 && <DifferenceView known={known} within={within} />}
          </>
        )}
      </section>
    </section>
  );
}

interface AliasesProps {
  readonly known: Revisions;
  readonly within: CallOptions;
  readonly readAgain: () => void;
}

function Aliases({ known, within, readAgain }: AliasesProps) {
  const { call, dialogs, may, notices } = usePage();
  const roll = (alias: TaskAlias | undefined) =>
    dialogs.show(rollbackOf(known, alias, { call, within, notices, readAgain }));
  const mayRoll = may('RevisionService/RollbackAlias');
  const { aliases, revisions } = known;
  const hasLive = aliases.some(({ name }) => name === 'live');
  return (
    <section class="batch-part" aria-label="Aliases">
      <h2>Aliases</h2>
      {!hasLive && (
        <p>
          Calls by the plain name go to the newest revision: there is no alias <code>live</code>.{' '}
          {mayRoll && revisions.length > 1 && (
            <button type="button" class="button" onClick={() => roll(undefined)}>
              Roll back
            </button>
          )}
        </p>
      )}
      {aliases.map((alias) => (
        <p key={alias.name} class="batch-links">
          <span>
            <b class="mono">{alias.name}</b> = <span class="mono">{sharesText(alias.shares)}</span>
          </span>
          <Moved alias={alias} />
          {mayRoll && (
            <button
              type="button"
              class="button"
              aria-label={`Roll back ${alias.name}`}
              onClick={() => roll(alias)}
            >
              Roll back
            </button>
          )}
        </p>
      ))}
      {may('RevisionService/SetAlias') && <AliasForm known={known} within={within} readAgain={readAgain} />}
    </section>
  );
}

function Moved({ alias: { version, moves } }: { readonly alias: TaskAlias }) {
  const [last] = moves;
  return (
    <span class="quiet">
      version {version}
      {last !== undefined && `, by ${last.by} `}
      {last?.at !== undefined && <Ago instant={last.at} />}
    </span>
  );
}

function RevisionTable({ known: { revisions, aliases } }: { readonly known: Revisions }) {
  return (
    <section class="batch-part" aria-label="Revisions">
      <h2>Revisions</h2>
      <table class="batch-table">
        <thead>
          <tr>
            <th scope="col">Revision</th>
            <th scope="col">Calls</th>
            <th scope="col">Aliases</th>
            <th scope="col">Registered</th>
            <th scope="col">What it changed</th>
          </tr>
        </thead>
        <tbody>
          {revisions.map(({ revision, percent, registeredAt, changed }) => (
            <tr key={revision}>
              <td>{revision}</td>
              <td>{percent === 0 ? '' : `${percent} %`}</td>
              <td class="mono">
                {aliases
                  .filter(({ shares }) => shares.some((share) => share.revision === revision))
                  .map(({ name }) => name)
                  .join(', ')}
              </td>
              <td title={registeredAt === undefined ? undefined : instantText(registeredAt)}>
                {registeredAt !== undefined && <Ago instant={registeredAt} />}
              </td>
              <td class="mono">{changed.join(', ')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
