/** What happens to a cluster in a round, drawn from a seed. */
import { setTimeout as pause } from 'node:timers/promises';
import { ClusterService } from '../../src/server/gen/spearlet/cluster_pb.js';
import type { Random } from '../crash/random.ts';
import type { PostgresServer } from '../support/postgres.ts';
import type { ClusterNode } from './cluster-nodes.ts';
import type { Dropping, Namespace } from './namespaces.ts';

export interface Fault {
  readonly what: string;
  /** Two at a time happen to different ones. */
  readonly to: string;
  /** Resolves when it is over: whoever was stopped goes on, and what was down is up. */
  run(): Promise<void>;
}

export interface Place {
  readonly nodes: readonly ClusterNode[];
  readonly database: PostgresServer;
  /** Of the database. */
  readonly name: string;
  /** The longest that a node hangs, in milliseconds. */
  readonly longestStopMs: number;
}

const twice = 0.25;
const drainMs = 90_000;

/** One fault, or now and then two at once. */
export function drawFaults(random: Random, place: Place): Fault[] {
  const first = drawFault(random, place);
  if (!random.chance(twice)) return [first];
  for (;;) {
    const second = drawFault(random, place);
    if (second.to !== first.to) return [first, second];
  }
}

function drawFault(random: Random, place: Place): Fault {
  const node = random.pick(place.nodes);
  const stopMs = random.whole(1000, place.longestStopMs);
  const { namespace } = node;
  return random.weighted<Fault>([
    ...ofProcess(random, node, stopMs),
    ...ofAll(random, place),
    ...ofConnections(node, stopMs),
    ...(namespace === undefined ? [] : ofPackets(random, node, namespace, linksOf(place, node), stopMs)),
  ]);
}

type Weighted = [weight: number, fault: Fault];

function ofProcess(random: Random, node: ClusterNode, stopMs: number): Weighted[] {
  const to = node.name;
  const restMs = random.chance(0.5) ? 0 : random.whole(500, 6000);
  return [
    [
      3,
      {
        ...{ to, what: `kill -9 of ${node.name}, which comes back after ${restMs} ms` },
        async run() {
          node.restMs = restMs;
          node.signal('SIGKILL');
          await pause(50);
          await node.ready();
          node.restMs = 0;
        },
      },
    ],
    [
      3,
      {
        ...{ to, what: `SIGSTOP of ${node.name} for ${stopMs} ms` },
        async run() {
          node.signal('SIGSTOP');
          await pause(stopMs);
          node.signal('SIGCONT');
        },
      },
    ],
    [
      1,
      {
        ...{ to, what: `a planned stop of ${node.name}` },
        async run() {
          node.signal('SIGTERM');
          node.signal('SIGTERM');
          await pause(50);
          await node.ready();
        },
      },
    ],
    [1, { ...{ to, what: `a drain of ${node.name}` }, run: () => drained(node) }],
  ];
}

/** Taken out, and back in when it has nothing any more; a node that is busy with something else is not waited for. */
async function drained(node: ClusterNode): Promise<void> {
  const until = performance.now() + drainMs;
  const isDone = async (ask: 'drainNode' | 'uncordonNode') => {
    const { connection } = await node.ready();
    const cluster = connection.service(ClusterService);
    return cluster[ask]({ node: node.name }, { signal: AbortSignal.timeout(5000) }).then(
      () => true,
      () => false,
    );
  };
  for (const ask of ['drainNode', 'uncordonNode'] as const)
    while (!(await isDone(ask)) && performance.now() < until) await pause(200);
}

function ofAll(random: Random, { nodes, database, name }: Place): Weighted[] {
  const downMs = random.whole(100, 3000);
  return [
    [
      1,
      {
        ...{ to: 'database', what: `a crash of the database, for ${downMs} ms` },
        async run() {
          await database.crash();
          await pause(downMs);
          await database.start();
        },
      },
    ],
    [
      2,
      {
        ...{ to: 'database', what: 'the end of all connections to the database' },
        async run() {
          await database.query(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`,
          );
        },
      },
    ],
    [
      0.5,
      {
        ...{ to: 'nodes', what: 'kill -9 of all nodes' },
        async run() {
          for (const node of nodes) node.signal('SIGKILL');
          await pause(50);
          for (const node of nodes) await node.ready();
        },
      },
    ],
  ];
}

function ofConnections(node: ClusterNode, stopMs: number): Weighted[] {
  const to = node.name;
  const cut = (way: 'proxy' | 'link') => async () => {
    for (let times = 0; times < 5; times++) {
      node[way].cut();
      await pause(100);
    }
  };
  const swallow = (way: 'proxy' | 'link') => async () => {
    node[way].swallow(true);
    await pause(stopMs);
    node[way].swallow(false);
  };
  return [
    [1.5, { ...{ to, what: `connections of ${to} to the database that are cut` }, run: cut('proxy') }],
    [
      1.5,
      {
        ...{ to, what: `a way of ${to} to the database that swallows all for ${stopMs} ms` },
        run: swallow('proxy'),
      },
    ],
    [1, { ...{ to, what: `links to ${to} that are cut` }, run: cut('link') }],
    [1, { ...{ to, what: `links to ${to} that swallow all for ${stopMs} ms` }, run: swallow('link') }],
  ];
}

/** The ports through which it reaches others. */
function linksOf({ nodes }: Place, node: ClusterNode): number[] {
  return nodes.filter((other) => other !== node).map(({ link }) => link.port);
}

/** Nobody is told of packets that are dropped; what was sent comes later, or the connection ends. */
function ofPackets(
  random: Random,
  node: ClusterNode,
  namespace: Namespace,
  links: readonly number[],
  stopMs: number,
): Weighted[] {
  const to = node.name;
  const store = [node.proxy.port];
  const kinds: readonly (readonly [weight: number, what: string, dropping: Dropping])[] = [
    [1, 'all packets', { way: 'both' }],
    [0.5, 'all packets to it', { way: 'in' }],
    [0.5, 'all packets from it', { way: 'out' }],
    [1, 'packets of the database', { way: 'both', ports: store }],
    [0.5, 'what the database answers', { way: 'in', ports: store }],
    [1, 'packets of links', { way: random.pick(['in', 'out', 'both'] as const), ports: links }],
  ];
  return kinds.map(([weight, what, dropping]) => [
    weight,
    {
      ...{ to, what: `${what} of ${to} (${dropping.way}) that are dropped for ${stopMs} ms` },
      async run() {
        await namespace.drop(dropping);
        await pause(stopMs);
        await namespace.heal();
      },
    },
  ]);
}
