/** What the metrics of a node say of the cluster. */
import type { Clock } from '../domain/clock.ts';
import type { Cluster } from '../domain/cluster.ts';
import type { Links } from '../domain/links.ts';
import type { ClusterQueue } from '../stores/cluster-queue.ts';
import type { Membership } from '../stores/membership.ts';
import type { ClusterSource } from '../telemetry/metrics/cluster-metrics.ts';
import { dispatching, duties } from './cluster.ts';

interface Parts {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly membership: Membership;
  readonly queue: ClusterQueue;
  /** Absent where the node has no way to the others. */
  readonly links: Links | undefined;
  readonly nodes: () => Pick<Cluster, 'nodes'>;
  readonly takenOver: () => number;
}

/** Who scrapes waits so long for a node that does not answer, in milliseconds. */
const answerMs = 1000;
/** More of those that wait are not counted. */
export const mostCounted = 100_000;

export function clusterSource({ clock, membership, queue, links, nodes, takenOver }: Parts): ClusterSource {
  const isMine = (duty: string): boolean => membership.lease(duty).epoch !== undefined && membership.mayAct();
  return {
    incarnation: membership.incarnation,
    nodes: () => nodes().nodes(),
    leaseAgeMs: () => Math.max(0, clock.monotonic() - membership.renewedAt()),
    failedRenewals: () => membership.counts.failedRenewals,
    fenced: () => membership.counts.fenced,
    takenOver,
    duties: () => duties.map((duty) => [duty, isMine(duty)] as const),
    queue: () => queue.counts,
    unowned: async () => (isMine(dispatching) ? queue.count(mostCounted) : undefined),
    async links() {
      const others = membership
        .peers()
        .filter(({ incarnation, address }) => incarnation !== membership.incarnation && address !== '');
      if (links === undefined) return new Map();
      const answers = others.map(async (peer) => [peer.name, await links.answers(peer, answerMs)] as const);
      return new Map(await Promise.all(answers));
    },
  };
}
