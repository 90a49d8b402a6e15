import { describe, expect, it } from 'vitest';
import { Turns } from '../../../src/runtimes/wasm/programs/turns.ts';

describe('turns', () => {
  it('let others run while one hangs', async () => {
    const turns = new Turns(2);
    const hanging = Promise.withResolvers<string>();
    const stuck = turns.take(() => hanging.promise);
    expect(await turns.take(async () => 'second')).toBe('second');
    expect(await turns.take(async () => 'third')).toBe('third');
    hanging.resolve('first');
    expect(await stuck).toBe('first');
  });

  it('are never more at once than allowed, and come in order', async () => {
    const turns = new Turns(2);
    const begun: number[] = [];
    const ends = [0, 1, 2, 3].map(() => Promise.withResolvers<void>());
    const all = ends.map(({ promise }, index) =>
      turns.take(() => {
        begun.push(index);
        return promise;
      }),
    );
    await Promise.resolve();
    expect(begun).toEqual([0, 1]);
    for (const end of ends) end.resolve();
    await Promise.all(all);
    expect(begun).toEqual([0, 1, 2, 3]);
  });

  it('go on after one that failed', async () => {
    const turns = new Turns(1);
    await expect(turns.take(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await turns.take(async () => 'next')).toBe('next');
  });
});
