import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FileStat, NewTime } from '../../../../src/runtimes/wasm/files/port.ts';
import { bytes, Folder, holds } from './folder.ts';

const second = 1_000_000_000n;
const microsecond = 1000n;

describe.each(holds)('times in a folder held %s', (_, hold) => {
  let folder: Folder;
  beforeEach(() => {
    folder = new Folder({ hold });
    writeFileSync(join(folder.path, 'file'), 'text');
    mkdirSync(join(folder.path, 'dir'));
    symlinkSync('file', join(folder.path, 'link'));
  });
  afterEach(() => folder.remove());

  function expectTimes(stat: FileStat, accessed: bigint, modified: bigint): void {
    expect([stat.accessed / microsecond, stat.modified / microsecond]).toEqual([
      accessed / microsecond,
      modified / microsecond,
    ]);
  }

  type Set = (accessed: NewTime, modified: NewTime) => void;

  /** What times can be set on, and how. */
  function targets(): readonly (readonly [string, Set, () => FileStat])[] {
    const { root } = folder;
    const reader = folder.file('file', { read: true });
    const writer = folder.file('file', { write: true });
    const directory = folder.directory('dir');
    const at = (path: string, follow: boolean): readonly [string, Set, () => FileStat] => [
      `${path}, ${follow}`,
      (accessed, modified) => root.setTimesAt(bytes(path), follow, accessed, modified),
      () => root.statAt(bytes(path), follow),
    ];
    return [
      ['read-only', (a, m) => reader.setTimes(a, m), () => reader.stat()],
      ['write-only', (a, m) => writer.setTimes(a, m), () => writer.stat()],
      ['directory', (a, m) => directory.setTimes(a, m), () => directory.stat()],
      ['preopen', (a, m) => root.setTimes(a, m), () => root.stat()],
      at('file', false),
      at('dir', true),
      at('link', false),
      at('link', true),
      at('.', false),
    ];
  }

  it('are set on files, folders and links alike', () => {
    for (const [, set, stat] of targets()) {
      set(1_600_000_000n * second, 1_600_000_001n * second + 500_000_000n);
      expectTimes(stat(), 1_600_000_000n * second, 1_600_000_001n * second + 500_000_000n);
      set('omit', 1_600_000_002n * second);
      expectTimes(stat(), 1_600_000_000n * second, 1_600_000_002n * second);
      set(1_600_000_003n * second, 'omit');
      expectTimes(stat(), 1_600_000_003n * second, 1_600_000_002n * second);
    }
  });

  it('are now where that is said', () => {
    for (const [, set, stat] of targets()) {
      const before = BigInt(Date.now()) * 1_000_000n;
      set('now', 'now');
      const after = BigInt(Date.now() + 1) * 1_000_000n;
      for (const time of [stat().accessed, stat().modified]) {
        expect(time).toBeGreaterThanOrEqual(before);
        expect(time).toBeLessThanOrEqual(after);
      }
    }
  });

  it('of a link are not those of what it leads to', () => {
    folder.root.setTimesAt(bytes('file'), false, 5n * second, 6n * second);
    folder.root.setTimesAt(bytes('link'), false, 7n * second, 8n * second);
    expectTimes(folder.root.statAt(bytes('file'), false), 5n * second, 6n * second);
    expectTimes(folder.root.statAt(bytes('link'), false), 7n * second, 8n * second);
  });

  it('are right to a microsecond, before 1970 too', () => {
    const file = folder.file('file');
    const time = fc.bigInt({ min: -(2n ** 30n) * second, max: 2n ** 32n * second });
    fc.assert(
      fc.property(time, time, (accessed, modified) => {
        file.setTimes(accessed, modified);
        const stat = file.stat();
        expect(microseconds(stat.accessed)).toBe(microseconds(accessed));
        expect(microseconds(stat.modified)).toBe(microseconds(modified));
      }),
      { numRuns: 2000 },
    );
  });
});

/** Since 1970, downwards also before it. */
function microseconds(time: bigint): bigint {
  return (time + 2n ** 62n * microsecond) / microsecond - 2n ** 62n;
}

describe('the times of a file', () => {
  it('stay when it is only looked at', () => {
    const folder = new Folder();
    folder.write('file', 'text');
    const before = folder.root.statAt(bytes('file'), true);
    readdirSync(folder.path);
    expect(folder.root.statAt(bytes('file'), true)).toEqual(before);
    folder.remove();
  });
});
