/**
 * What metrics cost: the counting of one execution, and a text with a thousand tasks.
 *
 *     node bench/metrics.ts
 */
import { noSavings } from '../src/domain/cache.ts';
import { methodRoles } from '../src/domain/method-roles.ts';
import { Metrics } from '../src/telemetry/metrics/metrics.ts';
import { recordOf, result, transition } from '../test/stores/samples.ts';

const tasks = 1000;
const counted = 200_000;
const goals = { ms: 20, bytes: 2 * 1024 * 1024 };

const metrics = new Metrics({
  names: { node: 'bench', nodeId: 'node_bench' },
  node: {
    ...{ version: '0', slots: 4, runtimes: ['wasm', 'process', 'docker'] },
    instances: { instances: () => [], pools: () => [] },
    isCordoned: () => false,
    state: () => 'serving',
    load: () => ({ running: 0, pending: 0, live: 0 }),
    queue: () => ({
      ...{ slots: 4, running: 0, waiting: 0, held: 0, block: '', lines: [], otherLines: 0, otherWaiting: 0 },
      time: 0,
    }),
  },
  store: { sizes: async () => ({}), isHealthy: () => true, isLowOnSpace: () => false },
  cache: () => noSavings,
  webhooks: () => ({ delivered: 0, failed: 0, dead: 0, waiting: 0, lagMs: 0 }),
  runtimeOf: () => 'wasm',
  methods: Object.keys(methodRoles),
});

const events = [
  transition(1, '', 'pending.queued'),
  transition(2, 'pending.queued', 'running.attempting'),
  result(3),
];
const records = Array.from({ length: tasks }, (_, index) =>
  recordOf(`exec_${index}`, 'completed', { taskName: `task-${index}`, outcome: { status: 'completed' } }),
);
const failed = records.map((record) => ({
  ...record,
  ...({ status: 'failed', outcome: { status: 'failed', code: 'TRAP', message: '' } } as const),
}));
for (const record of [...records, ...failed]) metrics.executions.committed(record, events);

const [record] = records;
if (record === undefined) throw new Error('no record');
let perExecution = Number.POSITIVE_INFINITY;
for (let round = 0; round < 5; round++) {
  const begun = performance.now();
  for (let index = 0; index < counted; index++) metrics.executions.committed(record, events);
  perExecution = Math.min(perExecution, ((performance.now() - begun) / counted) * 1000);
}
console.log(`counting one execution: ${perExecution.toFixed(2)} µs`);

let ms = Number.POSITIVE_INFINITY;
let bytes = 0;
for (let round = 0; round < 10; round++) {
  const begun = performance.now();
  const { text } = await metrics.text();
  ms = Math.min(ms, performance.now() - begun);
  bytes = Buffer.byteLength(text);
}
console.log(
  `/metrics with ${tasks} tasks, each with two outcomes: ${ms.toFixed(1)} ms, ${(bytes / 1024).toFixed(0)} KiB`,
);
console.log(
  `goals: ${goals.ms} ms ${ms < goals.ms ? 'met' : 'MISSED'}, 2 MiB ${bytes < goals.bytes ? 'met' : 'MISSED'}`,
);
process.exit(0);
