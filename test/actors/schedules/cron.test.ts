/** Instants that clocks make nasty: hours that are left out or come twice, zones that change their rule, short months. */
import { expect, test } from 'vitest';
import { Recurrences } from '../../../src/actors/schedules/cron.ts';
import { instantsOf } from '../../../src/domain/schedule/recurrence.ts';

test.each<[what: string, cron: string, timezone: string, from: string, instants: string[]]>([
  [
    'a time that is left out comes at the end of the gap',
    '30 2 * * *',
    'Europe/Berlin',
    '2026-03-28T12:00Z',
    ['2026-03-29T01:00Z', '2026-03-30T00:30Z'],
  ],
  [
    'a time that comes twice fires at the first',
    '30 2 * * *',
    'Europe/Berlin',
    '2026-10-24T12:00Z',
    ['2026-10-25T00:30Z', '2026-10-26T01:30Z'],
  ],
  [
    'each hour goes by what has passed, over a gap',
    '0 * * * *',
    'Europe/Berlin',
    '2026-03-29T00:30Z',
    ['2026-03-29T01:00Z', '2026-03-29T02:00Z'],
  ],
  [
    'each hour goes by what has passed, over a repeat',
    '0 * * * *',
    'Europe/Berlin',
    '2026-10-24T23:30Z',
    ['2026-10-25T00:00Z', '2026-10-25T01:00Z', '2026-10-25T02:00Z'],
  ],
  [
    'half an hour is left out on Lord Howe',
    '15 2 * * *',
    'Australia/Lord_Howe',
    '2026-10-03T00:00Z',
    ['2026-10-03T15:30Z', '2026-10-04T15:15Z'],
  ],
  [
    'half an hour comes twice on Lord Howe',
    '45 1 * * *',
    'Australia/Lord_Howe',
    '2026-04-04T00:00Z',
    ['2026-04-04T14:45Z', '2026-04-05T15:15Z'],
  ],
  [
    'a midnight that is not there, in São Paulo',
    '0 0 * * *',
    'America/Sao_Paulo',
    '2018-11-03T12:00Z',
    ['2018-11-04T03:00Z', '2018-11-05T02:00Z'],
  ],
  [
    'a midnight that is not there, in Cairo',
    '0 0 * * *',
    'Africa/Cairo',
    '2026-04-23T12:00Z',
    ['2026-04-23T22:00Z', '2026-04-24T21:00Z'],
  ],
  [
    'a midnight that is not there, in Beirut',
    '30 0 * * *',
    'Asia/Beirut',
    '2026-03-28T12:00Z',
    ['2026-03-28T22:00Z', '2026-03-29T21:30Z'],
  ],
  [
    'a whole day that is not there, on Samoa',
    '0 12 * * *',
    'Pacific/Apia',
    '2011-12-29T00:00Z',
    ['2011-12-29T22:00Z', '2011-12-30T22:00Z'],
  ],
  [
    'a zone that keeps its summer time from then on',
    '0 9 * * *',
    'Europe/Istanbul',
    '2016-10-29T12:00Z',
    ['2016-10-30T06:00Z', '2016-10-31T06:00Z'],
  ],
  ['29 February', '0 0 29 2 *', 'UTC', '2026-03-01T00:00Z', ['2028-02-29T00:00Z', '2032-02-29T00:00Z']],
  [
    'the 31st, in months that have one',
    '0 0 31 * *',
    'UTC',
    '2026-01-31T12:00Z',
    ['2026-03-31T00:00Z', '2026-05-31T00:00Z'],
  ],
  [
    'a day of the month or one of the week',
    '0 0 13 * 5',
    'UTC',
    '2026-02-07T00:00Z',
    ['2026-02-13T00:00Z', '2026-02-20T00:00Z'],
  ],
  [
    'the last day of the month',
    '0 0 L * *',
    'UTC',
    '2028-02-01T00:00Z',
    ['2028-02-29T00:00Z', '2028-03-31T00:00Z'],
  ],
  [
    'seconds',
    '*/20 * * * * *',
    'UTC',
    '2026-01-01T00:00:05Z',
    ['2026-01-01T00:00:20Z', '2026-01-01T00:00:40Z'],
  ],
  ['a nickname', '@monthly', 'Asia/Kathmandu', '2026-01-10T00:00Z', ['2026-01-31T18:15Z']],
])('%s', (_what, cron, timezone, from, instants) => {
  const recurrence = new Recurrences().of({ kind: 'cron', cron, timezone });
  const found = instantsOf(recurrence, Date.parse(from), instants.length);
  expect(found.map((at) => new Date(at).toISOString())).toEqual(
    instants.map((at) => new Date(at).toISOString()),
  );
});

test('the day of a repeat has each minute of its 25 hours once, and that of a gap each of its 23', () => {
  const recurrence = new Recurrences().of({ kind: 'cron', cron: '* * * * *', timezone: 'Europe/Berlin' });
  const minutes = (from: string, to: string) =>
    instantsOf(recurrence, Date.parse(from) - 1, 2000, Date.parse(to) - 1).length;
  expect(minutes('2026-10-24T22:00Z', '2026-10-25T23:00Z')).toBe(25 * 60);
  expect(minutes('2026-03-28T23:00Z', '2026-03-29T22:00Z')).toBe(23 * 60);
});
