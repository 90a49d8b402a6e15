/** The nodes that share a store, as each tells of itself with its renewals, and what is asked of them. */
import type { Cluster, ClusterNode, Ordered, OrderedNode } from '../domain/cluster.ts';
import { notFound, RequestError } from '../domain/errors.ts';
import { LinkBroken, type Links } from '../domain/links.ts';
import type { Membership, Peer } from '../stores/membership.ts';
import type { Logger } from '../telemetry/logger.ts';
import { packageVersion } from '../version.ts';
import type { Cordon } from './cordon.ts';

interface Parts {
  readonly membership: Membership;
  /** Absent where no other node shares the store. */
  readonly links: Links | undefined;
  readonly cordon: Cordon;
  readonly startedAt: number;
  readonly logger: Logger;
  load(): { readonly running: number; readonly pending: number };
  state(): string;
  storeFault(): string;
  /** Where callers reach this node; empty before it listens. */
  addresses(): { readonly grpcAddress: string; readonly httpAddress: string };
  /** It is to give everything to the others and to begin anew. */
  drain(): void;
}

/** What a node tells of itself, from renewal to renewal. */
type Told = Pick<
  ClusterNode,
  | 'state'
  | 'cordoned'
  | 'version'
  | 'startedAt'
  | 'grpcAddress'
  | 'httpAddress'
  | 'running'
  | 'pending'
  | 'storeFault'
>;

export class ClusterNodes implements Cluster, OrderedNode {
  readonly #parts: Parts;
  readonly #listeners = new Set<() => void>();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#tell();
  }

  /** Tells of this node with each renewal, until the returned function is called. */
  keep(): () => void {
    return this.#parts.membership.onChange(() => this.#changed());
  }

  nodes(): readonly ClusterNode[] {
    return this.#parts.membership
      .peers()
      .map((peer) => this.#node(peer))
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async order(name: string, order: Parameters<Cluster['order']>[1], by: string): Promise<Ordered> {
    const found = this.#find(name);
    if (found === undefined) throw notFound('node', name);
    const { membership, links } = this.#parts;
    if (found.incarnation === membership.incarnation) {
      const changed = await this.obey(order, by);
      return { changed, node: this.#node(found) };
    }
    try {
      if (links === undefined) throw new LinkBroken('there are no links');
      const changed = await links.order(found, order, by);
      const node = this.#node(this.#find(name) ?? found);
      // It tells of it itself with its next renewal.
      return { changed, node: { ...node, cordoned: order !== 'uncordon' } };
    } catch (error) {
      if (!(error instanceof LinkBroken)) throw error;
      throw new RequestError('unavailable', `the node ${found.name} does not answer over its link`, {
        reason: 'NODE_UNREACHABLE',
        retryAfterMs: 1000,
        metadata: { node: found.name },
        cause: error,
      });
    }
  }

  async obey(order: Parameters<OrderedNode['obey']>[0], by: string): Promise<boolean> {
    const { cordon, drain, logger } = this.#parts;
    const changed = await cordon.set(order !== 'uncordon', by);
    if (changed || order === 'drain') logger.info({ by, order }, 'the node was told so');
    this.#changed();
    if (order !== 'drain') return changed;
    drain();
    return true;
  }

  #changed(): void {
    this.#tell();
    for (const listener of this.#listeners) listener();
  }

  #tell(): void {
    this.#parts.membership.tell({ ...this.#told() });
  }

  #told(): Told {
    const { load, state, storeFault, addresses, cordon, startedAt } = this.#parts;
    const { running, pending } = load();
    return {
      ...{ state: state(), cordoned: cordon.isCordoned, version: packageVersion(), startedAt },
      ...{ ...addresses(), running, pending, storeFault: storeFault() },
    };
  }

  /** By name or id; of several runs of one node the last. */
  #find(name: string): Peer | undefined {
    return this.#parts.membership
      .peers()
      .filter((peer) => peer.name === name || peer.nodeId === name)
      .sort((one, other) => other.incarnation - one.incarnation)[0];
  }

  #node({ nodeId, name, incarnation, alive, labels, address, capacity, load }: Peer): ClusterNode {
    const self = incarnation === this.#parts.membership.incarnation;
    const told = self ? this.#told() : (load as Partial<Told>);
    return {
      ...{ nodeId, name, incarnation, self, alive, labels, clusterAddress: address },
      slots: Number(capacity.slots ?? 0),
      state: told.state ?? 'starting',
      cordoned: told.cordoned ?? false,
      version: told.version ?? '',
      startedAt: told.startedAt ?? 0,
      grpcAddress: told.grpcAddress ?? '',
      httpAddress: told.httpAddress ?? '',
      running: told.running ?? 0,
      pending: told.pending ?? 0,
      storeFault: told.storeFault ?? '',
    };
  }
}
