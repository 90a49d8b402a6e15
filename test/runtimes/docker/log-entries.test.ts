import { describe, expect, it } from 'vitest';
import { LogEntries } from '../../../src/runtimes/docker/log/log-entries.ts';

const full = 16 * 1024;
const time = (n: number) => `2026-01-02T15:04:05.${String(n).padStart(9, '0')}Z `;
const letters = (count: number, letter = 'a') => letter.repeat(count);

/** What comes of entries of stdout, each with its time, in pieces of `size` bytes. */
function output(entries: readonly (readonly [number, string])[], size: number) {
  const log = new LogEntries();
  let text = '';
  for (const [at, line] of entries) {
    const bytes = Buffer.from(time(at) + line, 'latin1');
    expect(log.begin(bytes.length)).toBe(line.length);
    for (let from = 0; from < bytes.length; from += size) {
      text += Buffer.from(log.piece('stdout', bytes.subarray(from, from + size))).toString('latin1');
    }
  }
  return { text, unsure: log.isUnsure('stdout') };
}

describe('the entries of the engine’s log', () => {
  it.each([
    [
      'lines',
      [
        [1, 'one\n'],
        [2, '\n'],
        [3, 'two\n'],
      ],
      'one\n\ntwo\n',
      false,
    ],
    [
      'an end without a line feed',
      [
        [1, 'one\n'],
        [2, 'two'],
      ],
      'one\ntwo',
      false,
    ],
    [
      'a long line, and another',
      [
        [1, letters(full)],
        [1, 'b'],
        [2, 'two\n'],
      ],
      `${letters(full)}b\ntwo\n`,
      false,
    ],
    [
      'a line that fills an entry',
      [
        [1, letters(full)],
        [1, ''],
        [2, 'two\n'],
      ],
      `${letters(full)}\ntwo\n`,
      false,
    ],
    [
      'two lines that fill an entry each',
      [
        [1, letters(full)],
        [2, letters(full, 'b')],
      ],
      `${letters(full)}\n${letters(full, 'b')}`,
      false,
    ],
    [
      'one line of twice that',
      [
        [1, letters(full)],
        [1, letters(full, 'b')],
      ],
      `${letters(full)}${letters(full, 'b')}`,
      false,
    ],
    [
      'a long end',
      [
        [1, letters(full)],
        [1, '\xff\xfe'],
      ],
      `${letters(full)}\xff\xfe`,
      true,
    ],
  ] as const)('give %s as the program wrote them, wherever they are cut', (_what, entries, text, unsure) => {
    for (const size of [1, 30, 31, 32, 1000, 1_000_000]) {
      expect(output(entries, size)).toEqual({ text, unsure });
    }
  });

  it('keep the streams apart', () => {
    const log = new LogEntries();
    const next = (stream: 'stdout' | 'stderr', at: number, line: string) => {
      log.begin(time(at).length + line.length);
      return Buffer.from(log.piece(stream, Buffer.from(time(at) + line))).toString();
    };
    expect(next('stdout', 1, letters(full))).toBe(letters(full));
    expect(next('stderr', 2, 'error\n')).toBe('error\n');
    expect(next('stdout', 1, 'end')).toBe('end');
    expect(next('stderr', 3, 'more\n')).toBe('more\n');
    expect(next('stdout', 4, 'last\n')).toBe('\nlast\n');
  });
});
