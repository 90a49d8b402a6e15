/** The node and all that lives in it. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { Strip } from '../activity/activity-strip.tsx';
import { watchActivity } from '../activity/activity-watch.ts';
import { useKeys } from '../keyboard/keys.ts';
import { usePage } from '../shell/page.ts';
import { ActorTable } from './actor-table.tsx';
import { ActorTree } from './actor-tree.tsx';
import { ClusterNodes } from './cluster-nodes.tsx';
import { watchTree } from './tree-model.ts';
import './tree.css';

export function TreeView() {
  const page = usePage();
  const [asTable, setAsTable] = useState(false);
  const model = useMemo(() => watchTree(page), [page]);
  useEffect(() => model.stop, [model]);
  const { call, tenants } = page;
  const activity = useMemo(() => watchActivity(call, tenants.all, true), [call, tenants]);
  useEffect(() => activity.stop, [activity]);
  const recent = activity.recent.value;
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
      {recent === undefined ? <div class="activity" /> : <Strip recent={recent} />}
      <ClusterNodes />
      {root === undefined ? (
        <p class="empty quiet">Waiting for the node…</p>
      ) : asTable ? (
        <ActorTable root={root} />
      ) : (
        <ActorTree root={root} recent={recent} />
      )}
    </section>
  );
}
