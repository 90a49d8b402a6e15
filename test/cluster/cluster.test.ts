/**
 * Three nodes on one database live through rounds of what can happen to them, while clients ask any of them; then an
 * oracle holds all that the clients were told against what is there. `SPEAR_CLUSTER_ROUNDS` says how many,
 * `SPEAR_CLUSTERS` how many clusters at a time do that, each with a database of its own. `SPEAR_CLUSTER_SEED` asks for
 * the rounds of an earlier run again: what is done is then the same, though not what it meets.
 */
import { test } from 'vitest';
import { describeWhere, root } from '../support/needs.ts';
import { postgres } from '../support/postgres.ts';
import { liveThrough } from './harness.ts';

const rounds = Number(process.env.SPEAR_CLUSTER_ROUNDS ?? 20);
const clusters = Number(process.env.SPEAR_CLUSTERS ?? 1);
const seed = Number(process.env.SPEAR_CLUSTER_SEED ?? Math.floor(Math.random() * 2 ** 32));
const longestStopMs = rounds > 40 ? 20_000 : 6000;
/** On a machine that has much else to do. */
const roundMs = 120_000;
const mostShown = 20;
/** What was done last, and may have to do with what does not hold. */
const lastRounds = 3;

const seeds = Array.from({ length: clusters }, (_, index) => (seed + index) >>> 0);

describeWhere([postgres(), root()], 'a cluster of three nodes', () => {
  test.concurrent.for(seeds)(
    'whatever happens to its nodes and their database, each execution ends once, and nobody hears of it otherwise; seed %i',
    { timeout: 300_000 + rounds * roundMs },
    async (seed, { expect }) => {
      console.log(`cluster harness: SPEAR_CLUSTER_ROUNDS=${rounds} SPEAR_CLUSTER_SEED=${seed}`);
      const { done, wrong, summary } = await liveThrough({ seed, rounds, longestStopMs });
      // At once: other clusters may go on for long.
      console.log([`cluster harness: ${summary}`, ...wrong].join('\n'));
      expect(
        wrong.slice(0, mostShown),
        `SPEAR_CLUSTER_SEED=${seed}\n${done.slice(-lastRounds).join('\n')}`,
      ).toEqual([]);
    },
  );
});
