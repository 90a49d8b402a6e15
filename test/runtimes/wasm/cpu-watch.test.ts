import { beforeEach, describe, expect, it } from 'vitest';
import { CpuWatch } from '../../../src/runtimes/wasm/cpu-watch.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** A thread that had used a second before its job began, and whose job uses a share of the time that goes by. */
class ScriptedThread {
  readonly cpuStart = new Float64Array([1_000_000]);
  readonly looks: number[] = [];
  readonly usedUp: number[] = [];
  /** It cannot be asked: Node rejects while a thread starts. */
  deaf = false;
  readonly watch: CpuWatch;
  readonly #clock = new FakeClock();
  readonly #began = this.#clock.monotonic();
  readonly #share: number;

  constructor(limitMs: number, share: number) {
    this.#share = share;
    this.watch = new CpuWatch({
      clock: this.#clock,
      limitMs,
      cpuStart: this.cpuStart,
      worker: { cpuUsage: async () => this.#use() },
      onUsedUp: (usedUs) => this.usedUp.push(usedUs),
    });
  }

  get timers(): number {
    return this.#clock.timers;
  }

  advance(ms: number): Promise<void> {
    return this.#clock.advance(ms);
  }

  async #use() {
    const wallMs = this.#clock.monotonic() - this.#began;
    this.looks.push(wallMs);
    if (this.deaf) throw new Error('ERR_WORKER_NOT_RUNNING');
    return { user: 1_000_000 + wallMs * 900 * this.#share, system: wallMs * 100 * this.#share };
  }
}

describe('a watch of CPU time', () => {
  let thread: ScriptedThread;
  beforeEach(() => {
    thread = new ScriptedThread(1000, 1);
  });

  it('looks once at a job that computes all the time, and finds it out', async () => {
    await thread.advance(999);
    expect(thread.usedUp).toEqual([]);
    await thread.advance(1);
    expect(thread).toMatchObject({ looks: [1000], usedUp: [1_000_000], timers: 0 });
  });

  it('looks again when the rest could be used up at the earliest, and 10 ms later at the earliest', async () => {
    thread = new ScriptedThread(1000, 0.5);
    await thread.advance(3000);
    expect(thread.looks.slice(0, 4)).toEqual([1000, 1500, 1750, 1875]);
    const gaps = thread.looks.slice(1).map((look, index) => look - (thread.looks[index] ?? 0));
    expect(Math.min(...gaps)).toBe(10);
    expect(thread.usedUp).toHaveLength(1);
    expect(thread.usedUp[0]).toBeLessThan(1_010_000);
  });

  it('hardly looks at a job that waits', async () => {
    thread = new ScriptedThread(1000, 0);
    await thread.advance(10_000);
    expect(thread).toMatchObject({ looks: { length: 10 }, usedUp: [] });
  });

  it('looks again where the thread could not be asked', async () => {
    thread.deaf = true;
    await thread.advance(1500);
    thread.deaf = false;
    await thread.advance(500);
    expect(thread).toMatchObject({ looks: [1000, 2000], usedUp: [2_000_000] });
  });

  it('does not ask a thread whose job has not begun', async () => {
    thread.cpuStart[0] = -1;
    await thread.advance(5000);
    expect(thread.looks).toEqual([]);
  });

  it('says nothing after it was stopped, also while it looks', async () => {
    const looking = thread.advance(1000);
    thread.watch.stop();
    await looking;
    expect(thread).toMatchObject({ usedUp: [], timers: 0 });
  });

  it('asks for no timer that the clock does not have', async () => {
    thread = new ScriptedThread(2 ** 40, 1);
    expect(thread.timers).toBe(1);
  });
});
