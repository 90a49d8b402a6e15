import { expect, test } from 'vitest';
import type { LogEvent } from '../../src/domain/event.ts';
import { ReadTurn } from '../../src/stores/sqlite/read/read-turn.ts';

function page(events: number, bytes: number): LogEvent[] {
  return Array.from({ length: events }, (_, index) => ({
    kind: 'chunk' as const,
    stream: 'stdout' as const,
    data: new Uint8Array(bytes),
    sequence: index + 1,
    position: index + 1,
    time: 0,
    status: 'running' as const,
    attempt: 1,
  }));
}

/** How many pages a reader of a whole log gets before everybody else has had a turn. */
async function pagesInOneTurn(turn: ReadTurn, each: LogEvent[]): Promise<number> {
  let pages = 0;
  let over = false;
  const others = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
    over = true;
  });
  const reader = (async () => {
    // A reader that nothing stops would never end.
    while (!over && pages < 100) {
      await turn.begin();
      if (over) break;
      turn.spend(each);
      pages += 1;
    }
  })();
  await Promise.all([others, reader]);
  return pages;
}

test.each([
  ['one page of many events', page(1000, 1), 1],
  ['four pages of 64 KiB', page(1, 64 * 1024), 4],
  ['one page of more bytes than that', page(1, 1024 * 1024), 1],
])('a reader gets %s in a turn, and goes on in the next', async (_what, each, most) => {
  const turn = new ReadTurn();
  expect(await pagesInOneTurn(turn, each)).toBe(most);
  expect(await pagesInOneTurn(turn, each)).toBe(most);
});

test('small reads need not wait', async () => {
  const turn = new ReadTurn();
  for (let read = 0; read < 100; read += 1) {
    const others = new Promise<string>((resolve) => setImmediate(resolve, 'others'));
    expect(await Promise.race([turn.begin().then(() => 'reader'), others])).toBe('reader');
    turn.spend(page(1, 100));
    await others;
  }
});

test('a reader of a list, row by row or page by page, lets others have a turn', async () => {
  const turn = new ReadTurn();
  for (const count of [1, 500, 5000]) {
    let over = false;
    const others = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      over = true;
    });
    let rows = 0;
    while (!over && rows < 100_000) {
      await turn.begin();
      if (over) break;
      turn.spendRows(count);
      rows += count;
    }
    await others;
    expect(rows).toBe(Math.max(1000, count));
  }
});
