/** A JSON value to look into: opened and closed by pointer or by keys. */
import { useMemo, useRef, useState } from 'preact/hooks';
import type { Json } from '../../wire.ts';
import { visibleRuns } from '../output/visible.ts';
import { type JsonRow, jsonRows } from './json-rows.ts';
import { type Note, noteOf } from './notes.ts';

interface Props {
  readonly value: Json;
  readonly label: string;
  /** How deep it is open at first. */
  readonly depth?: number;
  /** Explains single values, such as instants among numbers. */
  readonly note?: Note | undefined;
}

export function JsonTree({ value, label, depth = 2, note }: Props) {
  const [choices, setChoices] = useState<ReadonlyMap<string, boolean>>(new Map());
  const [pages, setPages] = useState<ReadonlyMap<string, number>>(new Map());
  const [active, setActive] = useState(0);
  const tree = useRef<HTMLDivElement>(null);
  const rows = useMemo(() => jsonRows(value, { choices, depth, pages }), [value, choices, depth, pages]);
  const toggle = (row: JsonRow, open = !row.open): void => {
    if (row.kind === 'more') setPages(new Map(pages).set(row.path, (pages.get(row.path) ?? 1) + 1));
    else if (row.open !== undefined) setChoices(new Map(choices).set(row.path, open));
  };
  const focus = (place: number): void => {
    const next = Math.max(0, Math.min(rows.length - 1, place));
    setActive(next);
    (tree.current?.children[next] as HTMLElement | undefined)?.focus();
  };
  const act = (event: KeyboardEvent): void => {
    const row = rows[active];
    if (row === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const acts: Readonly<Record<string, () => void>> = {
      ArrowDown: () => focus(active + 1),
      j: () => focus(active + 1),
      ArrowUp: () => focus(active - 1),
      k: () => focus(active - 1),
      Home: () => focus(0),
      End: () => focus(rows.length - 1),
      ArrowRight: () => (row.open === false ? toggle(row, true) : focus(active + 1)),
      ArrowLeft: () => (row.open === true ? toggle(row, false) : focus(parentOf(rows, active))),
      Enter: () => toggle(row),
      ' ': () => toggle(row),
    };
    const known = Object.hasOwn(acts, event.key) ? acts[event.key] : undefined;
    if (known === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    known();
  };
  return (
    <div class="json-tree" role="tree" aria-label={label} ref={tree} onKeyDown={act}>
      {rows.map((row, place) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the tree takes the keys
        <div
          key={`${row.path}${row.kind === 'more' ? '+' : ''}`}
          class="json-row"
          role="treeitem"
          aria-level={row.depth + 1}
          aria-expanded={row.open}
          tabIndex={place === Math.min(active, rows.length - 1) ? 0 : -1}
          data-kind={row.kind}
          style={{ paddingLeft: `${8 + row.depth * 16}px` }}
          onFocus={() => setActive(place)}
          onClick={() => toggle(row)}
        >
          <span class="json-arrow" aria-hidden="true">
            {row.open === undefined ? '' : row.open ? '▾' : '▸'}
          </span>
          {row.key !== '' && <span class="json-key">{shown(row.key)}</span>}
          {row.open === true && (row.kind === 'object' || row.kind === 'list') ? (
            <span class="json-value json-faint">{row.kind === 'list' ? row.text : ''}</span>
          ) : (
            <span class="json-value">{shown(row.text)}</span>
          )}
          {note !== undefined && <span class="json-note">{noteOf(note, row)}</span>}
        </div>
      ))}
    </div>
  );
}

function shown(text: string): string {
  return visibleRuns(text, { look: '' }, true, 0)
    .map((run) => run.text)
    .join('');
}

function parentOf(rows: readonly JsonRow[], place: number): number {
  const depth = rows[place]?.depth ?? 0;
  for (let above = place - 1; above >= 0; above -= 1) if ((rows[above]?.depth ?? 0) < depth) return above;
  return place;
}
