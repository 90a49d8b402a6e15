/**
 * A server is killed at random moments of everything that it does, and started again, over and over; then an oracle
 * holds all that clients were told against what is there. `SPEAR_CRASH_ROUNDS` says how often, `SPEAR_CRASH_SEED`
 * asks for the rounds of an earlier run again: what is done is then the same, though not what it meets.
 */
import { expect, test } from 'vitest';
import { makeTestImage } from '../support/docker-image.ts';
import { compiler, dockerEngine, root } from '../support/needs.ts';
import { CrashRun } from './crash-run.ts';
import { judge } from './oracle.ts';
import { outline } from './outline.ts';
import { followedOn, summary } from './summary.ts';

const rounds = Number(process.env.SPEAR_CRASH_ROUNDS ?? 10);
const seed = Number(process.env.SPEAR_CRASH_SEED ?? Math.floor(Math.random() * 2 ** 32));
const timeoutMs = 120_000 + rounds * 5000;
/** So many that some container must have lived through a crash. */
const enoughRounds = 100;
const maxShown = 20;
const maxOutlined = 5;

test(
  'whatever moment a server is killed at, all that its clients were told holds afterwards',
  async () => {
    const missing = { docker: await dockerEngine(), root: root(), compiler: await compiler() };
    const absent = Object.values(missing).filter((why) => why !== '');
    console.log(
      `crash harness: SPEAR_CRASH_ROUNDS=${rounds} SPEAR_CRASH_SEED=${seed}`,
      ...absent.map((why) => `(without: ${why})`),
    );
    if (missing.docker === '') await makeTestImage();
    const began = performance.now();
    const history = await CrashRun.history({
      rounds,
      seed,
      docker: missing.docker === '',
      root: missing.root === '',
      compiler: missing.compiler === '',
    });
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    console.log(`crash harness: ${seconds} s: ${summary(history)}`);
    const against = judge(history);
    const about = new Set(against.flatMap((what) => /exec_\w+/.exec(what) ?? []));
    for (const executionId of [...about].slice(0, maxOutlined)) console.log(outline(history, executionId));
    const more = against.length > maxShown ? [`… and ${against.length - maxShown} more`] : [];
    expect([...against.slice(0, maxShown), ...more], `SPEAR_CRASH_SEED=${seed}`).toEqual([]);
    // The load comes everywhere, or the above says little.
    const lost = [...history.finals.values()].filter(({ result }) => result.recoveries > 0);
    expect(lost.length).toBeGreaterThan(0);
    expect(history.deliveries.length).toBeGreaterThan(0);
    if (rounds >= enoughRounds && missing.docker === '') expect(followedOn(history)).toBeGreaterThan(0);
  },
  timeoutMs,
);
