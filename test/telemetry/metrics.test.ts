import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { noSavings } from '../../src/domain/cache.ts';
import { methodRoles } from '../../src/domain/method-roles.ts';
import { BoundedLabels } from '../../src/telemetry/metrics/bounded-labels.ts';
import { Metrics } from '../../src/telemetry/metrics/metrics.ts';
import { recordOf } from '../stores/samples.ts';

const queue = {
  ...{ slots: 4, running: 1, waiting: 7, held: 4, block: '', otherLines: 1, otherWaiting: 2, time: 0 },
  lines: [
    {
      ...({
        tenant: 'default',
        priority: 'normal',
        fairnessKey: '',
        running: 1,
        waiting: 5,
        held: 4,
      } as const),
      ...{ shareUsed: 1, shareDue: 1, otherClasses: 0 },
      classes: [
        { waiting: 1, heldBy: [], summary: '', freedBy: '' },
        ...['concurrency', 'quota', 'quotaRate', 'quarantine'].map((kind) => ({
          ...{ waiting: 1, heldBy: [], summary: '', freedBy: '' },
          gate: { kind, key: 'k', value: 'v', limit: 1, since: 0 },
        })),
      ],
    },
  ],
};

function made(): Metrics {
  const metrics = new Metrics({
    names: { node: 'anna', nodeId: 'node_1' },
    node: {
      ...{ version: '1.2.3', slots: 4, runtimes: ['wasm'] },
      instances: { instances: () => [], pools: () => [] },
      state: () => 'serving',
      isCordoned: () => false,
      load: () => ({ running: 1, pending: 7, live: 8 }),
      queue: () => queue,
    },
    store: {
      sizes: async () => ({ databaseBytes: 4096, walBytes: 512, freeBytes: 1e9 }),
      isHealthy: () => true,
      isLowOnSpace: () => false,
    },
    cache: () => ({ ...noSavings, hits: 2, misses: 3, shared: 1, savedMs: 1500, savedCpuMs: 500 }),
    webhooks: () => ({ delivered: 0, failed: 0, dead: 0, waiting: 0, lagMs: 0 }),
    cluster: {
      incarnation: 7,
      nodes: () => [
        { name: 'anna', self: true, alive: true, cordoned: false, state: 'serving' },
        { name: 'boris', self: false, alive: true, cordoned: true, state: 'serving' },
        { name: 'clara', self: false, alive: false, cordoned: false, state: 'serving' },
      ],
      leaseAgeMs: () => 250,
      failedRenewals: () => 2,
      fenced: () => 1,
      takenOver: () => 5,
      duties: () => [['dispatcher', false]],
      queue: () => ({ released: 4, given: 3 }),
      unowned: () => Promise.reject(new Error('the store cannot be read')),
      links: async () =>
        new Map([
          ['boris', true],
          ['clara', false],
        ]),
    },
    runtimeOf: () => 'wasm',
    methods: Object.keys(methodRoles),
  });
  metrics.calls.countRefusedTokens(() => 3);
  return metrics;
}

/** Its samples, by name and labels. */
async function samples(metrics: Metrics): Promise<Map<string, number>> {
  const { text } = await metrics.text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [
      line.slice(0, line.lastIndexOf(' ')),
      Number(line.slice(line.lastIndexOf(' ') + 1)),
    ]),
  );
}

const labels = 'tenant="default",task="noop",runtime="wasm"';
const transition = {
  kind: 'transition',
  from: '',
  eventType: '',
  reasonCode: '',
  contextPatch: '',
  chartVersion: 1,
  time: 0,
} as const;

