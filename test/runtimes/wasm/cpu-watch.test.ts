import { beforeEach, describe, expect, it } from 'vitest';
import { CpuWatch } from '../../../src/runtimes/wasm/hosts/cpu-watch.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** A process that had used a second before its job began, and whose job uses a share of the time that goes by. */
class ScriptedProcess {
  readonly looks: number[] = [];
  readonly usedUp: number[] = [];
  /** It cannot be asked: it is about to end. */
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
      startUs: 1_000_000,
      used: () => this.#used(),
      onUsedUp: (usedUs) => this.usedUp.push(usedUs),
    });
  }

  get timers(): number {
    return this.#clock.timers;
  }

  advance(ms: number): Promise<void> {
    return this.#clock.advance(ms);
  }

  #used(): number | undefined {
    const wallMs = this.#clock.monotonic() - this.#began;
    this.looks.push(wallMs);
    return this.deaf ? undefined : 1_000_000 + wallMs * 1000 * this.#share;
  }
}

describe('a watch of CPU time', () => {
  let job: ScriptedProcess;
  beforeEach(() => {
    job = new ScriptedProcess(1000, 1);
  });

  it('looks once at a job that computes all the time, and finds it out', async () => {
    await job.advance(999);
    expect(job.usedUp).toEqual([]);
    await job.advance(1);
    expect(job).toMatchObject({ looks: [1000], usedUp: [1_000_000], timers: 0 });
  });

  it('looks again when the rest could be used up at the earliest, and 10 ms later at the earliest', async () => {
    job = new ScriptedProcess(1000, 0.5);
    await job.advance(3000);
    expect(job.looks.slice(0, 4)).toEqual([1000, 1500, 1750, 1875]);
    const gaps = job.looks.slice(1).map((look, index) => look - (job.looks[index] ?? 0));
    expect(Math.min(...gaps)).toBe(10);
    expect(job.usedUp).toHaveLength(1);
    expect(job.usedUp[0]).toBeLessThan(1_010_000);
  });

  it('hardly looks at a job that waits', async () => {
    job = new ScriptedProcess(1000, 0);
    await job.advance(10_000);
    expect(job).toMatchObject({ looks: { length: 10 }, usedUp: [] });
  });

  it('looks again where the process could not be asked', async () => {
    job.deaf = true;
    await job.advance(1500);
    job.deaf = false;
    await job.advance(500);
    expect(job).toMatchObject({ looks: [1000, 2000], usedUp: [2_000_000] });
  });

  it('says nothing after it was stopped', async () => {
    await job.advance(500);
    job.watch.stop();
    await job.advance(5000);
    expect(job).toMatchObject({ looks: [], usedUp: [], timers: 0 });
  });

  it('asks for no timer that the clock does not have', async () => {
    job = new ScriptedProcess(2 ** 40, 1);
    expect(job.timers).toBe(1);
  });
});
