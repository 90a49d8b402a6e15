import { expect, test } from 'vitest';
import type { Store } from '../../../src/stores/store.ts';
import { bytesOf, chunk, result, shortLog, transition } from '../samples.ts';
import { a, appending, b } from './entries.ts';

export function outlineContract(open: () => Promise<Store>): void {
  test('an outline has every transition as it was written, over commits of any size, and no output', async () => {
    const store = await open();
    const place = { sequence: 5, time: 1, status: 'running', attempt: 1 } as const;
    const refused = { host: '10.0.0.1', port: 80, address: '', rule: 'private', more: 0 } as const;
    const refusal = { kind: 'refusal', ...place, ...refused } as const;
    await store.commit([
      appending(a, 0, [transition(1, '', 'pending.queued')]),
      appending(b, 0, shortLog()),
      appending(a, 1, [
        transition(2, 'pending.queued', 'running'),
        chunk(3, bytesOf(65_536)),
        chunk(4, bytesOf(3)),
        refusal,
      ]),
    ]);
    await store.commit([appending(a, 5, [transition(6, 'running', 'running.stopping'), result(7)])]);
    const events = await store.events(a, { from: 1, maxBytes: 1 << 20 });
    const outline = await store.outline(a);
    expect(outline.transitions).toEqual(events.filter(({ kind }) => kind === 'transition'));
    expect(outline.transitions).toHaveLength(3);
    expect(outline.refusals).toEqual(events.filter(({ kind }) => kind === 'refusal'));
    expect(outline.refusals).toHaveLength(1);
    expect(outline.lastTime).toBe(events.at(-1)?.time);
  });

  test('output is counted by stream, since the transition that began the last attempt', async () => {
    const store = await open();
    const second = (sequence: number) => ({
      ...transition(sequence, 'running.backingOff', 'running'),
      attempt: 2,
    });
    await store.commit([
      appending(a, 0, [
        transition(1, '', 'pending.queued'),
        transition(2, 'pending.queued', 'running'),
        chunk(3, bytesOf(100)),
        transition(4, 'running', 'running.backingOff'),
      ]),
    ]);
    expect((await store.outline(a)).output).toEqual({ stdout: 100, stderr: 0 });
    await store.commit([
      appending(a, 4, [
        second(5),
        { ...chunk(6, bytesOf(7)), attempt: 2 },
        { ...chunk(7, bytesOf(20), 'stderr'), attempt: 2 },
      ]),
      appending(a, 7, [{ ...chunk(8, bytesOf(1)), attempt: 2 }]),
    ]);
    expect((await store.outline(a)).output).toEqual({ stdout: 8, stderr: 20 });
  });
}
