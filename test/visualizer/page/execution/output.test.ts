import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineStore, textAt } from '../../../../src/visualizer/page/execution/output/line-store.ts';
import { cutRows, RowMap, rowCount, runsOf } from '../../../../src/visualizer/page/execution/output/rows.ts';
import { markedRuns, OutputSearch } from '../../../../src/visualizer/page/execution/output/search.ts';
import { oneLine } from '../../../../src/visualizer/page/execution/output/visible.ts';
import { textMatch } from '../../../../src/visualizer/page/execution/text-match.ts';
import type { ChunkEvent } from '../../../../src/visualizer/page/model/log-event.ts';
import { processorTime } from '../../../support/processor-time.ts';

type Written = readonly [stream: 'stdout' | 'stderr', text: string | Uint8Array];

function chunk(sequence: number, [stream, text]: Written, attempt = 1): ChunkEvent {
  const data = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  return {
    sequence,
    position: sequence,
    time: sequence,
    status: 'running',
    attempt,
    kind: 'chunk',
    chunk: { stream, data },
  };
}

function stored(...written: readonly Written[]): LineStore {
  const store = new LineStore();
  written.forEach((each, place) => {
    store.push(chunk(place + 1, each));
  });
  return store;
}

const texts = (store: LineStore) => store.pieces.map(({ text }) => text);

test('lines come together from chunks, and a line feed after a carriage return is one end', () => {
  const store = stored(['stdout', 'one\ntw'], ['stdout', 'o\r'], ['stdout', '\nthree']);
  expect(texts(store)).toEqual(['one', 'two', 'three']);
  expect(store.lines).toBe(3);
});

test('a line that the other stream interrupts goes on below, as the same line', () => {
  const store = stored(['stdout', 'abc'], ['stderr', 'oh\n'], ['stdout', 'def\n']);
  expect(store.pieces.map(({ text, line, continues }) => [text, line, continues])).toEqual([
    ['abc', 1, false],
    ['oh', 2, false],
    ['def', 2, true],
  ]);
});

test('each turn of a progress bar stands on a row of its own', () => {
  expect(texts(stored(['stdout', '1%\r2%\r3%\ndone']))).toEqual(['1%\r', '2%\r', '3%', 'done']);
});

test('a sign that two chunks share is one sign', () => {
  const bytes = new TextEncoder().encode('é€😀\n');
  const store = stored(...[...bytes].map((byte): Written => ['stdout', Uint8Array.of(byte)]));
  expect(texts(store)).toEqual(['é€😀']);
});

test('however chunks are cut, all of the text is there, and nothing but carriage returns at ends of lines is gone', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'ß', '😀', '\n', '\u001b[31m', ' '), maxLength: 400 });
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 17 }), (whole, size) => {
      const bytes = new TextEncoder().encode(whole);
      const store = new LineStore();
      for (let from = 0; from < bytes.length; from += size) {
        store.push(chunk(from + 1, ['stdout', bytes.subarray(from, from + size)]));
      }
      const back = store.pieces.map(
        (piece, place) => `${place > 0 && !piece.continues ? '\n' : ''}${piece.text}`,
      );
      expect(back.join('')).toBe(whole.endsWith('\n') ? whole.slice(0, -1) : whole);
    }),
  );
});

test('a line of fifty million signs is pieces of bounded length, and quickly', () => {
  const store = new LineStore();
  const data = new Uint8Array(65_536).fill(120);
  const spent = processorTime(() => {
    for (let sequence = 1; sequence <= 763; sequence += 1) store.push(chunk(sequence, ['stdout', data]));
  });
  expect(spent).toBeLessThan(8000);
  expect(store.lines).toBe(1);
  expect(Math.max(...store.pieces.map(({ text }) => text.length))).toBeLessThanOrEqual(2048);
});

test('memory is bounded: the oldest lines are given up, and counted', () => {
  const store = new LineStore();
  const data = new TextEncoder().encode('\n'.repeat(60_000));
  for (let sequence = 1; sequence <= 15; sequence += 1) store.push(chunk(sequence, ['stdout', data]));
  expect(store.lines).toBe(900_000);
  expect(store.pieces.length).toBeLessThanOrEqual(800_000);
  expect(store.forgotten + store.pieces.length).toBe(900_000);
});

test('at an earlier event a line is as long as it was then', () => {
  const store = stored(['stdout', 'one '], ['stdout', 'two '], ['stdout', 'three\n']);
  const [piece] = store.pieces;
  if (piece === undefined) throw new Error('no piece');
  expect([1, 2, 3].map((sequence) => textAt(piece, sequence))).toEqual(['one ', 'one two ', 'one two three']);
  expect(store.countUpTo(0)).toBe(0);
});

