import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { errorCodes } from '../../../../src/domain/errors.ts';
import {
  allEntries,
  entryText,
  isFailure,
  passes,
} from '../../../../src/visualizer/page/execution/events/entries.ts';
import { adviceOn, advisedCodes } from '../../../../src/visualizer/page/execution/failure/advice.ts';
import { exitCodeText, ladderOf } from '../../../../src/visualizer/page/execution/failure/ladder.ts';
import { lastLines } from '../../../../src/visualizer/page/execution/failure/last-lines.ts';
import { differences } from '../../../../src/visualizer/page/execution/log/context.ts';
import { hexOf, jsonOf, textOf } from '../../../../src/visualizer/page/execution/panes/bytes.ts';
import { jsonRows } from '../../../../src/visualizer/page/execution/panes/json-rows.ts';
import { noteOf } from '../../../../src/visualizer/page/execution/panes/notes.ts';
import { textMatch } from '../../../../src/visualizer/page/execution/text-match.ts';
import { failedAfterRetries } from './recordings.ts';

test('every error code has the words of the manual', () => {
  const manual = readFileSync(new URL('../../../../docs/errors.md', import.meta.url), 'utf8');
  const table = manual.slice(0, manual.indexOf('## Request errors'));
  for (const code of Object.keys(errorCodes)) {
    const row = table.split('\n').find((line) => line.startsWith(`| \`${code}\``));
    const cells = (row ?? '').split(' | ').map((cell) =>
      cell
        .replaceAll('`', '')
        .replace(/\s*\|\s*$/, '')
        .trim(),
    );
    expect({ code, ...adviceOn(code) }).toEqual({ code, meaning: cells[4], todo: cells[5] });
  }
  expect([...advisedCodes].sort()).toEqual(Object.keys(errorCodes).sort());
  expect(adviceOn('constructor')).toBeUndefined();
});

test('the ladder says which rung worked and how long it took', () => {
  const rungs = (rung: string, code = 'CANCELLED') =>
    ladderOf({ rung, tookMs: 5060 }, code, 5000).map(({ name, outcome }) => `${name}: ${outcome}`);
  expect(rungs('term')).toEqual(['SIGTERM: worked', 'SIGKILL: not needed']);
  expect(rungs('kill')).toEqual(['SIGTERM: did not work', 'SIGKILL: worked']);
  expect(rungs('terminate')).toEqual(['Guest host killed: worked']);
  expect(rungs('of a later version')).toEqual(['of a later version: worked']);
  expect(ladderOf(undefined, 'KILL_UNCONFIRMED', 5000).map(({ outcome }) => outcome)).toEqual([
    'did not work',
    'did not work',
  ]);
  expect(ladderOf(undefined, 'TRAP', 5000)).toEqual([]);
  expect([exitCodeText(1), exitCodeText(137), exitCodeText(193)]).toEqual([
    '1',
    '137 (128 + 9, SIGKILL)',
    '193',
  ]);
});

test('the last lines are those of the last attempt, without colours', () => {
  const last = lastLines(failedAfterRetries().log(), 3, 2);
  expect(last).toEqual({
    stream: 'stderr',
    lines: ['    at insertBatch (/app/import.js:88:11)', '    at async main (/app/import.js:31:5)'],
  });
});

test('a JSON value is rows down to where it is open, and long lists come in pages', () => {
  const opened = { choices: new Map(), depth: 1, pages: new Map() };
  const value = {
    name: 'x',
    list: Array.from({ length: 250 }, (_, place) => place),
    deep: { inner: { leaf: null } },
  };
  const closed = jsonRows(value, opened);
  expect(closed.map(({ key, text, open }) => [key, text, open])).toEqual([
    ['name', '"x"', undefined],
    ['list', '[250]', false],
    ['deep', '{inner}', false],
  ]);
  const path = '["list"]';
  const open = jsonRows(value, { ...opened, choices: new Map([[path, true]]) });
  expect(open).toHaveLength(3 + 100 + 1);
  expect(open.find(({ kind }) => kind === 'more')?.text).toBe('150 more');
  const more = jsonRows(value, { ...opened, choices: new Map([[path, true]]), pages: new Map([[path, 3]]) });
  expect(more).toHaveLength(3 + 250);
});

test('keys that look alike on the way are told apart', () => {
  const opened = { choices: new Map(), depth: 9, pages: new Map() };
  const paths = jsonRows({ 'a.b': 1, a: { b: 2 }, 'a"]': { b: 3 } }, opened).map(({ path }) => path);
  expect(new Set(paths).size).toBe(paths.length);
});

test('bytes are text, JSON or hex, whichever they are', () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  expect(textOf(bytes('grüße'))).toBe('grüße');
  expect(textOf(Uint8Array.of(0xff, 0x00))).toBeUndefined();
  expect(jsonOf('{"a":1}', '')).toEqual({ value: { a: 1 } });
  expect(jsonOf('12', 'application/json')).toEqual({ value: 12 });
  expect(jsonOf('12', 'text/plain')).toBeUndefined();
  expect(hexOf(bytes('Spear!\n'), 100)).toBe(`00000000  53 70 65 61 72 21 0a${' '.repeat(28)} Spear!.`);
});

test('differences tell what came, went and changed', () => {
  const found = differences({ a: 1, b: { c: 2 }, gone: true }, { a: 1, b: { c: 3 }, come: 'x' });
  expect(found.map(({ key, kind }) => `${key} ${kind}`)).toEqual([
    'a same',
    'b changed',
    'come added',
    'gone removed',
  ]);
});

test('numbers that are instants or durations say so', () => {
  const note = (key: string, value: number) =>
    noteOf({ admitted: 1_700_000_000_000 }, { key, kind: 'number', text: String(value) });
  expect(note('graceMs', 5000)).toBe('5.00 s');
  expect(note('totalDeadline', 1_700_000_300_000)).toMatch(/\+5 m 00 s$/);
  expect(note('attempt', 3)).toBe('');
});

test('an event list can be narrowed to what went wrong, to an attempt, and to a text', () => {
  const log = failedAfterRetries().log();
  const events = log.slice(0);
  const count = (filter: Partial<typeof allEntries>, query = '') =>
    events.filter((event) => passes(event, { ...allEntries, ...filter }, textMatch(query))).length;
  expect(count({})).toBe(events.length);
  expect(count({ stdout: false, stderr: false })).toBe(7);
  expect(count({ failures: true })).toBe(3);
  expect(count({ attempt: 2, transitions: false, stderr: false })).toBe(31);
  expect(count({}, 'duplicate KEY')).toBe(3);
  expect(count({}, '/batch 3\\d of/')).toBe(3);
  const last = events.at(-1);
  expect(last && isFailure(last) && entryText(last)).toBe('FUNCTION_EXIT: the program exited with code 1');
});
