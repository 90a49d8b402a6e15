/** What happens to a cluster in a round, drawn from a seed. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../crash/random.ts';
import type { PostgresServer } from '../support/postgres.ts';
import type { ClusterNode } from './cluster-nodes.ts';

export interface Fault {
  readonly what: string;
  /** Resolves when it is over: whoever was stopped goes on, and what was down is up. */
  run(): Promise<void>;
}

interface Place {
  readonly nodes: readonly ClusterNode[];
  readonly database: PostgresServer;
  readonly name: string;
  /** The longest that a node hangs, in milliseconds. */
  readonly longestStopMs: number;
}

export function drawFault(random: Random, { nodes, database, name, longestStopMs }: Place): Fault {
  const node = random.pick(nodes);
  const stopMs = random.whole(1000, longestStopMs);
  const downMs = random.whole(100, 3000);
  const restMs = random.chance(0.5) ? 0 : random.whole(500, 6000);
  return random.weighted<Fault>([
    [
      3,
      {
        what: `kill -9 of ${node.name}, which comes back after ${restMs} ms`,
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
        what: `SIGSTOP of ${node.name} for ${stopMs} ms`,
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
        what: `a planned stop of ${node.name}`,
        async run() {
          node.signal('SIGTERM');
          node.signal('SIGTERM');
          await pause(50);
          await node.ready();
        },
      },
    ],
    [
      1,
      {
        what: `a crash of the database, for ${downMs} ms`,
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
        what: 'the end of all connections to the database',
        async run() {
          await database.query(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`,
          );
        },
      },
    ],
    [
      2,
      {
        what: `connections of ${node.name} that are cut, again and again`,
        async run() {
          for (let cut = 0; cut < 5; cut++) {
            node.proxy.cut();
            await pause(100);
          }
        },
      },
    ],
    [
      2,
      {
        what: `a link of ${node.name} to the database that swallows all for ${stopMs} ms`,
        async run() {
          node.proxy.swallow(true);
          await pause(stopMs);
          node.proxy.swallow(false);
        },
      },
    ],
  ]);
}
