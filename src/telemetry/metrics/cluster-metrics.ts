import { Counter, Gauge, type OpenMetricsContentType, type Registry } from 'prom-client';

/** What a node is called, of itself and among others. */
export interface NodeNames {
  readonly node: string;
  /** The same after a restart on the same data folder. */
  readonly nodeId: string;
}

export interface MeasuredPeer {
  readonly name: string;
  readonly self: boolean;
  readonly alive: boolean;
  readonly cordoned: boolean;
  /** The node chart's state. */
  readonly state: string;
}

/** The cluster as a node sees it. Counts are those since its start. */
export interface ClusterSource {
  readonly incarnation: number;
  nodes(): readonly MeasuredPeer[];
  /** Since when its lease is not renewed, in milliseconds. */
  leaseAgeMs(): number;
  failedRenewals(): number;
  /** Runs of other nodes from which this one has taken the right to write. */
  fenced(): number;
  /** Executions of others that it has taken up. */
  takenOver(): number;
  /** What one node does for all, and whether it is this one. */
  duties(): Iterable<readonly [duty: string, isMine: boolean]>;
  /** Executions that it has left to whoever has a slot, and that it has given to nodes. */
  queue(): { readonly released: number; readonly given: number };
  /** Those that wait for a node; undefined where another node gives them away. Rejects where the store cannot be read. */
  unowned(): Promise<number | undefined>;
  /** Whether the others answer over their links, by name; those that have none are not in it. */
  links(): Promise<ReadonlyMap<string, boolean>>;
}

type Registers = Registry<OpenMetricsContentType>[];

/** By what the samples of one node are told from those of another, whatever scrapes them. */
export function addNodeInfo(registers: Registers, { node, nodeId }: NodeNames): void {
  new Gauge({
    name: 'spear_node_info',
    help: 'Always 1; what the node is called, and its id, which are the same after a restart.',
    ...{ labelNames: ['node', 'node_id'], registers },
  }).set({ node, node_id: nodeId }, 1);
}

const states = ['serving', 'cordoned', 'starting', 'draining', 'silent'] as const;

function stateOf({ alive, cordoned, state }: MeasuredPeer): (typeof states)[number] {
  if (!alive) return 'silent';
  if (state === 'serving') return cordoned ? 'cordoned' : 'serving';
  return state === 'draining' || state === 'stopped' ? 'draining' : 'starting';
}

export function addClusterMetrics(registers: Registers, source: ClusterSource): void {
  const gauge = (name: string, help: string, value: () => number): void => {
    new Gauge({
      ...{ name, help, registers },
      collect() {
        this.set(value());
      },
    });
  };
  const total = (name: string, help: string, value: () => number): void => {
    new Counter({
      ...{ name, help, registers },
      collect() {
        this.reset();
        this.inc(value());
      },
    });
  };
  gauge(
    'spear_cluster_incarnation',
    'The number of this run of the node, which no other run of any node has.',
    () => source.incarnation,
  );
  new Gauge({
    name: 'spear_cluster_nodes',
    help: 'Nodes that may write, this one among them, as this one sees them; the leases of silent ones are over.',
    ...{ labelNames: ['state'], registers },
    collect() {
      for (const state of states) this.set({ state }, 0);
      for (const node of source.nodes()) this.inc({ state: stateOf(node) });
    },
  });
  gauge(
    'spear_cluster_lease_age_seconds',
    'Since when the lease of the node is not renewed; at 3 others may take it for dead.',
    () => source.leaseAgeMs() / 1000,
  );
  total(
    'spear_cluster_renewals_failed_total',
    'Renewals of the lease that the database has not answered.',
    () => source.failedRenewals(),
  );
  new Gauge({
    name: 'spear_cluster_duty',
    help: '1 while this node does for all what one of them does.',
    ...{ labelNames: ['duty'], registers },
    collect() {
      for (const [duty, isMine] of source.duties()) this.set({ duty }, isMine ? 1 : 0);
    },
  });
  total(
    'spear_cluster_nodes_fenced_total',
    'Other nodes from which this one has taken the right to write, as their leases were over.',
    () => source.fenced(),
  );
  total(
    'spear_cluster_executions_taken_over_total',
    'Executions of nodes that are gone that this one has taken up.',
    () => source.takenOver(),
  );
  total(
    'spear_cluster_executions_released_total',
    'Executions that this node has left to whichever node is given them.',
    () => source.queue().released,
  );
  total(
    'spear_cluster_executions_given_total',
    'Executions that this node has given to nodes with a free slot, while that was its duty.',
    () => source.queue().given,
  );
  addAsked(registers, source);
}

/** What takes a question to the store or to other nodes. */
function addAsked(registers: Registers, source: ClusterSource): void {
  new Gauge({
    name: 'spear_cluster_executions_unowned',
    help: 'Executions that wait for a node; of the node alone whose duty it is to give them away.',
    registers,
    async collect() {
      const waiting = await source.unowned().catch(() => undefined);
      if (waiting === undefined) this.remove();
      else this.set(waiting);
    },
  });
  new Gauge({
    name: 'spear_cluster_link_up',
    help: '1 where another node answers over its link, asked when somebody looks.',
    ...{ labelNames: ['node'], registers },
    async collect() {
      const links = await source.links();
      this.reset();
      for (const [node, isUp] of links) this.set({ node }, isUp ? 1 : 0);
    },
  });
}
