/** One execution in the list. Drawn again only when it changes. */

import type { ExecutionRow } from '../model/execution-row.ts';
import { useLink } from '../model/link.ts';
import { instantText, timeText } from '../model/quantity.ts';
import { usePage } from '../shell/page.ts';
import { Icon } from '../theme/icon.tsx';
import { StatusMark } from '../theme/status-mark.tsx';
import { lookOf } from '../theme/tone.ts';
import { memo } from './memo.ts';
import { Ago, Elapsed } from './ticking.tsx';
import './row.css';

interface Props {
  readonly row: ExecutionRow;
  /** Its place in the list, from 0. */
  readonly index: number;
  readonly top: number;
  readonly selected: boolean;
  readonly copied: boolean;
  readonly select: (id: string) => void;
  readonly copy: (id: string) => void;
}

export const Row = memo(function Row({ row, index, top, selected, copied, select, copy }: Props) {
  const link = useLink();
  const { all } = usePage().tenants;
  return (
    <div
      role="row"
      id={`row-${row.id}`}
      class="row"
      aria-rowindex={index + 2}
      aria-selected={selected}
      style={{ transform: `translateY(${top}px)` }}
      onMouseDown={() => select(row.id)}
    >
      <div role="gridcell" class="cell state">
        <StatusMark state={row.state} status={row.status} />
      </div>
      <div role="gridcell" class="cell task">
        <a
          href={link({ execution: row.id })}
          tabIndex={-1}
          title={`${row.taskName} revision ${row.taskRevision}${all ? ` of ${row.tenant}` : ''}`}
        >
          {all && <span class="quiet">{row.tenant}/</span>}
          {row.taskName || row.taskId}
        </a>
      </div>
      <div role="gridcell" class="cell function mono" title={row.functionName}>
        {row.functionName === '' ? <span class="quiet">command</span> : bareName(row.functionName)}
      </div>
      <div role="gridcell" class="cell id mono">
        <span title={row.id}>…{row.id.slice(-8)}</span>
        <button
          type="button"
          class="copy"
          tabIndex={-1}
          aria-label={`Copy ${row.id}`}
          title="Copy the id (c)"
          onClick={() => copy(row.id)}
        >
          <Icon name={copied ? 'done' : 'copy'} size={13} />
        </button>
      </div>
      <div role="gridcell" class="cell attempt">
        <Attempts row={row} />
      </div>
      <div role="gridcell" class="cell created">
        <span title={instantText(row.createdAt)}>
          {timeText(row.createdAt).slice(0, 8)}
          <span class="zone"> UTC</span>
        </span>
        <span class="quiet">
          <Ago instant={row.createdAt} />
        </span>
      </div>
      <div role="gridcell" class="cell duration">
        <Elapsed row={row} />
      </div>
      <div role="gridcell" class="cell error" title={row.errorMessage.slice(0, 1000)}>
        {row.errorCode !== '' && (
          <>
            <span class="code" data-tone={lookOf(row.state, row.status).tone}>
              {row.errorCode}
            </span>
            <span class="quiet">{firstLine(row)}</span>
          </>
        )}
      </div>
    </div>
  );
});

function Attempts({ row }: { readonly row: ExecutionRow }) {
  if (row.attempt === 0) return <span class="quiet">–</span>;
  return (
    <>
      <span class={row.attempt > 1 ? 'many' : 'quiet'} title={`attempt ${row.attempt}`}>
        {row.attempt}
      </span>
      {row.recoveries > 0 && (
        <span class="recovered" title={`${row.recoveries} attempts were lost with their node`}>
          +{row.recoveries} lost
        </span>
      )}
    </>
  );
}

/** `probe:typed/calc@1.0.0#add` is read as `add`. */
function bareName(name: string): string {
  return name.slice(name.lastIndexOf('#') + 1);
}

/** A message may be a book; a row has room for its beginning. */
function firstLine({ errorMessage }: ExecutionRow): string {
  return errorMessage.slice(0, 160).split('\n', 1)[0] ?? '';
}