test('colours go on over lines, chunks and the other stream, until they are reset', () => {
  const store = stored(
    ['stdout', '\u001b[1;31mred\nstill '],
    ['stderr', 'plain\n'],
    ['stdout', 'red\u001b[0m no more\n'],
  );
  const looks = store.pieces.map((piece) =>
    runsOf(piece.text, piece, false).map(({ text, look }) => `${look}:${text}`),
  );
  expect(looks).toEqual([
    ['ansi-bold ansi-red-fg:red'],
    ['ansi-bold ansi-red-fg:still '],
    [':plain'],
    ['ansi-bold ansi-red-fg:red', ': no more'],
  ]);
});

test('colours of 256 and of 16 million are the ones that were meant', () => {
  const [piece] = stored(['stdout', '\u001b[38;5;196mA\u001b[48;2;1;2;3mB\u001b[38;5;244mC']).pieces;
  if (piece === undefined) throw new Error('no piece');
  const runs = runsOf(piece.text, piece, false).map(({ ink, ground }) => [ink, ground]);
  expect(runs).toEqual([
    ['255, 0, 0', undefined],
    ['255, 0, 0', '1, 2, 3'],
    ['128, 128, 128', '1, 2, 3'],
  ]);
});

test('nothing is hidden: controls, turned text and what has no width are written out', () => {
  expect(oneLine('a\u0000b\u0007\u001b[2J\u202etxt\u200b\ufeff\u0085', 99)).toBe(
    'a^@b^G^[[2J⟨202E⟩txt⟨200B⟩⟨FEFF⟩⟨0085⟩',
  );
});

test('raw shows escape sequences, and tabs lead to the next stop otherwise', () => {
  const piece = { ansi: undefined };
  const text = (raw: boolean) =>
    runsOf('\u001b[31ma\tb', piece, raw)
      .map((run) => run.text)
      .join('');
  expect(text(true)).toBe('^[[31ma^Ib');
  expect(text(false)).toBe('a       b');
});

test('rows are cut by cells: wide signs take two, and marks none', () => {
  const rows = (text: string, columns: number) =>
    cutRows(runsOf(text, { ansi: undefined }, false), columns).map((runs) =>
      runs.map((run) => run.text).join(''),
    );
  expect(rows('abcdefg', 3)).toEqual(['abc', 'def', 'g']);
  expect(rows('漢字x', 3)).toEqual(['漢', '字x']);
  expect(rows('e\u0301e\u0301e', 2)).toEqual(['e\u0301e\u0301', 'e']);
});

test('a map of rows finds what counting them one by one finds, while the last piece still grows', () => {
  const line = fc.string({ unit: fc.constantFrom('a', '漢', '\t', '\u001b[31m', '\u0001'), maxLength: 60 });
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), fc.integer({ min: 20, max: 30 }), (lines, columns) => {
      const store = new LineStore();
      const map = new RowMap({ raw: false, columns });
      lines.forEach((text, place) => {
        store.push(chunk(2 * place + 1, ['stdout', text]));
        map.extend(store.pieces, 100);
        store.push(chunk(2 * place + 2, ['stdout', 'x\n']));
        map.extend(store.pieces, 100);
      });
      let row = 0;
      store.pieces.forEach((piece, place) => {
        const rows = rowCount(piece.text, piece, { raw: false, columns });
        for (let part = 0; part < rows; part += 1)
          expect(map.find(row + part)).toEqual({ piece: place, part });
        expect(map.rowOf(place)).toBe(row);
        row += rows;
      });
      expect(map.rows).toBe(row);
    }),
  );
});

test('a search finds through colours, counts all, and takes a pattern', () => {
  const store = stored(['stdout', 'an \u001b[31mer\u001b[0mror\nnone\nERROR error\n']);
  const search = new OutputSearch(textMatch('error') as never, false);
  search.extend(store.pieces, store.pieces.length, 100);
  expect([search.hits, search.pieces]).toEqual([3, [0, 2]]);
  const pattern = textMatch('/^n.+e$/');
  expect(pattern?.occursIn('none')).toBe(true);
  expect(pattern?.occursIn('an none')).toBe(false);
  expect(textMatch('/unfinished(/')).toBeUndefined();
  expect(textMatch('/x*/')?.ranges('abc')).toEqual([]);
});

test('occurrences are marked across runs, and the text stays what it is', () => {
  const runs = [
    { text: 'an er', look: 'a' },
    { text: 'ror here', look: 'b' },
  ];
  const marked = markedRuns(runs, textMatch('error'));
  expect(marked).toEqual([
    { text: 'an ', look: 'a' },
    { text: 'er', look: 'a found' },
    { text: 'ror', look: 'b found' },
    { text: ' here', look: 'b' },
  ]);
});
