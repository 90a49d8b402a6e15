import { describe, expect, it } from 'vitest';
import { errno } from './errno.ts';
import { RawHost, type RawOptions } from './raw-host.ts';

const input = 0;
const output = 8192;
const result = 16384;

const clock = { realtime: 0, monotonic: 1, processCpuTime: 2, threadCpuTime: 3 } as const;
const ms = 1_000_000n;

type Subscription =
  | { readonly clock: number; readonly timeout: bigint; readonly absolute?: boolean }
  | { readonly read: number }
  | { readonly write: number };

const layouts = {
  wasi_snapshot_preview1: { bytes: 48, clock: 16, timeout: 24, flags: 40 },
  wasi_unstable: { bytes: 56, clock: 24, timeout: 32, flags: 48 },
} as const;

/** The events, as `[index of the subscription, error number, bytes, flags]`. */
function poll(
  subscriptions: readonly Subscription[],
  options: RawOptions = {},
): [errno: number, events: number[][]] {
  const { module = 'wasi_snapshot_preview1' } = options;
  const at = layouts[module];
  const host = new RawHost(options);
  for (const [index, subscription] of subscriptions.entries()) {
    const entry = input + index * at.bytes;
    host.view.setBigUint64(entry, BigInt(index) + 100n, true);
    if ('clock' in subscription) {
      host.view.setUint8(entry + 8, 0);
      host.view.setUint32(entry + at.clock, subscription.clock, true);
      host.view.setBigUint64(entry + at.timeout, BigInt.asUintN(64, subscription.timeout), true);
      host.view.setUint16(entry + at.flags, subscription.absolute ? 1 : 0, true);
    } else {
      host.view.setUint8(entry + 8, 'read' in subscription ? 1 : 2);
      host.view.setUint32(entry + 16, 'read' in subscription ? subscription.read : subscription.write, true);
    }
  }
  const answer = host.call('poll_oneoff', input, output, subscriptions.length, result);
  const events = Array.from({ length: answer === 0 ? host.u32(result) : 0 }, (_, index) => {
    const event = output + index * 32;
    const { view } = host;
    return [
      Number(view.getBigUint64(event, true)) - 100,
      view.getUint16(event + 8, true),
      Number(view.getBigUint64(event + 16, true)),
      view.getUint16(event + 24, true),
    ];
  });
  return [answer, events];
}

function now(id: number): bigint {
  const host = new RawHost();
  expect(host.call('clock_time_get', id, 0n, 0)).toBe(errno.success);
  return host.u64(0);
}

describe('poll_oneoff', () => {
  it('of nothing is EINVAL', () => {
    expect(poll([])[0]).toBe(errno.inval);
  });

  it.each(['wasi_snapshot_preview1', 'wasi_unstable'] as const)(
    'of %s waits for the earliest of several clocks and tells that one alone',
    (module) => {
      const before = now(clock.monotonic);
      const [, events] = poll(
        [
          { clock: clock.monotonic, timeout: 3_600_000n * ms },
          { clock: clock.realtime, timeout: 30n * ms },
        ],
        { module },
      );
      expect(events).toEqual([[1, 0, 0, 0]]);
      expect(now(clock.monotonic) - before).toBeGreaterThanOrEqual(30n * ms);
    },
  );

  it('takes absolute times of both clocks, and one that is over has rung', () => {
    const before = now(clock.monotonic);
    const [, later] = poll([
      { clock: clock.monotonic, timeout: before + 20n * ms, absolute: true },
      { clock: clock.realtime, timeout: now(clock.realtime) + 3_600_000n * ms, absolute: true },
    ]);
    expect(later).toEqual([[0, 0, 0, 0]]);
    expect(now(clock.monotonic) - before).toBeGreaterThanOrEqual(20n * ms);
    const [, over] = poll([
      { clock: clock.realtime, timeout: 0n, absolute: true },
      { clock: clock.monotonic, timeout: 1n, absolute: true },
      { clock: clock.monotonic, timeout: -1n, absolute: true },
    ]);
    expect(over).toEqual([
      [0, 0, 0, 0],
      [1, 0, 0, 0],
    ]);
  });

  it('answers at once where a stream is ready, and tells the bytes that are left and the end', () => {
    const hour = { clock: clock.monotonic, timeout: 3_600_000n * ms };
    expect(poll([hour, { read: 0 }], { input: 'four' })[1]).toEqual([[1, 0, 4, 0]]);
    expect(poll([hour, { read: 0 }])[1]).toEqual([[1, 0, 0, 1]]);
    expect(poll([{ write: 1 }, hour, { write: 2 }])[1].map(([index, error]) => [index, error])).toEqual([
      [0, 0],
      [2, 0],
    ]);
  });

  it('tells what is wrong with a subscription in its event', () => {
    expect(
      poll([
        { read: 77 },
        { write: -1 },
        { read: 1 },
        { write: 0 },
        { clock: clock.processCpuTime, timeout: 0n },
        { clock: 9, timeout: 0n },
      ])[1],
    ).toEqual([
      [0, errno.badf, 0, 0],
      [1, errno.badf, 0, 0],
      [2, errno.badf, 0, 0],
      [3, errno.badf, 0, 0],
      [4, errno.notsup, 0, 0],
      [5, errno.inval, 0, 0],
    ]);
  });
});

describe('a clock', () => {
  it.each(Object.values(clock))('%i does not run backwards, and has a resolution', (id) => {
    const host = new RawHost();
    expect(host.call('clock_res_get', id, 0)).toBe(errno.success);
    expect(host.u64(0)).toBeGreaterThan(0n);
    let last = 0n;
    for (let round = 0; round < 1000; round += 1) {
      expect(host.call('clock_time_get', id, 0n, 8)).toBe(errno.success);
      expect(host.u64(8)).toBeGreaterThanOrEqual(last);
      last = host.u64(8);
    }
  });

  it('of real time is within a millisecond of the machine, and moves between its milliseconds', () => {
    const host = new RawHost();
    const seen = new Set<bigint>();
    for (let round = 0; round < 1000; round += 1) {
      const before = BigInt(Date.now());
      host.call('clock_time_get', clock.realtime, 0n, 0);
      const after = BigInt(Date.now());
      expect(host.u64(0) / ms).toBeGreaterThanOrEqual(before);
      expect(host.u64(0) / ms).toBeLessThanOrEqual(after);
      seen.add(host.u64(0));
    }
    expect(seen.size).toBeGreaterThan(500);
  });

  it('of processor time begins with the guest and counts its work', () => {
    const host = new RawHost();
    const read = () => {
      host.call('clock_time_get', clock.processCpuTime, 0n, 0);
      return host.u64(0);
    };
    const before = read();
    expect(before).toBeLessThan(1_000_000_000n);
    while (read() - before < 5n * ms);
    expect(read() - before).toBeGreaterThanOrEqual(5n * ms);
  });

  it('that there is not is EINVAL', () => {
    const host = new RawHost();
    expect(host.call('clock_time_get', 4, 0n, 0)).toBe(errno.inval);
    expect(host.call('clock_res_get', -1, 0)).toBe(errno.inval);
  });
});

it('random_get fills what it is told to, and no more', () => {
  const host = new RawHost();
  expect(host.call('random_get', 16, 4096)).toBe(errno.success);
  expect(host.u64(8)).toBe(0n);
  expect(host.u64(16 + 4096)).toBe(0n);
  const bytes = new Set(new Uint8Array(host.memory.buffer, 16, 4096));
  expect(bytes.size).toBeGreaterThan(200);
});
