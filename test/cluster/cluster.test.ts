/**
 * Three nodes on one database live through rounds of what can happen to them, while clients ask any of them; then an
 * oracle holds all that the clients were told against what is there. `SPEAR_CLUSTER_ROUNDS` says how many,
 * `SPEAR_CLUSTER_SEED` asks for the rounds of an earlier run again: what is done is then the same, though not what it
 * meets.
 */
import { expect, onTestFinished, test } from 'vitest';
import { Random } from '../crash/random.ts';
import { describeWhere, root } from '../support/needs.ts';
import { postgres, startPostgres } from '../support/postgres.ts';
import { ClusterNode, sharedSecret } from './cluster-nodes.ts';
import { drawFault } from './faults.ts';
import { Load, registerTasks } from './load.ts';
import { judge } from './oracle.ts';
import { Witness } from './witness.ts';

const rounds = Number(process.env.SPEAR_CLUSTER_ROUNDS ?? 20);
const seed = Number(process.env.SPEAR_CLUSTER_SEED ?? Math.floor(Math.random() * 2 ** 32));
const longestStopMs = rounds > 50 ? 20_000 : 6000;
/** On a machine that has much else to do. */
const roundMs = 60_000;
const callsPerRound = 8;
const mostShown = 20;

describeWhere([postgres(), root()], 'a cluster of three nodes', () => {
  test('whatever happens to its nodes and their database, each execution ends once, and nobody hears of it otherwise', {
    timeout: 120_000 + rounds * roundMs,
  }, async () => {
    console.log(`cluster harness: SPEAR_CLUSTER_ROUNDS=${rounds} SPEAR_CLUSTER_SEED=${seed}`);
    const random = new Random(seed);
    const database = await startPostgres();
    onTestFinished(() => database.remove());
    const { url, name } = await database.database();
    const witness = await Witness.make();
    onTestFinished(() => witness.remove());
    const secret = sharedSecret(witness.folder);
    const nodes: ClusterNode[] = [];
    onTestFinished(async () => void (await Promise.all(nodes.map((node) => node.close()))));
    for (const each of ['one', 'two', 'three'])
      nodes.push(await ClusterNode.start(each, database, url, secret));
    const [first] = nodes;
    if (first === undefined) throw new Error('there is no node');
    await registerTasks(await first.ready(), witness);
    const load = new Load(nodes, witness, random.fork());
    onTestFinished(() => load.close());
    const began = performance.now();
    const done: string[] = [];
    const against: string[] = [];
    for (let round = 1; round <= rounds; round++) {
      const calls = Array.from({ length: callsPerRound }, () => load.one());
      const fault = drawFault(random, { nodes, database, name, longestStopMs });
      done.push(`round ${round}: ${fault.what}`);
      await fault.run();
      await Promise.all(calls);
      for (const told of load.told.splice(0)) {
        const log = await load.stored(told);
        against.push(...judge(told, log, witness).map((what) => `round ${round}: ${what}`));
      }
      against.push(...nodes.flatMap(({ bugs }) => bugs.splice(0)));
      if (against.length > 0) break;
    }
    const fenced = nodes.reduce((sum, node) => sum + node.fenced, 0);
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    console.log(
      `cluster harness: ${done.length} rounds in ${seconds} s, ${fenced} runs of nodes were fenced`,
    );
    expect(against.slice(0, mostShown), `SPEAR_CLUSTER_SEED=${seed}\n${done.slice(-3).join('\n')}`).toEqual(
      [],
    );
  });
});
