/**
 * Guests do their worst beside calls that have done nothing: random system calls, random and broken modules, bombs, and
 * processes that will not go. `SPEAR_HOSTILE_SECONDS` says for how long, `SPEAR_HOSTILE_SEED` asks for the attacks of
 * an earlier run again: they are then the same, though not what they meet.
 */
import { expect, it } from 'vitest';
import { describeWhere, root } from '../support/needs.ts';
import type { History } from './history.ts';
import { hostileRun } from './hostile-run.ts';
import { latencies } from './latency.ts';
import { judge } from './oracle.ts';

const seconds = Number(process.env.SPEAR_HOSTILE_SECONDS ?? 20);
const seed = Number(process.env.SPEAR_HOSTILE_SEED ?? Math.floor(Math.random() * 2 ** 32));
const timeoutMs = 120_000 + seconds * 3000;
const maxShown = 20;
/**
 * The goal, which two cores miss: 5 in a run of ten minutes with containers among the attacks, 3 to 5.5 in runs of a
 * minute, as the machine is shared. The processors are idle half of the time then; a sync of the disk takes 6 ms in the
 * 99th percentile instead of 0.3, and the waits add up with hosts that start and collections of garbage. It is said,
 * and held to only where it is asked for.
 */
const goalRatio = 3;
const holdsToGoal = process.env.SPEAR_HOSTILE_GOAL === '1';

describeWhere([root()], 'guests that do their worst', () => {
  it(
    'reach nothing outside, end by themselves, and lose or slow down no call of others',
    async () => {
      console.log(`hostile: SPEAR_HOSTILE_SECONDS=${seconds} SPEAR_HOSTILE_SEED=${seed}`);
      const history = await hostileRun({ seed, seconds });
      const measured = latencies(history.calls);
      const worst = Math.max(...measured.map(({ ratio }) => ratio));
      console.log(`hostile: ${summary(history)}`);
      for (const { innocent, calls, calm, attack, ratio } of measured) {
        console.log(
          `hostile: ${innocent}: ${calls} calls under attack, p99 ${attack.toFixed(1)} ms, without ${calm.toFixed(1)} ms, ratio ${ratio.toFixed(2)}`,
        );
      }
      const verdict = worst < goalRatio ? 'met' : 'MISSED';
      console.log(`hostile: seed ${seed}, p99 ratio ${worst.toFixed(2)}, goal ${goalRatio} ${verdict}`);
      const against = judge(history);
      const more = against.length > maxShown ? [`… and ${against.length - maxShown} more`] : [];
      expect([...against.slice(0, maxShown), ...more], `SPEAR_HOSTILE_SEED=${seed}`).toEqual([]);
      if (holdsToGoal) expect(worst, `SPEAR_HOSTILE_SEED=${seed}`).toBeLessThan(goalRatio);
    },
    timeoutMs,
  );
});

function summary({ calls, attacks, use }: History): string {
  const counts = new Map<string, number>();
  for (const { name } of attacks) counts.set(name, (counts.get(name) ?? 0) + 1);
  const kinds = [...counts].sort().map(([name, count]) => `${name} ${count}`);
  const refused = attacks.filter(({ ends }) => ends.length === 0).length;
  const memory = [use.before, use.most, use.after].map(({ residentBytes }) =>
    Math.round(residentBytes / 2 ** 20),
  );
  const descriptors = [use.before, use.most, use.after].map((each) => each.descriptors);
  return `${calls.length} innocent calls, ${attacks.length} attacks (${kinds.join(', ')}), ${refused} refused; memory ${memory.join(', ')} MiB and descriptors ${descriptors.join(', ')} before, at most and after`;
}
