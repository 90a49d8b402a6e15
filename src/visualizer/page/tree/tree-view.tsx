/** The node and all that lives in it. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { useKeys } from '../keyboard/keys.ts';
import { usePage } from '../shell/page.ts';
import { ActorTable } from './actor-table.tsx';
import { ActorTree } from './actor-tree.tsx';
import { watchTree } from './tree-model.ts';
import './tree.css';

export function TreeView() {
  const page = usePage();
  const [asTable, setAsTable] = useState(false);
  const model = useMemo(() => watchTree(page), [page]);
  useEffect(() => model.stop, [model]);
  useKeys('Tree', [{ key: 'v', help: 'As a tree or a table', act: () => setAsTable(!asTable) }]);
  const root = model.tree.value;
  return (
    <section class="tree-view" aria-label="Tree of the node">
      <header class="tree-head">
        <h1>What lives in the node</h1>
        <fieldset class="switch">
          <legend class="hidden">Shown as</legend>
          <button type="button" aria-pressed={!asTable} onClick={() => setAsTable(false)}>
            Tree
          </button>
          <button type="button" aria-pressed={asTable} onClick={() => setAsTable(true)}>
            Table
          </button>
        </fieldset>
      </header>
      {root === undefined ? (
        <p class="empty quiet">Waiting for the node…</p>
      ) : asTable ? (
        <ActorTable root={root} />
      ) : (
        <ActorTree root={root} />
      )}
    </section>
  );
}
