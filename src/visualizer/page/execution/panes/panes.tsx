/** The panes beside the chart, one at a time. */

import { useRef, useState } from 'preact/hooks';
import { useKeys } from '../../keyboard/keys.ts';
import type { ExecutionRow } from '../../model/execution-row.ts';
import type { ExecutionSource } from '../../model/execution-source.ts';
import type { LogState } from '../log/log-state.ts';
import { ContextPane } from './context-pane.tsx';
import { InputPane } from './input-pane.tsx';
import { ResultPane } from './result-pane.tsx';
import { RunPane } from './run-pane.tsx';
import { TaskPane } from './task-pane.tsx';
import './panes.css';

const names = ['Context', 'Input', 'Result', 'Run', 'Task'] as const;
type Name = (typeof names)[number];

interface Props {
  readonly source: ExecutionSource;
  readonly row: ExecutionRow | undefined;
  readonly logState: LogState;
  readonly admitted: number;
  /** The reader travelled to an event before the last one. */
  readonly early: boolean;
}

export function Panes({ source, row, logState, admitted, early }: Props) {
  const [open, setOpen] = useState<Name>('Context');
  const tabs = useRef<HTMLDivElement>(null);
  useKeys('Details, in focus', [
    { key: 'ArrowLeft', help: 'Pane before' },
    { key: 'ArrowRight', help: 'Next pane' },
  ]);
  const move = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    event.stopPropagation();
    const place = (names.indexOf(open) + step + names.length) % names.length;
    setOpen(names[place] ?? 'Context');
    (tabs.current?.children[place] as HTMLElement | undefined)?.focus();
  };
  return (
    <section class="panel panes" aria-label="Details">
      <div class="pane-tabs" role="tablist" aria-label="Details" ref={tabs} onKeyDown={move}>
        {names.map((name) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`tab-${name}`}
            aria-selected={open === name}
            aria-controls="pane"
            tabIndex={open === name ? 0 : -1}
            onClick={() => setOpen(name)}
          >
            {name}
          </button>
        ))}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by key */}
      <div class="pane-body" id="pane" role="tabpanel" aria-labelledby={`tab-${open}`} tabIndex={0}>
        {open === 'Context' && <ContextPane logState={logState} admitted={admitted} />}
        {open === 'Input' && <InputPane source={source} />}
        {row !== undefined && open === 'Result' && <ResultPane row={row} early={early} />}
        {row !== undefined && open === 'Run' && <RunPane row={row} context={logState.context} />}
        {row !== undefined && open === 'Task' && <TaskPane source={source} row={row} />}
      </div>
    </section>
  );
}
