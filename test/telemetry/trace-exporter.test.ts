import { pino } from 'pino';
import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import type { ExecutionRecord } from '../../src/domain/execution.ts';
import { executionSpan } from '../../src/domain/trace.ts';
import { TraceMetrics } from '../../src/telemetry/metrics/trace-metrics.ts';
import type { Sent } from '../../src/telemetry/traces/otlp-sender.ts';
import { TraceExporter } from '../../src/telemetry/traces/trace-exporter.ts';
import { executionId, recordOf, result, transition } from '../stores/samples.ts';
import { FakeClock } from '../support/fake-clock.ts';

const trace = { traceId: '0af7651916cd43dd8448eb211c80319c', sampled: true, spans: true };
const taken: Sent = { kind: 'taken', rejected: 0, message: '' };

function ended(number: number, more: Partial<ExecutionRecord> = {}): ExecutionRecord {
  const outcome = { status: 'completed' } as const;
  return recordOf(executionId(number), 'completed', { trace, outcome, ...more });
}

/** An exporter whose receiver answers what `answers` has, and then takes everything. */
function started(answers: Sent[] = [], left: readonly ExecutionRecord[] = []) {
  const clock = new FakeClock();
  const registry = new Registry();
  const bodies: string[] = [];
  const cursors: number[] = [];
  const stored = new Map(left.map((record) => [record.executionId, record]));
  const exporter = new TraceExporter({
    ...{ clock, random: () => 1, source: { serviceName: 'spear', version: '0', nodeId: 'node_1' } },
    metrics: new TraceMetrics([registry as never]),
    logger: pino({ level: 'silent' }),
    store: {
      execution: async (id) => stored.get(id),
      outline: async () => ({
        transitions: [
          transition(1, '', 'pending.queued'),
          transition(2, 'pending.queued', 'running.attempting'),
        ],
        ...{ refusals: [], lastTime: 1_750_000_000_009 },
      }),
    },
    position: 1,
    left: left.map((record) => record.executionId),
    async send(body) {
      bodies.push(body);
      return answers.shift() ?? taken;
    },
    async saveCursor(position) {
      cursors.push(position);
    },
  });
  const end = (number: number, more: Partial<ExecutionRecord> = {}): void => {
    const record = ended(number, more);
    stored.set(record.executionId, record);
    exporter.committed(
      record,
      [transition(1, '', 'pending.queued'), transition(2, 'pending.queued', 'running.attempting'), result(3)],
      number * 10,
    );
  };
  const counted = async (name: string): Promise<number> => {
    const { values } = (await registry.getSingleMetric(name)?.get()) ?? { values: [] };
    return values.reduce((sum, { value }) => sum + value, 0);
  };
  return { clock, exporter, bodies, cursors, end, counted };
}

it('spans are gathered into one request, and the cursor moves on when they are taken', async () => {
  const { clock, bodies, cursors, end, counted } = started();
  end(1);
  end(2);
  await clock.advance(499);
  expect(bodies).toEqual([]);
  await clock.advance(1000);
  expect(bodies).toHaveLength(1);
  for (const number of [1, 2])
    expect(bodies[0]).toContain(`"spanId":"${executionSpan(executionId(number))}"`);
  expect(await counted('spear_spans_exported_total')).toBe(6);
  // Behind the result of the second one.
  expect(cursors).toEqual([23]);
});

it('a receiver that is not there is tried again as it asks, and the cursor waits', async () => {
  const { clock, bodies, cursors, end, counted } = started([
    { kind: 'unavailable', message: 'HTTP 503', retryAfterMs: 7000 },
    { kind: 'unavailable', message: 'no answer' },
  ]);
  end(1);
  await clock.advance(500);
  expect(bodies).toHaveLength(1);
  await clock.advance(6999);
  expect(bodies).toHaveLength(1);
  // Not beyond the result that is not taken.
  expect(cursors).toEqual([12]);
  await clock.advance(1);
  expect(bodies).toHaveLength(2);
  await clock.advance(2000);
  expect(bodies).toHaveLength(3);
  expect(new Set(bodies).size).toBe(1);
  expect(await counted('spear_spans_exported_total')).toBe(3);
  expect(await counted('spear_spans_dropped_total')).toBe(0);
});

it('a receiver that says "at once" is not asked over and over', async () => {
  const { clock, bodies, end } = started(
    Array.from({ length: 5 }, () => ({ kind: 'unavailable', message: 'HTTP 429', retryAfterMs: 0 }) as const),
  );
  end(1);
  await clock.advance(500);
  await clock.advance(999);
  expect(bodies).toHaveLength(1);
  await clock.advance(5000);
  expect(bodies).toHaveLength(6);
});

it('what the receiver refuses, whole or in part, is dropped and counted, and what follows is sent', async () => {
  const { clock, bodies, end, counted } = started([
    { kind: 'refused', message: 'HTTP 400' },
    { kind: 'taken', rejected: 1, message: 'too old' },
  ]);
  end(1);
  await clock.advance(500);
  end(2);
  await clock.advance(500);
  expect(bodies).toHaveLength(2);
  expect(await counted('spear_spans_dropped_total')).toBe(4);
  expect(await counted('spear_spans_exported_total')).toBe(2);
});

it('beyond the bound of those that wait the newest are dropped', async () => {
  const { clock, end, counted } = started([{ kind: 'unavailable', message: 'down', retryAfterMs: 100_000 }]);
  for (let number = 1; number <= 32_776; number++) end(number);
  await clock.advance(500);
  expect(await counted('spear_traces_waiting')).toBe(32_768);
  expect(await counted('spear_spans_dropped_total')).toBe(8 * 3);
  await clock.advance(100_000);
  expect(await counted('spear_spans_exported_total')).toBe(32_768 * 3);
});

it('those of an earlier run come first, once each, and only those that have ended', async () => {
  const running = recordOf(executionId(2), 'running', { trace });
  const { clock, bodies, end, counted } = started([], [ended(1), running, ended(3)]);
  // It was found, and ends before its turn comes.
  end(3);
  await clock.advance(1000);
  expect(await counted('spear_spans_exported_total')).toBe(6);
  const all = bodies.join('');
  expect(all.split(`"spanId":"${executionSpan(executionId(3))}"`)).toHaveLength(2);
  expect(all).not.toContain(executionSpan(executionId(2)));
});

it.each([
  ['has no trace', { trace: { ...trace, spans: false } }],
  ['was restored as a record', { restoredAt: 5 }],
  ['goes on elsewhere', { status: 'failed', outcome: { status: 'failed', code: 'MOVED', message: '' } }],
] as const)('one that %s is not sent', async (_what, more) => {
  const { clock, bodies, end } = started();
  end(1, more);
  await clock.advance(2000);
  expect(bodies).toEqual([]);
});

it('a stop sends what is left, and leaves what is not taken to the next run', async () => {
  const good = started();
  good.end(1);
  await good.exporter.close();
  expect(good.bodies).toHaveLength(1);
  expect(good.cursors).toEqual([13]);
  const bad = started([{ kind: 'unavailable', message: 'down' }]);
  bad.end(1);
  await bad.exporter.close();
  expect(bad.bodies).toHaveLength(1);
  expect(bad.cursors).toEqual([12]);
});
