import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { NodeTime } from '../../src/actors/time/node-time.ts';
import { systemClock } from '../../src/actors/time/system-clock.ts';
import { TimeWatch } from '../../src/actors/time/time-watch.ts';
import type { ClockRecord } from '../../src/domain/clock-record.ts';
import { clockFile, readClockRecord, writeClockRecord } from '../../src/stores/clock-file.ts';
import { FakeClock } from '../support/fake-clock.ts';

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'spear-clock-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

describe('time', () => {
  test('runs on while the wall clock is set, and looks that find nothing do not move it', async () => {
    const clock = new FakeClock();
    const time = new NodeTime(clock);
    const start = time.now();
    for (const step of [5000, -9000, 0]) {
      clock.jump(step);
      await clock.advance(250);
      time.look();
    }
    expect(time.now()).toBe(start + 750);
    expect(time.changes).toBe(2);
    expect(time.toWall(time.now())).toBe(clock.now());
  });

  test('that nothing counts in any more is the wall clock again at the next start', async () => {
    const clock = new FakeClock();
    const first = new NodeTime(clock);
    clock.jump(-5000);
    const record = first.record();
    expect(new NodeTime(clock, record).now()).toBe(clock.now() + 5000);
    expect(new NodeTime(clock, record, { anew: true }).now()).toBe(clock.now());
  });

  test('on this machine goes on from its record by the time that it was up', async () => {
    const record = new NodeTime(systemClock).record();
    const { last } = record;
    // As a clock that is an hour behind would have it.
    const set = { ...systemClock, now: () => systemClock.now() - 3_600_000 };
    const time = new NodeTime(set, record).now();
    const passed = systemClock.now() - last.wall;
    const knows = record.uptime.boot !== '';
    expect(time - last.time).toBeGreaterThanOrEqual(knows ? passed - 100 : 0);
    expect(time - last.time).toBeLessThanOrEqual(knows ? passed + 100 : passed);
  });
});

describe('the watch', () => {
  function watched(keep?: (record: ClockRecord) => Promise<void>) {
    const clock = new FakeClock();
    const time = new NodeTime(clock);
    const kept: ClockRecord[] = [];
    const said: string[] = [];
    const watch = new TimeWatch({
      clock,
      time,
      keep: keep ?? (async (record) => void kept.push(record)),
      logger: { warn: (_fields, message) => void said.push(message) },
    });
    return { clock, time, kept, said, watch };
  }

  test('keeps the record at its start, soon after a step or a sleep, now and then, and at its end', async () => {
    const { clock, kept, watch } = watched();
    await watch.start();
    expect(kept).toHaveLength(1);
    await clock.advance(5000);
    expect(kept).toHaveLength(1);
    clock.jump(60_000);
    await clock.advance(1000);
    expect(kept).toHaveLength(2);
    expect(kept[1]?.marks).toHaveLength(2);
    clock.sleep(60_000);
    await clock.advance(1000);
    expect(kept).toHaveLength(3);
    await clock.advance(31_000);
    expect(kept).toHaveLength(4);
    await watch.stop();
    expect(kept).toHaveLength(5);
    expect(clock.timers).toBe(0);
  });

  test('tries again what cannot be kept, and complains once', async () => {
    let fails = true;
    let tries = 0;
    const { clock, said, watch } = watched(async () => {
      tries += 1;
      if (fails) throw new Error('disk full');
    });
    await watch.start();
    await clock.advance(3000);
    expect(tries).toBe(4);
    fails = false;
    await clock.advance(10_000);
    expect(tries).toBe(5);
    expect(said).toEqual(['the clock record cannot be written; it is tried again']);
    await watch.stop();
  });
});

describe('the record in the data folder', () => {
  test('is read as it was written, and replaced as a whole', async () => {
    const dataDir = await folder();
    const clock = new FakeClock();
    const time = new NodeTime(clock);
    await writeClockRecord(dataDir, time.record());
    clock.jump(5000);
    await writeClockRecord(dataDir, time.record());
    expect(await readClockRecord(dataDir)).toEqual(time.record());
    expect(await readdir(dataDir)).toEqual([clockFile]);
  });

  test('that is not there is none', async () => {
    expect(await readClockRecord(await folder())).toBeUndefined();
  });

  test.for(['', 'garbage', '{"version":2}', '{"version":1,"marks":[],"last":{},"uptime":{}}'])(
    'that is %j is refused by its name',
    async (text) => {
      const dataDir = await folder();
      await writeFile(join(dataDir, clockFile), text);
      await expect(readClockRecord(dataDir)).rejects.toThrow(/clock\.json is no clock record of version 1/);
    },
  );
});
