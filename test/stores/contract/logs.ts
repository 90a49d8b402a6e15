import { expect, test } from 'vitest';
import type { NewEvent } from '../../../src/domain/event.ts';
import { maxPageEvents } from '../../../src/stores/page.ts';
import type { Store } from '../../../src/stores/store.ts';
import { bytesOf, chunk, executionId, refusal, result, shortLog, transition } from '../samples.ts';
import { a, all, appending, b, c, creating, sequences } from './entries.ts';

export function logContract(open: () => Promise<Store>): void {
  test('every kind of event is read back as it was, chunks to the byte', async () => {
    const store = await open();
    const events: NewEvent[] = [
      transition(1, '', 'pending.queued'),
      { ...transition(2, 'pending.queued', 'running'), contextPatch: '{"é":"\\u0000"}', reasonCode: 'TRAP' },
      chunk(3, bytesOf(65_536)),
      chunk(4, bytesOf(7, 100), 'stderr'),
      chunk(5, bytesOf(1), 'stdout'),
      refusal(6, 'inside.example'),
      chunk(7, bytesOf(2, 3)),
      { ...refusal(8, ''), rule: '', more: 1000 },
      { ...result(9, 'timedOut'), attempt: 3 },
    ];
    await store.commit([appending(a, 0, events)]);
    expect(await store.events(a, all)).toEqual(
      events.map((event, index) => ({ ...event, position: index + 1 })),
    );
  });

  test('a log is read from any sequence on, over commits of any size', async () => {
    const store = await open();
    let last = 0;
    for (const count of [1, 5, 1, 40, 2]) {
      const events = Array.from({ length: count }, (_, index) =>
        chunk(last + index + 1, bytesOf(3, last + index)),
      );
      await store.commit([appending(a, last, events), appending(executionId(50 + last), 0, shortLog())]);
      last += count;
    }
    for (let from = 0; from <= last + 1; from++) {
      const expected = Array.from({ length: last }, (_, index) => index + 1).filter(
        (sequence) => sequence >= from,
      );
      expect(sequences(await store.events(a, { from, maxBytes: 1000 }))).toEqual(expected);
    }
  });

  test('a page is cut at maxBytes of chunk data, holds whole events and at least one', async () => {
    const store = await open();
    const events = [
      chunk(1, bytesOf(10)),
      chunk(2, bytesOf(10)),
      transition(3, 'x', 'y'),
      chunk(4, bytesOf(10)),
      result(5),
    ];
    await store.commit([appending(a, 0, events)]);
    const page = async (from: number, maxBytes: number) =>
      sequences(await store.events(a, { from, maxBytes }));
    expect(await page(1, 20)).toEqual([1, 2, 3]);
    expect(await page(1, 29)).toEqual([1, 2, 3]);
    expect(await page(1, 30)).toEqual([1, 2, 3, 4, 5]);
    expect(await page(2, 5)).toEqual([2]);
    expect(await page(3, 0)).toEqual([3]);
    expect(await page(4, 0)).toEqual([4]);
    expect(await page(6, 100)).toEqual([]);
  });

  test('a page has a largest number of events', async () => {
    const store = await open();
    const events = Array.from({ length: maxPageEvents + 5 }, (_, index) => chunk(index + 1, bytesOf(1)));
    await store.commit([appending(a, 0, events)]);
    expect(await store.events(a, all)).toHaveLength(maxPageEvents);
    expect(await store.events(a, { ...all, from: maxPageEvents + 1 })).toHaveLength(5);
  });

  test('an entry of many megabytes is read back whole, page by page', async () => {
    const store = await open();
    const events = Array.from({ length: 100 }, (_, index) => chunk(index + 1, bytesOf(65_536, index)));
    expect(await store.commit([appending(a, 0, events), creating(b)])).toEqual([
      { ok: true, position: 1 },
      { ok: true, position: 101 },
    ]);
    let from = 1;
    while (from <= 100) {
      const page = await store.events(a, { from, maxBytes: 300_000 });
      expect(page.length).toBe(Math.min(4, 101 - from));
      for (const event of page) {
        const data = event.kind === 'chunk' ? event.data : new Uint8Array();
        expect(Buffer.compare(data, bytesOf(65_536, event.sequence - 1))).toBe(0);
      }
      from += page.length;
    }
  });

  test('the events of all executions are read in order of position, from any position on', async () => {
    const store = await open();
    await store.commit([creating(a, 'running'), creating(b)]);
    await store.commit([appending(a, 3, [chunk(4, bytesOf(3)), result(5)]), creating(a), creating(c)]);
    const expected = [
      ...shortLog().map((event, index) => ({ ...event, position: 1 + index, executionId: a })),
      ...shortLog().map((event, index) => ({ ...event, position: 4 + index, executionId: b })),
      { ...chunk(4, bytesOf(3)), position: 7, executionId: a },
      { ...result(5), position: 8, executionId: a },
      ...shortLog().map((event, index) => ({ ...event, position: 9 + index, executionId: c })),
    ];
    for (let from = 0; from <= 13; from++) {
      for (const limit of [1, 2, 100]) {
        const wanted = expected.filter((event) => event.position >= from).slice(0, limit);
        expect(await store.eventsFromPosition(from, limit)).toEqual(wanted);
      }
    }
    expect(await store.eventsFromPosition(1, 0)).toEqual([]);
  });
}
