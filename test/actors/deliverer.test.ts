/** Telling of ends, with receivers that do as the test says and a clock that is moved by hand. */
import { describe, expect, test } from 'vitest';
import { Deliverer, type DelivererHost } from '../../src/actors/webhooks/deliverer.ts';
import type { ExecutionRecord } from '../../src/domain/execution.ts';
import { type Delivery, deliveriesOf, type Sent } from '../../src/domain/webhook.ts';
import { withOutbox } from '../../src/stores/outbox.ts';
import { executionId, invocationOf, recordOf, result, transition } from '../stores/samples.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { createMemoryStore } from '../support/memory-store/store.ts';

const hourMs = 3_600_000;
const url = 'https://a.example/hook';

interface Try {
  readonly delivery: Delivery;
  readonly at: number;
  answer(sent: Sent): void;
}

function bench(
  more: Partial<DelivererHost> = {},
  left?: { clock: FakeClock; memory: ReturnType<typeof createMemoryStore> },
) {
  const clock = left?.clock ?? new FakeClock();
  const memory = left?.memory ?? createMemoryStore();
  const store = withOutbox(memory);
  const tries: Try[] = [];
  const errors: unknown[] = [];
  const died: string[] = [];
  const deliverer = new Deliverer({
    ...{ clock, store, random: () => 0 },
    send: (delivery) =>
      new Promise<Sent>((resolve) => tries.push({ delivery, at: clock.now(), answer: resolve })),
    failed: (error) => errors.push(error),
    died: ({ id }) => died.push(id),
    ...more,
  });
  let made = 0;
  return {
    ...{ clock, memory, store, tries, errors, died, deliverer },
    /** One that ends now, and its webhooks. */
    async end(
      webhooks: ExecutionRecord['onEnd'],
      more: Partial<ExecutionRecord> = {},
    ): Promise<ExecutionRecord> {
      const id = executionId(++made);
      const record = {
        ...recordOf(id, 'completed', { lastSequence: 2, completedAt: clock.now() }),
        ...more,
        ...(webhooks !== undefined && { onEnd: webhooks }),
      };
      const events = [transition(1, '', 'pending.queued'), result(2)];
      await store.commit([
        { executionId: id, expectedLastSequence: 0, events, record, input: invocationOf() },
      ]);
      deliverer.committed(record, events);
      await settle();
      return record;
    },
    async state(record: ExecutionRecord) {
      const [delivery] = await deliverer.list({
        ...{ tenant: 'default', executionId: record.executionId, after: '', limit: 10 },
      });
      return delivery;
    },
    async answer(sent: Sent, index = tries.length - 1): Promise<void> {
      tries[index]?.answer(sent);
      await settle();
    },
  };
}

const failed: Sent = { kind: 'failed', status: 500, error: 'it answered with HTTP 500' };
const taken: Sent = { kind: 'delivered', status: 204 };

describe('a delivery', () => {
  test('is tried at once, and later and later until a day is over; then it is dead', async () => {
    const on = bench();
    const record = await on.end([{ url }]);
    const begun = on.clock.now();
    for (let answered = 0; (await on.state(record))?.state === 'pending'; ) {
      if (on.tries.length > answered) {
        await on.answer(failed);
        answered += 1;
      } else await on.clock.advance(1000 * (answered < 3 ? 1 : 60));
    }
    const after = on.tries.map(({ at }) => Math.round((at - begun) / 60_000));
    expect(after).toEqual([0, 0, 1, 3, 8, 38, 158, 398, 638, 878, 1118, 1358]);
    expect(await on.state(record)).toMatchObject({ state: 'dead', lastError: 'it answered with HTTP 500' });
    expect(on.died).toHaveLength(1);
    expect(new Set(on.tries.map(({ delivery }) => delivery.id)).size).toBe(1);
    await on.deliverer.close();
  });

  test('waits 5 s after the first failure, and as long as its receiver asks', async () => {
    const on = bench();
    await on.end([{ url }]);
    await on.answer(failed);
    await on.clock.advance(4999);
    expect(on.tries).toHaveLength(1);
    await on.clock.advance(1);
    await settle();
    expect(on.tries).toHaveLength(2);
    await on.answer({ ...failed, status: 429, retryAfterMs: hourMs });
    // Another one to that URL waits, too; one to another does not.
    await on.end([{ url }, { url: 'https://a.example/other' }]);
    expect(on.tries.map(({ delivery }) => delivery.url)).toEqual([url, url, 'https://a.example/other']);
    for (let minute = 0; minute < 61; minute++) await on.clock.advance(60_000);
    await settle();
    expect(on.tries).toHaveLength(5);
    await on.deliverer.close();
  });

  test('that was under way when the node died is made again by the next one, with its id', async () => {
    const before = bench();
    const record = await before.end([{ url }]);
    await before.deliverer.close();
    const after = bench({}, before);
    after.deliverer.open();
    await settle();
    expect(after.tries.map(({ delivery }) => delivery.id)).toEqual(
      before.tries.map(({ delivery }) => delivery.id),
    );
    await after.answer(taken);
    expect(await after.state(record)).toMatchObject({ state: 'delivered', attempts: 1 });
    await after.deliverer.close();
  });

  test('is forgotten a day after it was made, and a month after it was given up', async () => {
    const on = bench();
    const [good, bad] = [await on.end([{ url }]), await on.end([{ url }])];
    await on.answer(taken, 0);
    await on.answer({ ...failed, isFinal: true }, 1);
    on.deliverer.open();
    await on.clock.advance(25 * hourMs);
    await settle();
    expect([await on.state(good), await on.state(bad)]).toMatchObject([undefined, { state: 'dead' }]);
    for (let day = 0; day < 30; day++) await on.clock.advance(24 * hourMs);
    await settle();
    expect(await on.state(bad)).toBeUndefined();
    await on.deliverer.close();
  });

  test('stands in the store with the end, and only there', async () => {
    const on = bench();
    const kept = await on.end([{ url }, { url, statuses: ['failed'] }, { url, secret: 'other' }]);
    expect((await on.memory.rows({ kind: 'webhook', limit: 10 })).map(({ key }) => key)).toEqual(
      deliveriesOf(kept).map(({ id }) => id),
    );
    expect(deliveriesOf(kept)).toHaveLength(2);
    const moved = { status: 'failed', code: 'MOVED', message: 'moved' } as const;
    await on.end([{ url }], { status: 'failed', state: 'failed', outcome: moved });
    await on.end([{ url }], { restoredAt: on.clock.now() });
    await on.end(undefined);
    expect(await on.memory.countRows('webhook')).toBe(2);
    await on.deliverer.close();
  });
});

