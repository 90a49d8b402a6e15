/** The nodes that share a store, as each tells of itself with its renewals, and what is asked of them. */
import type { Cluster, ClusterNode, Ordered, OrderedNode } from '../domain/cluster.ts';
import { invalidArgument, notFound, quote, RequestError } from '../domain/errors.ts';
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
  /** See Cluster; rejects with StoreError. */
  unowned(): Promise<number | undefined>;
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

  unowned(): Promise<number | undefined> {
    return this.#parts.unowned().catch(() => undefined);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async order(
    name: string,
    order: Parameters<Cluster['order']>[1],
    by: string,
    to?: string,
  ): Promise<Ordered> {
    const found = this.#find(name);
    if (found === undefined) throw notFound('node', name);
    const { membership, links } = this.#parts;
    const heir = to === undefined ? 0 : this.#heir(found, to).incarnation;
    if (found.incarnation === membership.incarnation) {
      const changed = await this.obey(order, by, heir);
      return { changed, node: this.#node(found) };
    }
    try {
      if (links === undefined) throw new LinkBroken('there are no links');
      const changed = await links.order(found, order, by, heir);
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

  async obey(order: Parameters<OrderedNode['obey']>[0], by: string, heir = 0): Promise<boolean> {
    const { cordon, drain, logger, membership } = this.#parts;
    // Before anything of it is let go of.
    if (heir > 0 && !(await membership.nameHeir(heir))) throw unfit(this.#nameOf(heir), 'is gone');
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

  /** The node that is to have what `drained` has. Throws a RequestError where it is not fit for it. */
  #heir(drained: Peer, to: string): Peer {
    const found = this.#find(to);
    if (found === undefined) throw notFound('node', to);
    if (found.nodeId === drained.nodeId) {
      const others = this.nodes().flatMap(({ nodeId, name }) => (nodeId === drained.nodeId ? [] : [name]));
      const allowed =
        others.length === 0 ? 'there is no other' : `allowed are ${others.map(quote).join(', ')}`;
      throw invalidArgument('to', `${quote(to)} is the node that is drained; ${allowed}`);
    }
    const why = whyUnfit(this.#node(found));
    if (why !== undefined) throw unfit(found.name, why);
    return found;
  }

  #nameOf(run: number): string {
    const found = this.#parts.membership.peers().find(({ incarnation }) => incarnation === run);
    return found?.name ?? `of run ${run}`;
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

/** Why a node can have nothing of another one now. */
function whyUnfit({ alive, state, cordoned, storeFault }: ClusterNode): string | undefined {
  if (!alive) return 'is silent: its lease is over';
  if (cordoned) return 'is cordoned';
  if (state !== 'serving') return `is ${state}`;
  return storeFault === '' ? undefined : `is not well: ${storeFault}`;
}

function unfit(name: string, why: string): RequestError {
  return new RequestError(
    'failed_precondition',
    `the node ${quote(name)} cannot have what another one has: it ${why}; allowed is one that serves and is not cordoned`,
    { reason: 'NODE_NOT_FIT', metadata: { node: name } },
  );
}