it('an execution is counted by what its log says', async () => {
  const metrics = made();
  const record = recordOf('exec_1', 'failed', { taskName: 'noop', queueTimeMs: 20, executionTimeMs: 2000 });
  const failed = { ...record, outcome: { status: 'failed', code: 'TRAP', message: '' } } as const;
  const running = {
    ...transition,
    eventType: 'dispatch',
    status: 'running',
    to: 'running.attempting',
  } as const;
  metrics.executions.committed(record, [
    { ...transition, sequence: 1, status: 'pending', to: 'pending.queued', attempt: 0 },
  ]);
  metrics.executions.committed(record, [
    { ...running, sequence: 2, attempt: 1 },
    {
      kind: 'chunk',
      sequence: 3,
      time: 0,
      status: 'running',
      attempt: 1,
      stream: 'stdout',
      data: new Uint8Array(100),
    },
    { ...running, sequence: 4, attempt: 2 },
    // It goes on, and is no other try.
    { ...running, eventType: 'reattached', sequence: 5, attempt: 2 },
  ]);
  metrics.executions.committed(failed, [
    { kind: 'result', sequence: 6, time: 0, status: 'failed', attempt: 2 },
  ]);
  const found = await samples(metrics);
  expect(found.get(`spear_executions_accepted_total{${labels}}`)).toBe(1);
  expect(found.get(`spear_execution_retries_total{${labels}}`)).toBe(1);
  expect(found.get('spear_attempts_reattached_total{runtime="wasm"}')).toBe(1);
  expect(found.get(`spear_executions_ended_total{${labels},status="failed",error_code="TRAP"}`)).toBe(1);
  expect(found.get('spear_execution_output_bytes_total{runtime="wasm"}')).toBe(100);
  expect(found.get('spear_execution_queue_seconds_bucket{le="0.01",runtime="wasm"}')).toBe(0);
  expect(found.get('spear_execution_queue_seconds_bucket{le="0.05",runtime="wasm"}')).toBe(1);
  expect(found.get('spear_execution_run_seconds_sum{runtime="wasm"}')).toBe(2);
});

it('what was restored as a record is not counted: nothing of it happened here', async () => {
  const metrics = made();
  const record = recordOf('exec_1', 'completed', { taskName: 'noop', restoredAt: 5 });
  metrics.executions.committed(record, [
    { kind: 'result', sequence: 5, time: 0, status: 'completed', attempt: 1 },
  ]);
  expect(
    [...(await samples(metrics)).keys()].filter((name) => name.startsWith('spear_executions_ended')),
  ).toEqual([]);
});

it('what waits is counted by what holds it, and what the view leaves out as other', async () => {
  const found = await samples(made());
  expect(found.get('spear_executions_waiting{gate="slots"}')).toBe(1);
  expect(found.get('spear_executions_waiting{gate="concurrency"}')).toBe(1);
  expect(found.get('spear_executions_waiting{gate="quota"}')).toBe(2);
  expect(found.get('spear_executions_waiting{gate="quarantine"}')).toBe(1);
  expect(found.get('spear_executions_waiting{gate="other"}')).toBe(2);
});

it('errors of calls are counted by methods that there are, over gRPC and HTTP alike', async () => {
  const metrics = made();
  metrics.calls.failed('/spearlet.TaskService/GetTask', 'not_found');
  metrics.calls.failed('/api/TaskService/GetTask', 'not_found');
  metrics.calls.failed('/api/Whatever/Callers', 'not_found');
  const found = await samples(metrics);
  expect(found.get('spear_call_errors_total{method="TaskService/GetTask",code="NOT_FOUND"}')).toBe(2);
  expect(found.get('spear_call_errors_total{method="other",code="NOT_FOUND"}')).toBe(1);
});

