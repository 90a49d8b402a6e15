/** What an execution waits for, and what waits for it. */
import { useEffect, useState } from 'preact/hooks';
import { after } from '../../clock.ts';
import type { ExecutionRow } from '../../model/execution-row.ts';
import type { ExecutionSource } from '../../model/execution-source.ts';
import { useLink } from '../../model/link.ts';
import { countText } from '../../model/quantity.ts';
import type { Relation, Relations } from '../../model/relation.ts';
import { isEnded } from '../../model/status.ts';
import { StatusMark } from '../../theme/status-mark.tsx';
import './relations.css';

/** The others change without an event of this one. */
const askAgainMs = 2000;
/** Of each side, until the reader wants all. */
const shownFirst = 10;

interface Props {
  readonly source: ExecutionSource;
  readonly row: ExecutionRow | undefined;
  readonly growing: boolean;
}

export function RelationsCard({ source, row, growing }: Props) {
  const link = useLink();
  const [told, setTold] = useState<Relations | undefined>(undefined);
  useEffect(() => {
    let wanted = true;
    let callOff = (): void => {};
    const again = (): void => {
      callOff = after(askAgainMs, ask);
    };
    const ask = (): void => {
      source.relations?.().then(
        (next) => {
          if (!wanted) return;
          setTold(next);
          const goesOn = [...next.dependencies, ...next.dependants].some(isOpen);
          if (growing || goesOn) again();
        },
        // It is gone or the node is away, which the page says elsewhere.
        () => wanted && again(),
      );
    };
    ask();
    return () => {
      wanted = false;
      callOff();
    };
  }, [source, growing]);
  if (told === undefined || told.dependencies.length + told.dependants.length === 0) return null;
  const blocked = row?.state === 'pending.blocked';
  const holding = told.dependencies.filter(isOpen).length;
  return (
    <section class="panel relations" aria-label="Before and after it">
      {row !== undefined && row.batchId !== '' && (
        <p>
          Member of{' '}
          <a class="mono" href={link({ view: 'batches', batch: row.batchId })}>
            {row.batchId}
          </a>
        </p>
      )}
      <Side
        title={
          blocked ? `Waits for ${countText(holding)} of ${countText(told.dependencies.length)}` : 'Follows'
        }
        relations={blocked ? holdingFirst(told.dependencies) : told.dependencies}
        blocked={blocked}
      />
      <Side title="Followed by" relations={told.dependants} />
      {told.moreDependants && (
        <p class="quiet">There may be more that follow it: the node tells the first 100.</p>
      )}
    </section>
  );
}

/** It has not ended: what follows it waits. */
function isOpen({ state, status }: Relation): boolean {
  return state !== '' && !isEnded(status);
}

function holdingFirst(relations: readonly Relation[]): readonly Relation[] {
  return [...relations.filter(isOpen), ...relations.filter((each) => !isOpen(each))];
}

interface SideProps {
  readonly title: string;
  readonly relations: readonly Relation[];
  readonly blocked?: boolean;
}

function Side({ title, relations, blocked = false }: SideProps) {
  const [all, setAll] = useState(false);
  const link = useLink();
  if (relations.length === 0) return null;
  const shown = all ? relations : relations.slice(0, shownFirst);
  return (
    <div>
      <h2>{title}</h2>
      <ul>
        {shown.map((relation) => (
          <li key={relation.id} class="relation">
            <a href={link({ execution: relation.id })}>
              {relation.task} <span class="mono">{relation.id}</span>
            </a>
            {relation.state === '' ? (
              <span class="quiet">deleted</span>
            ) : (
              <StatusMark state={relation.state} status={relation.status} />
            )}
            <span class="quiet">{relation.terms}</span>
            {blocked && isOpen(relation) && <span class="badge">holds it</span>}
          </li>
        ))}
      </ul>
      {shown.length < relations.length && (
        <button type="button" class="button plain" onClick={() => setAll(true)}>
          Show all {countText(relations.length)}
        </button>
      )}
    </div>
  );
}
