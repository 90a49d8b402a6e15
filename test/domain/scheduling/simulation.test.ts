import { expect, test } from 'vitest';
import { GateAudit } from '../../../bench/simulation/gate-audit.ts';
import { simulate } from '../../../bench/simulation/simulation.ts';
import { workloads } from '../../../bench/simulation/workloads.ts';
import type { Leaf } from '../../../src/domain/scheduling/priority.ts';

test.for(workloads(0.01))(
  'of $name, none is lost, started twice or let through a closed gate',
  (workload) => {
    const { faults, ran, cancelled, jobs } = simulate(workload);
    expect(faults).toEqual([]);
    expect(ran + cancelled).toBe(jobs);
    expect(ran).toBeGreaterThan(jobs / 20);
  },
);

test('while a greedy tenant has thousands waiting, another waits no longer than for the next slot', () => {
  const [workload] = workloads(0.05).filter(({ name }) => name === 'a greedy tenant');
  if (workload === undefined) throw new Error('there is no such workload');
  const { byTenant } = simulate(workload);
  const longest = Math.max(...workload.jobs.map(({ runsMs }) => runsMs));
  expect(byTenant.get('modest')?.maxMs).toBeLessThan(longest);
  expect(byTenant.get('greedy')?.medianMs).toBeGreaterThan(100 * Number(byTenant.get('modest')?.medianMs));
});

test('the audit notes a start that should not have been', () => {
  const leaf: Leaf = {
    tenant: 'a',
    priority: 'normal',
    fairnessKey: '',
    gates: [
      { kind: 'concurrency', rule: 'r', meter: 'm', key: 'k', value: 'v', limit: 1 },
      { kind: 'rate', rule: 'r', meter: 'm', key: 'k', value: 'v', units: 1, perMs: 10, burst: 1 },
    ],
  };
  const audit = new GateAudit(1, { a: { running: 1 } });
  audit.starts('one', leaf, 10);
  expect(audit.faults).toEqual([]);
  audit.starts('one', leaf, 10);
  expect(audit.faults).toEqual([
    'one was started twice',
    '2 run with quota a, allowed are 1',
    '2 run with m, allowed are 1',
    'm has started 1 too many at 10',
  ]);
});
