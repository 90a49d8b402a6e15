import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/actors/time/system-clock.ts';
import { createListExecutions } from '../../src/server/execution-list.ts';
import { ListExecutionsRequestSchema } from '../../src/server/gen/spearlet/function_pb.js';
import { PageTokens } from '../../src/server/page-tokens.ts';
import { executionId, recordOf, shortLog } from '../stores/samples.ts';
import { createMemoryStore } from '../support/memory-store/store.ts';

test('a token whose tasks are few among many gets them in answers of bounded work, and each of them once', async () => {
  const store = createMemoryStore();
  const mine = new Set([1, 3, 7000, 12_000, 12_001, 24_999]);
  await store.commit(
    Array.from({ length: 25_000 }, (_, index) => {
      const id = executionId(index);
      const record = recordOf(id, 'completed', { taskName: mine.has(index) ? 'mine' : 'other' });
      return { executionId: id, expectedLastSequence: 0, events: shortLog(), record };
    }),
  );
  let read = 0;
  const list = createListExecutions({
    tasks: { get: () => expect.unreachable() },
    list: {
      executions: async (filter) => {
        const page = await store.executions(filter);
        read += page.length;
        return page;
      },
    },
    pageTokens: new PageTokens(new Uint8Array(32)),
    clock: systemClock,
  });
  const call = {
    principal: { name: 'token ci', role: 'observe' } as const,
    scope: { tenant: 'default', tasks: ['mi*'] },
    ...{ deadlineMs: undefined, gone: false },
    ...{ remainingMs: () => undefined, onGone: () => {} },
  };
  const found: number[] = [];
  let pageToken = '';
  do {
    read = 0;
    const answer = await list(create(ListExecutionsRequestSchema, { pageSize: 2, pageToken }), call);
    expect(read).toBeLessThanOrEqual(10_000);
    found.push(...answer.executions.map((each) => Number(each.executionId.slice(5))));
    pageToken = answer.nextPageToken;
    // It may be one that this caller does not see.
    expect(Buffer.from(pageToken, 'base64url').toString()).not.toContain('exec_');
  } while (pageToken !== '');
  expect(found).toEqual([...mine].sort((a, b) => b - a));
});

test('a page of executions with long texts is shorter than was asked for, and the next goes on behind it', async () => {
  const store = createMemoryStore();
  const metadata = { text: 'x'.repeat(300_000) };
  await store.commit(
    Array.from({ length: 10 }, (_, index) => {
      const id = executionId(index);
      const record = recordOf(id, 'completed', index < 9 ? { metadata } : {});
      return { executionId: id, expectedLastSequence: 0, events: shortLog(), record };
    }),
  );
  const list = createListExecutions({
    tasks: { get: () => expect.unreachable() },
    list: store,
    pageTokens: new PageTokens(new Uint8Array(32)),
    clock: systemClock,
  });
  const call = {
    principal: { name: 'token ci', role: 'observe' } as const,
    scope: { tenant: 'default' },
    ...{ deadlineMs: undefined, gone: false },
    ...{ remainingMs: () => undefined, onGone: () => {} },
  };
  const pages: number[][] = [];
  let pageToken = '';
  do {
    const answer = await list(create(ListExecutionsRequestSchema, { pageSize: 100, pageToken }), call);
    pages.push(answer.executions.map((each) => Number(each.executionId.slice(5))));
    pageToken = answer.nextPageToken;
  } while (pageToken !== '');
  expect(pages).toEqual([
    [9, 8, 7, 6],
    [5, 4, 3],
    [2, 1, 0],
  ]);
});
