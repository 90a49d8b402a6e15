/** The nodes that share the store of this one; nothing where it is alone. */
import { useEffect, useMemo } from 'preact/hooks';
import { askAgain } from '../feed/asking.ts';
import type { Call } from '../feed/call.ts';
import { Ago } from '../list/ticking.tsx';
import { countText } from '../model/quantity.ts';
import { instantOf } from '../model/scalar.ts';
import { usePage } from '../shell/page.ts';
import { StatusMark } from '../theme/status-mark.tsx';
import type { ClusterNodeJson, ListNodesResponseJson } from '../wire.ts';

/** A node renews what it tells the others about as often. */
const everyMs = 900;

const watchNodes = (call: Call) =>
  askAgain(everyMs, async (_before: readonly ClusterNodeJson[] | undefined, signal) => {
    const { nodes } = await call<ListNodesResponseJson>('ClusterService/ListNodes', {}, { signal });
    return nodes;
  });

export function ClusterNodes() {
  const { call } = usePage();
  const watch = useMemo(() => watchNodes(call), [call]);
  useEffect(() => watch.stop, [watch]);
  const nodes = watch.known.value;
  if (nodes === undefined || nodes.length < 2) return null;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached from the keyboard
    <section class="cluster-nodes" tabIndex={0} aria-label="Nodes of the cluster">
      <table class="lined">
        <caption class="hidden">Nodes of the cluster</caption>
        <thead>
          <tr>
            <th scope="col">Node</th>
            <th scope="col">State</th>
            <th scope="col">Running</th>
            <th scope="col">Pending</th>
            <th scope="col">Started</th>
            <th scope="col">Version</th>
            <th scope="col">Address</th>
            <th scope="col">Labels</th>
          </tr>
        </thead>
        <tbody>
          {nodes.map((node) => (
            <NodeLine key={node.incarnation} node={node} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function NodeLine({ node }: { readonly node: ClusterNodeJson }) {
  const { name, self, alive, state, cordoned, running, pending, slots, storeFault } = node;
  const startedAt = instantOf(node.startedAt);
  return (
    <tr>
      <th scope="row">
        {name} {self && <span class="badge">this one</span>}
      </th>
      <td>
        {alive ? <StatusMark state={state} /> : <StatusMark state="unknown" word="Not heard of" />}{' '}
        {cordoned && <span class="badge warn">cordoned</span>}
        {storeFault !== '' && <p class="quiet">{storeFault}</p>}
      </td>
      <td>
        {running === undefined ? '' : `${countText(running)} / `}
        <span class="quiet">{countText(slots)}</span>
      </td>
      <td>{pending !== undefined && countText(pending)}</td>
      <td>{startedAt !== undefined && <Ago instant={startedAt} />}</td>
      <td>{node.version}</td>
      <td class="mono">{node.grpcAddress}</td>
      <td class="mono">
        {Object.entries(node.labels)
          .map(([label, value]) => `${label}=${value}`)
          .join(' ')}
      </td>
    </tr>
  );
}
