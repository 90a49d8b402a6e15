import { expect, test } from 'vitest';
import { emptyInvocation } from '../../../src/stores/invocation.ts';
import type { Store } from '../../../src/stores/store.ts';
import { bytesOf, chunk, executionId, invocationOf, recordOf, result, transition } from '../samples.ts';
import { a, all, appending, b, c, creating, sequences } from './entries.ts';

export function commitContract(open: () => Promise<Store>): void {
  test('an admission is read back with its record, log and input', async () => {
    const store = await open();
    const record = recordOf(a, 'pending', {
      invocationId: 'key',
      metadata: { ['__proto__']: 'x', '': '\0' },
    });
    const events = [transition(1, '', 'pending.queued')];
    const input = invocationOf();
    const entry = {
      ...appending(a, 0, events),
      record,
      input,
      claimInvocationId: 'key',
    };
    expect(await store.commit([entry])).toEqual([{ ok: true, position: 1 }]);
    expect(await store.execution(a)).toEqual(record);
    expect(await store.executionByInvocation('default', 'key')).toEqual(record);
    expect(await store.input(a)).toEqual(input);
    expect(await store.events(a, all)).toEqual([{ ...events[0], position: 1 }]);
  });

  test('what is not there is undefined or empty', async () => {
    const store = await open();
    expect(await store.execution(a)).toBeUndefined();
    expect(await store.executionByInvocation('default', 'key')).toBeUndefined();
    expect(await store.input(a)).toBeUndefined();
    expect(await store.events(a, all)).toEqual([]);
    expect(await store.outline(a)).toEqual({
      transitions: [],
      refusals: [],
      lastTime: 0,
      output: { stdout: 0, stderr: 0 },
    });
    expect(await store.eventsFromPosition(0, 10)).toEqual([]);
    expect(await store.unfinished('', 10)).toEqual([]);
    expect(await store.commit([])).toEqual([]);
  });

  test('creating an execution that exists is a conflict that tells its last sequence', async () => {
    const store = await open();
    await store.commit([creating(a)]);
    expect(await store.commit([creating(a)])).toEqual([{ ok: false, conflict: 'sequence', lastSequence: 3 }]);
    expect(await store.commit([{ ...creating(a), claimInvocationId: 'key' }])).toEqual([
      { ok: false, conflict: 'sequence', lastSequence: 3 },
    ]);
    expect(await store.executionByInvocation('default', 'key')).toBeUndefined();
  });

  test('appending to an unknown execution is a conflict at 0', async () => {
    const store = await open();
    expect(await store.commit([appending(a, 3, [result(4)])])).toEqual([
      { ok: false, conflict: 'sequence', lastSequence: 0 },
    ]);
  });

  test('an entry in conflict writes nothing and the others of its commit go on', async () => {
    const store = await open();
    await store.commit([creating(a, 'running')]);
    const stale = {
      ...appending(a, 2, [result(3)]),
      record: recordOf(a, 'failed'),
      claimInvocationId: 'stale',
    };
    expect(await store.commit([creating(b), stale, creating(c)])).toEqual([
      { ok: true, position: 4 },
      { ok: false, conflict: 'sequence', lastSequence: 3 },
      { ok: true, position: 7 },
    ]);
    expect((await store.execution(a))?.status).toBe('running');
    expect(await store.executionByInvocation('default', 'stale')).toBeUndefined();
    expect(sequences(await store.events(a, all))).toEqual([1, 2, 3]);
  });

  test('a key that another execution owns is a conflict that names the owner', async () => {
    const store = await open();
    await store.commit([{ ...creating(a), claimInvocationId: 'key' }]);
    const entry = { ...creating(b), claimInvocationId: 'key', input: invocationOf() };
    expect(await store.commit([entry])).toEqual([{ ok: false, conflict: 'invocation', executionId: a }]);
    expect(await store.execution(b)).toBeUndefined();
    expect(await store.events(b, all)).toEqual([]);
    expect(await store.commit([creating(b)])).toEqual([{ ok: true, position: 4 }]);
  });

  test('of two entries of one commit that claim a key the first gets it', async () => {
    const store = await open();
    const claim = (id: string) => ({ ...creating(id), claimInvocationId: 'key' });
    expect(await store.commit([claim(b), claim(a)])).toEqual([
      { ok: true, position: 1 },
      { ok: false, conflict: 'invocation', executionId: b },
    ]);
    expect((await store.executionByInvocation('default', 'key'))?.executionId).toBe(b);
  });

  test('the owner of a key may claim it again', async () => {
    const store = await open();
    await store.commit([{ ...creating(a, 'running'), claimInvocationId: 'key' }]);
    const again = { ...appending(a, 3, [result(4)]), claimInvocationId: 'key' };
    expect(await store.commit([again])).toEqual([{ ok: true, position: 4 }]);
  });

  test('several entries of one execution in one commit follow each other', async () => {
    const store = await open();
    const results = await store.commit([
      creating(a, 'running'),
      appending(a, 3, [chunk(4, bytesOf(10))]),
      appending(a, 3, [chunk(4, bytesOf(11))]),
      { ...appending(a, 4, [result(5)]), record: recordOf(a, 'completed', { lastSequence: 5 }) },
    ]);
    expect(results).toEqual([
      { ok: true, position: 1 },
      { ok: true, position: 4 },
      { ok: false, conflict: 'sequence', lastSequence: 4 },
      { ok: true, position: 5 },
    ]);
    expect(sequences(await store.events(a, all))).toEqual([1, 2, 3, 4, 5]);
    expect((await store.execution(a))?.lastSequence).toBe(5);
  });

  test('an entry without events moves neither log nor position', async () => {
    const store = await open();
    await store.commit([creating(a, 'running')]);
    const entry = { ...appending(a, 3, []), record: recordOf(a, 'running', { attempt: 2 }) };
    expect(await store.commit([entry, creating(b)])).toEqual([
      { ok: true, position: 4 },
      { ok: true, position: 4 },
    ]);
    expect((await store.execution(a))?.attempt).toBe(2);
    expect(await store.commit([appending(a, 2, [])])).toEqual([
      { ok: false, conflict: 'sequence', lastSequence: 3 },
    ]);
  });

  test('events that do not follow one by one are refused as a bug, and nothing of the commit is written', async () => {
    const store = await open();
    const bad = [
      appending(a, 0, [result(2)]),
      appending(a, 0, [result(1), result(3)]),
      appending(a, -1, [result(0)]),
      appending(a, 0.5, []),
      appending(a, 0, []),
    ];
    for (const entry of bad) await expect(store.commit([creating(b), entry])).rejects.toThrow(RangeError);
    expect(await store.execution(b)).toBeUndefined();
  });

  test('an invocation that says nothing is read back empty, and one that is written stays', async () => {
    const store = await open();
    await store.commit([{ ...creating(a, 'running'), input: emptyInvocation() }, creating(b)]);
    expect(await store.input(a)).toEqual(emptyInvocation());
    expect(await store.input(b)).toEqual(emptyInvocation());
    const first = invocationOf();
    await store.commit([{ ...creating(c, 'running'), input: first }]);
    await store.commit([{ ...appending(c, 3, [result(4)]), input: invocationOf({ functionName: 'other' }) }]);
    expect(await store.input(c)).toEqual(first);
  });

  test('inputs of every size are read back to the byte', async () => {
    const store = await open();
    const sizes = [1, 256 * 1024, 256 * 1024 + 1, 3_000_000];
    for (const [index, size] of sizes.entries()) {
      const id = executionId(10 + index);
      const input = invocationOf({ input: bytesOf(size), parameters: { text: 'é\0'.repeat(size / 4) } });
      // A view into a larger buffer, as it comes off the wire.
      const view = new Uint8Array([7, 7, ...input.input.subarray(0, 1), 7]).subarray(2, 3);
      await store.commit([{ ...creating(id), input: size === 1 ? { ...input, input: view } : input }]);
      const read = await store.input(id);
      expect(read?.parameters).toEqual(input.parameters);
      expect(Buffer.compare(read?.input ?? new Uint8Array(), input.input)).toBe(0);
    }
  });

  test('the caller shares no state with the store', async () => {
    const store = await open();
    const data = Uint8Array.of(1, 2, 3);
    const metadata = { k: 'v' };
    const entry = appending(a, 0, [transition(1, '', 'pending'), chunk(2, data)]);
    await store.commit([{ ...entry, record: recordOf(a, 'running', { metadata }) }]);
    data.fill(9);
    metadata.k = 'changed';
    expect((await store.execution(a))?.metadata).toEqual({ k: 'v' });
    const read = (await store.events(a, all))[1];
    expect(read?.kind === 'chunk' && [...read.data]).toEqual([1, 2, 3]);
    if (read?.kind === 'chunk') read.data.fill(8);
    const again = (await store.events(a, all))[1];
    expect(again?.kind === 'chunk' && [...again.data]).toEqual([1, 2, 3]);
  });

  test('a closed store rejects with StoreError, and closing twice is no error', async () => {
    const store = await open();
    await store.close();
    await store.close();
    await expect(store.commit([creating(a)])).rejects.toMatchObject({ name: 'StoreError' });
    await expect(store.execution(a)).rejects.toMatchObject({ name: 'StoreError' });
  });
}
