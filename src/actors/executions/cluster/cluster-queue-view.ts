/** The queue of the whole cluster, asked of all its nodes: what each has, and what nobody owns of the one that gives it away. */
import type { Clock } from '../../../domain/clock.ts';
import type { Links } from '../../../domain/links.ts';
import { mergedQueue } from '../../../domain/queue-merge.ts';
import type { NodeQueue, QueueView, QueueViews } from '../../../domain/queue-view.ts';
import type { Scope } from '../../../domain/scope.ts';
import type { Membership } from '../../../stores/membership.ts';

export interface ClusterQueueHost {
  readonly clock: Clock;
  readonly membership: Pick<Membership, 'peers' | 'incarnation'>;
  /** Undefined where the node is alone for good. */
  readonly links: Links | undefined;
  /** What this node knows. Throws permission_denied. */
  here(scope: Scope, mostLines: number | undefined): NodeQueue;
}

/** See QueueViews. */
const mostLines = 1000;
/** Whoever looks does not wait for a node that says nothing for longer, in milliseconds. */
const patienceMs = 1500;

export class ClusterQueueView implements QueueViews {
  readonly #host: ClusterQueueHost;

  constructor(host: ClusterQueueHost) {
    this.#host = host;
  }

  async view(scope: Scope, most = mostLines): Promise<QueueView> {
    const { membership, links, clock } = this.#host;
    const own = this.#host.here(scope, most);
    const others = membership.peers().filter(({ incarnation }) => incarnation !== membership.incarnation);
    if (links === undefined || others.length === 0) {
      if (own.unowned === undefined) return own.here;
      return mergedQueue([{ name: '', queue: own }], Math.min(most, mostLines), Math.round(clock.now()));
    }
    const answers = await Promise.all(
      others.map(async (peer) => ({
        name: peer.name,
        queue: peer.address === '' ? undefined : await this.#within(links.queue(peer, scope, most)),
      })),
    );
    const all = [{ name: links.name, queue: own }, ...answers];
    return mergedQueue(all, Math.min(most, mostLines), own.here.time);
  }

  #within(answer: Promise<NodeQueue>): Promise<NodeQueue | undefined> {
    return new Promise((resolve) => {
      const timer = this.#host.clock.setTimer(patienceMs, () => resolve(undefined));
      const settle = (queue: NodeQueue | undefined): void => {
        timer.cancel();
        resolve(queue);
      };
      // Whatever it refuses, its part is missing.
      answer.then(settle, () => settle(undefined));
    });
  }
}