it('a text that is read twice says the same, and ends as OpenMetrics does', async () => {
  const metrics = made();
  metrics.store.committed(2, 0.001);
  const first = await metrics.text();
  expect(first.contentType).toMatch(/^application\/openmetrics-text/);
  expect(first.text).toMatch(/\n# EOF\n$/);
  expect(first.text.match(/# EOF/g)).toHaveLength(1);
  const again = await samples(metrics);
  expect(again.get('spear_commit_executions_total')).toBe(2);
  expect(again.get('spear_tokens_refused_total')).toBe(3);
});

it('tasks have labels of their own up to a thousand, and tenants', () => {
  const labelsOf = new BoundedLabels();
  for (let index = 0; index < 1000; index++) {
    expect(labelsOf.of('a', `task-${index}`).task).toBe(`task-${index}`);
  }
  expect(labelsOf.of('a', 'one-more')).toEqual({ tenant: 'a', task: 'other' });
  expect(labelsOf.of('a', 'task-7').task).toBe('task-7');
  for (let index = 1; index < 1000; index++) labelsOf.of(`tenant-${index}`, 'x');
  expect(labelsOf.of('one-tenant-more', 'x')).toEqual({ tenant: 'other', task: 'other' });
});

it('each name in the dashboard, the alert rules and the documents is one that a node has', async () => {
  const { text } = await made().text();
  const known = new Set<string>();
  for (const [, name = '', kind = ''] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    const ends = { counter: ['_total'], histogram: ['_bucket', '_sum', '_count', ''] }[kind] ?? [''];
    for (const end of ends) known.add(name + end);
  }
  const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
  for (const file of ['monitoring/dashboard.json', 'monitoring/alerts.yaml', 'docs/metrics.md']) {
    const names = read(file).match(/\b(?:spear|nodejs|process)_[a-z0-9_]+[a-z0-9]\b/g) ?? [];
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !known.has(name))).toEqual([]);
  }
  // Nor is there one that the documents do not name.
  const documented = read('docs/metrics.md');
  const spears = [...known].filter((name) => /^spear_/.test(name) && !/_(bucket|sum|count)$/.test(name));
  expect(spears.filter((name) => !documented.includes(`\`${name}\``))).toEqual([]);
});

it('an execution is counted by its revision where an alias has chosen that, and by none where it was named by itself', async () => {
  const metrics = made();
  const record = recordOf('exec_1', 'failed', { taskName: 'noop' });
  const failed = { ...record, outcome: { status: 'failed', code: 'TRAP', message: '' } } as const;
  for (const [taskRevision, alias] of [
    [3, 'live'],
    [4, 'live'],
    [4, 'live'],
    [5, undefined],
  ] as const) {
    metrics.executions.committed({ ...failed, taskRevision, ...(alias !== undefined && { alias }) }, [
      { kind: 'result', sequence: 6, time: 0, status: 'failed', attempt: 2 },
    ]);
  }
  const found = await samples(metrics);
  const byRevision = [...found].filter(([name]) =>
    name.startsWith('spear_executions_ended_by_revision_total'),
  );
  const named = (revision: number) =>
    `spear_executions_ended_by_revision_total{tenant="default",task="noop",alias="live",revision="${revision}",status="failed"}`;
  expect(byRevision).toEqual([
    [named(3), 1],
    [named(4), 2],
  ]);
});

it('a node says what it is called, and what it sees of the others', async () => {
  const found = await samples(made());
  expect(found.get('spear_node_info{node="anna",node_id="node_1"}')).toBe(1);
  expect(found.get('spear_cluster_incarnation')).toBe(7);
  expect(found.get('spear_cluster_nodes{state="serving"}')).toBe(1);
  expect(found.get('spear_cluster_nodes{state="cordoned"}')).toBe(1);
  expect(found.get('spear_cluster_nodes{state="silent"}')).toBe(1);
  expect(found.get('spear_cluster_nodes{state="draining"}')).toBe(0);
  expect(found.get('spear_cluster_lease_age_seconds')).toBe(0.25);
  expect(found.get('spear_cluster_executions_given_total')).toBe(3);
  expect(found.get('spear_cluster_duty{duty="dispatcher"}')).toBe(0);
  expect(found.get('spear_cluster_link_up{node="boris"}')).toBe(1);
  expect(found.get('spear_cluster_link_up{node="clara"}')).toBe(0);
});

it('what the store cannot tell is left out, and the rest is there', async () => {
  const found = await samples(made());
  expect(found.has('spear_cluster_executions_unowned')).toBe(false);
});
