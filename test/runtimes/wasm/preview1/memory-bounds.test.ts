import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GuestExit } from '../../../../src/runtimes/wasm/guest-host/host/context.ts';
import { preview1Functions } from '../../../../src/runtimes/wasm/preview1/signatures.ts';
import { Folder } from '../files/folder.ts';
import { errno } from './errno.ts';
import { pageBytes, RawHost } from './raw-host.ts';

const list = 0;
const result = 64;
const data = 1024;

/** Pointers and lengths as a guest may pass them, near every edge. */
const i32 = fc.oneof(
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  fc.constantFrom(0, 1, 3, 4, 24, pageBytes - 1, pageBytes, pageBytes + 1, -1, -8, 2 ** 31 - 1, -(2 ** 31)),
);
const i64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n)),
);

describe('every function', () => {
  let folder: Folder;
  beforeEach(() => {
    folder = new Folder();
    writeFileSync(join(folder.path, 'a'), 'text');
  });
  afterEach(() => folder.remove());

  // Not poll_oneoff: it waits for as long as it is told.
  it.each(Object.entries(preview1Functions).filter(([name]) => name !== 'poll_oneoff'))(
    '%s answers any numbers with an error number, never with an exception',
    (name, { params, results }) => {
      const parameters = fc.tuple(...params.map((type) => (type === 'i32' ? i32 : i64)));
      const memory = fc.array(fc.constantFrom(0, 1, 8, 46, 47, 97, 255), { minLength: 64, maxLength: 64 });
      const module = fc.constantFrom('wasi_snapshot_preview1', 'wasi_unstable');
      fc.assert(
        fc.property(parameters, memory, module, (values, bytes, module) => {
          const files = folder.guest();
          const host = new RawHost({ files, input: 'input', args: ['a'], environment: [['A', 'b']], module });
          // Number 4 is a file.
          host.put(data, 'a');
          host.call('path_open', 3, 0, data, 1, 0, 0xffn, 0n, 0, result);
          host.put(0, Uint8Array.from(bytes));
          try {
            if (results.length === 0) expect(() => host.call(name, ...values)).toThrow(GuestExit);
            else expect(host.call(name, ...values)).toBeLessThanOrEqual(76);
          } finally {
            files.close();
          }
        }),
        { numRuns: 200 },
      );
    },
  );

  it('is there, in both versions, and no other', () => {
    const names = Object.keys(preview1Functions).sort();
    expect(Object.keys(new RawHost().imports).sort()).toEqual(names);
    expect(Object.keys(new RawHost({ module: 'wasi_unstable' }).imports).sort()).toEqual(names);
  });
});

describe('a pointer beyond the memory', () => {
  it.each([
    ['args_sizes_get', [pageBytes - 3, 0]],
    ['args_sizes_get', [0, pageBytes - 3]],
    ['args_get', [pageBytes - 3, 0]],
    ['args_get', [0, pageBytes - 1]],
    ['environ_sizes_get', [0, -1]],
    ['environ_get', [0, pageBytes]],
    ['clock_time_get', [0, 0n, pageBytes - 7]],
    ['clock_res_get', [1, -8]],
    ['random_get', [pageBytes - 10, 11]],
    ['random_get', [0, -1]],
    ['random_get', [-1, -1]],
    ['fd_write', [1, pageBytes - 7, 1, 0]],
    ['fd_write', [1, 0, 2 ** 29, 0]],
    ['fd_write', [1, 0, -1, 0]],
    ['fd_read', [0, 0, 1, pageBytes - 3]],
    ['fd_fdstat_get', [0, pageBytes - 23]],
    ['fd_filestat_get', [0, pageBytes - 63]],
    ['poll_oneoff', [0, 0, 2 ** 31 - 1, 0]],
    ['poll_oneoff', [0, pageBytes - 31, 1, 0]],
  ])('%s(%o) is EFAULT', (name, parameters) => {
    const host = new RawHost({ args: ['argument'], environment: [['NAME', 'value']] });
    expect(host.call(name, ...parameters)).toBe(errno.fault);
  });

  it('in any of the buffers of a call is EFAULT, and nothing of it happens', () => {
    const host = new RawHost({ input: 'abcdef' });
    host.putVectors(list, [
      [data, 3],
      [pageBytes - 1, 2],
    ]);
    expect(host.call('fd_write', 1, list, 2, result)).toBe(errno.fault);
    expect(host.call('fd_read', 0, list, 2, result)).toBe(errno.fault);
    expect(host.chunks).toEqual([]);
    expect(host.context.inputAt).toBe(0);
  });
});

describe('memory that has grown', () => {
  it('is within reach in the next call', () => {
    const host = new RawHost();
    expect(host.call('clock_time_get', 1, 0n, pageBytes)).toBe(errno.fault);
    host.memory.grow(1);
    expect(host.call('clock_time_get', 1, 0n, pageBytes)).toBe(errno.success);
    expect(host.u64(pageBytes)).toBeGreaterThan(0n);
  });
});

it('buffers that overlap the list of buffers cannot make a read leave the memory', () => {
  const input = Buffer.alloc(16, 0xff);
  const host = new RawHost();
  host.context.input = input;
  host.putVectors(list, [
    [list + 8, 8],
    [data, 8],
  ]);
  expect(host.call('fd_read', 0, list, 2, result)).toBe(errno.fault);
});

it('a list of as many empty buffers as the memory holds is a call like others', () => {
  const host = new RawHost();
  host.memory.grow(3);
  expect(host.call('fd_write', 1, 0, (4 * pageBytes) / 8, 8)).toBe(errno.success);
  expect(host.u32(8)).toBe(0);
});

it('a write of many overlapping buffers is cut, and costs the host no memory of that length', () => {
  const host = new RawHost();
  host.memory.grow(3);
  let bytes = 0;
  host.context.write = (_stream, chunk) => {
    bytes += chunk.length;
  };
  const count = 8192;
  host.putVectors(
    0,
    Array.from({ length: count }, () => [0, 4 * pageBytes] as const),
  );
  expect(host.call('fd_write', 1, 0, count, 3 * pageBytes)).toBe(errno.success);
  expect(host.u32(3 * pageBytes)).toBe(bytes);
  expect(bytes).toBeLessThan(count * 4 * pageBytes);
});
