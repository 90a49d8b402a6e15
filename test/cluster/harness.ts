/** Rounds of what can happen to a cluster, and what is then held against it. */
import { setTimeout as pause } from 'node:timers/promises';
import { Random } from '../crash/random.ts';
import { makeTestImage } from '../support/docker-image.ts';
import { compiler, dockerEngine, wasiCompiler } from '../support/needs.ts';
import { startPostgres } from '../support/postgres.ts';
import { type Cluster, ClusterNode, sharedSecret } from './cluster-nodes.ts';
import { judgeDatabase, judgeRest, settings } from './database-oracle.ts';
import { drawFaults } from './faults.ts';
import { kindsOf } from './kinds.ts';
import { alive } from './left-behind.ts';
import { Load } from './load.ts';
import { Network } from './namespaces.ts';
import { judge, named } from './oracle.ts';
import { explainStuck } from './stuck.ts';
import type { Told } from './told.ts';
import { overlaps, Witness } from './witness.ts';

export interface HarnessOptions {
  readonly seed: number;
  readonly rounds: number;
  readonly longestStopMs: number;
}

export interface Verdict {
  /** What was done in each round. */
  readonly done: readonly string[];
  /** In words, what does not hold. */
  readonly wrong: readonly string[];
  readonly summary: string;
}

const callsPerRound = 8;
/** In which what is to end by itself has to have ended. */
const restMs = 120_000;

export async function liveThrough({ seed, rounds, longestStopMs }: HarnessOptions): Promise<Verdict> {
  await using opened = new AsyncDisposableStack();
  const random = new Random(seed);
  const hasEngine = (await dockerEngine()) === '';
  const hasCompiler = ((await wasiCompiler()) || (await compiler())) === '';
  if (hasEngine) await makeTestImage();
  const database = await startPostgres(settings);
  opened.defer(() => database.remove());
  const { url, name } = await database.database();
  const witness = await Witness.make();
  opened.defer(() => witness.remove());
  const network = await Network.make();
  opened.defer(async () => void (await network?.remove()));
  const cluster: Cluster = {
    ...{ url, databasePort: database.port, secret: sharedSecret(witness.folder), network },
    flags: {
      ...{ slots: '6', allowHostAccess: true },
      ...(hasEngine && { dockerHost: 'unix:///var/run/docker.sock' }),
    },
  };
  const nodes: ClusterNode[] = [];
  opened.defer(async () => void (await Promise.all(nodes.map((node) => node.close()))));
  for (const each of ['one', 'two', 'three']) nodes.push(await ClusterNode.start(each, cluster));
  const kinds = await kindsOf({ witness, hasEngine, hasCompiler });
  const [first] = nodes;
  for (const kind of kinds) if (first !== undefined) await kind.register(await first.ready());
  const explain = (executionId: string) => explainStuck(executionId, { nodes, database, name });
  const load = new Load({ nodes, kinds, random: random.fork(), explain });
  opened.defer(() => load.close());

  const began = performance.now();
  const [done, wrong]: [string[], string[]] = [[], []];
  let calls = 0;
  for (let round = 1; round <= rounds && wrong.length === 0; round++) {
    const asked = Array.from({ length: callsPerRound }, () => load.one());
    const faults = drawFaults(random, { nodes, database, name, longestStopMs });
    done.push(`round ${round}: ${faults.map(({ what }) => what).join(', and ')}`);
    await Promise.all(faults.map((fault) => fault.run()));
    await Promise.all(asked);
    const against: string[] = [];
    calls += load.told.length;
    for (const told of load.told.splice(0)) {
      const held = await heldAgainst(told, load, witness);
      // A call that is stuck has been explained already.
      if (held.length > 0 && !told.isExplained) held.push(await explain([...told.executionIds][0] ?? ''));
      against.push(...held);
    }
    for (const { name: task, lane } of kinds)
      if (lane !== undefined)
        against.push(...overlaps(witness.beats(lane)).map((what) => `${task}: ${what}`));
    against.push(...(await judgeDatabase(database, name)));
    against.push(...nodes.flatMap(({ bugs }) => bugs.splice(0)));
    wrong.push(...against.map((what) => `round ${round}: ${what}`));
  }
  if (wrong.length === 0) {
    const left = async () => [
      ...(await judgeRest(database, name)),
      ...(await alive(witness, nodes, hasEngine)),
    ];
    const until = performance.now() + restMs;
    while ((await left()).length > 0 && performance.now() < until) await pause(500);
    wrong.push(...(await left()));
  }
  const fenced = nodes.reduce((sum, node) => sum + node.fenced, 0);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const summary = `seed ${seed}: ${done.length} rounds with ${calls} calls in ${seconds} s, ${fenced} runs of nodes were fenced`;
  return { done, wrong, summary };
}

async function heldAgainst(told: Told, load: Load, witness: Witness): Promise<string[]> {
  const log = told.wrong.length > 0 ? [] : await load.stored(told);
  if (told.wrong.length > 0) return named(told, told.wrong);
  return judge(told, log, told.beats === '' ? [] : witness.beats(told.beats));
}