describe('a receiver that hangs', () => {
  test('has a few at a time, and holds up neither another of its tenant nor another tenant', async () => {
    const on = bench();
    for (let count = 0; count < 30; count++) await on.end([{ url }]);
    expect(on.tries).toHaveLength(8);
    await on.end([{ url: 'https://b.example/' }]);
    await on.end([{ url: 'https://c.example/' }], { tenant: 'other' });
    expect(on.tries.slice(8).map(({ delivery }) => delivery.url)).toEqual([
      'https://b.example/',
      'https://c.example/',
    ]);
    for (let count = 0; count < 20; count++) await on.end([{ url: `https://${count}.example/` }]);
    // Sixteen of a tenant.
    expect(on.tries.filter(({ delivery }) => delivery.tenant === 'default')).toHaveLength(16);
    await on.deliverer.close();
  });

  test('has a bounded place in memory; what found none is told when there is room', async () => {
    const on = bench({ bounds: { perLane: 5, remembered: 10 } });
    for (let count = 0; count < 40; count++) await on.end([{ url }]);
    expect(on.deliverer.counts.waiting).toBeLessThanOrEqual(13);
    await on.end([{ url: 'https://b.example/' }], { tenant: 'other' });
    for (let round = 0; round < 200 && on.deliverer.counts.delivered < 41; round++) {
      for (const each of on.tries) each.answer(taken);
      await on.clock.advance(1000);
      await settle();
    }
    expect(on.deliverer.counts.delivered).toBe(41);
    await on.deliverer.close();
  });

  test('takes no place in memory of another tenant, however many it has', async () => {
    const on = bench({ bounds: { perLane: 5, remembered: 20, lanes: 10 } });
    const many = Array.from({ length: 8 }, (_, port) => ({ url: `https://a.example:${1000 + port}/` }));
    for (let count = 0; count < 20; count++) await on.end(many, { tenant: 'many' });
    expect(on.deliverer.counts.waiting).toBeLessThanOrEqual(20);
    const told = () => on.tries.filter(({ delivery }) => delivery.tenant === 'other').length;
    for (let count = 1; count <= 10; count++) {
      await on.end([{ url: 'https://b.example/' }], { tenant: 'other' });
      await on.answer(taken);
      expect(told()).toBe(count);
    }
    await on.deliverer.close();
  });

  test('has what found no place looked for, also while another answers all the time', async () => {
    const on = bench({ bounds: { perLane: 1, running: 4 } });
    on.deliverer.open();
    const later = Array.from({ length: 5 }, (_, index) => ({ url: `https://later.example/${index}` }));
    await on.end(later);
    // Something else is answered every second.
    for (let second = 0; second < 60 && on.deliverer.counts.delivered < 40; second++) {
      await on.end([{ url: 'https://busy.example/' }]);
      for (const each of on.tries) if (each.delivery.url.includes('busy')) each.answer(taken);
      await on.clock.advance(1000);
      await settle();
      for (const each of on.tries) if (each.delivery.url.includes('later')) each.answer(taken);
      await settle();
    }
    const tried = on.tries.filter(({ delivery }) => delivery.url.includes('later'));
    expect(new Set(tried.map(({ delivery }) => delivery.id)).size).toBe(5);
    await on.deliverer.close();
  });

  test('that failed is told again at once when somebody asks for that before its next try', async () => {
    const on = bench();
    const record = await on.end([{ url }]);
    await on.answer(failed);
    const [waiting] = await on.deliverer.list({
      ...{ tenant: 'default', executionId: record.executionId, after: '', limit: 10 },
    });
    if (waiting === undefined) throw new Error('there is no delivery');
    await on.deliverer.redrive([waiting]);
    await settle();
    expect(on.tries).toHaveLength(2);
    await on.answer(taken);
    expect(await on.state(record)).toMatchObject({ state: 'delivered', attempts: 1 });
    await on.clock.advance(60_000);
    expect(on.tries).toHaveLength(2);
    await on.deliverer.close();
  });
});
