import { expect, test } from 'vitest';
import type { Store } from '../../../src/stores/store.ts';
import {
  bytesOf,
  chunk,
  executionId,
  invocationOf,
  recordOf,
  result,
  shortLog,
  transition,
} from '../samples.ts';
import { a, all, appending, b, c, creating, sequences } from './entries.ts';

export function stagingContract(open: () => Promise<Store>): void {
  const first = [transition(1, '', 'pending.queued'), transition(2, 'pending.queued', 'running')];
  const second = [chunk(3, bytesOf(1000)), chunk(4, bytesOf(10))];
  const last = {
    ...appending(a, 4, [result(5)]),
    record: recordOf(a, 'completed', { lastSequence: 5 }),
    input: invocationOf(),
    claimInvocationId: 'key',
  };

  test('a log that was staged in parts is an execution with the commit that brings its record', async () => {
    const store = await open();
    await store.stage(a, first);
    await store.stage(a, second);
    expect(await store.commit([last])).toMatchObject([{ ok: true }]);
    expect(await store.execution(a)).toEqual(last.record);
    expect(await store.executionByInvocation('default', 'key')).toEqual(last.record);
    expect(await store.input(a)).toEqual(last.input);
    const events = await store.events(a, all);
    expect(events.map(({ position: _, ...event }) => event)).toEqual([...first, ...second, ...last.events]);
  });

  test('until then nobody sees it, and it is where the commit has to go on', async () => {
    const store = await open();
    await store.commit([creating(b)]);
    await store.stage(a, first);
    expect(await store.execution(a)).toBeUndefined();
    expect(await store.input(a)).toBeUndefined();
    expect(await store.events(a, all)).toEqual([]);
    expect((await store.outline(a)).transitions).toEqual([]);
    expect(await store.unfinished('', 10)).toEqual([]);
    const seen = await store.eventsFromPosition(0, 10);
    expect(seen.map((event) => event.executionId)).toEqual([b, b, b]);
    expect(await store.commit([last])).toEqual([{ ok: false, conflict: 'sequence', lastSequence: 2 }]);
  });

  test('no position is given twice, whatever is staged and dropped between commits', async () => {
    const store = await open();
    await store.commit([creating(b)]);
    await store.stage(a, first);
    const [between] = await store.commit([creating(c)]);
    await store.stage(a, second);
    await store.unstage(a);
    const [after] = await store.commit([creating(executionId(4))]);
    expect(between).toEqual({ ok: true, position: 6 });
    expect(after).toEqual({ ok: true, position: 11 });
  });

  test('what was dropped can be staged anew, and dropping what is not staged touches nothing', async () => {
    const store = await open();
    await store.stage(a, [...first, ...second]);
    await store.unstage(a);
    await store.unstage(a);
    await store.stage(a, first);
    await store.stage(a, second);
    expect(await store.commit([last])).toMatchObject([{ ok: true }]);
    await store.unstage(a);
    expect(sequences(await store.events(a, all))).toEqual([1, 2, 3, 4, 5]);
  });

  test('an execution that is there cannot be staged, also one without a record', async () => {
    const store = await open();
    await store.commit([creating(a), appending(b, 0, shortLog())]);
    await expect(store.stage(a, first)).rejects.toMatchObject({ name: 'StoreError' });
    await expect(store.stage(a, [result(4)])).rejects.toMatchObject({ name: 'StoreError' });
    await expect(store.stage(b, [result(4)])).rejects.toMatchObject({ name: 'StoreError' });
    expect(sequences(await store.events(a, all))).toEqual([1, 2, 3]);
    expect(sequences(await store.events(b, all))).toEqual([1, 2, 3]);
  });

  test('parts that do not follow one another are refused, and what is staged stays', async () => {
    const store = await open();
    await store.stage(a, first);
    await expect(store.stage(a, [chunk(4, bytesOf(1))])).rejects.toThrow();
    await expect(store.stage(a, first)).rejects.toThrow();
    await expect(store.stage(a, [chunk(3, bytesOf(1)), chunk(5, bytesOf(1))])).rejects.toThrow(RangeError);
    await store.stage(a, second);
    expect(await store.commit([last])).toMatchObject([{ ok: true }]);
  });

  test('a key that another owns leaves it staged, for its writer to drop', async () => {
    const store = await open();
    await store.commit([{ ...creating(b), claimInvocationId: 'key' }]);
    await store.stage(a, [...first, ...second]);
    expect(await store.commit([last])).toEqual([{ ok: false, conflict: 'invocation', executionId: b }]);
    expect(await store.events(a, all)).toEqual([]);
    await store.unstage(a);
    expect(await store.commit([creating(a)])).toMatchObject([{ ok: true }]);
  });

  test('a log of many megabytes is staged part by part', async () => {
    const store = await open();
    await store.stage(a, first);
    for (let part = 0; part < 10; part++) {
      const from = 3 + part * 16;
      await store.stage(
        a,
        Array.from({ length: 16 }, (_, index) => chunk(from + index, bytesOf(65_536, part))),
      );
    }
    const record = recordOf(a, 'completed', { lastSequence: 163 });
    expect(await store.commit([{ ...appending(a, 162, [result(163)]), record }])).toMatchObject([
      { ok: true },
    ]);
    expect((await store.outline(a)).output.stdout).toBe(10 * 1024 * 1024);
  });
}
