/** Requests that do not come to their end, over both of the doors. */
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { adminToken, type LocalServer } from '../support/server.ts';
import { refusal } from './refusal.ts';
import { another, begin, restore, spooled, take } from './snapshots.ts';
import { rawSession, unfinishedBody, unfinishedCall } from './unfinished.ts';

const mebibyte = 1024 * 1024;
const invoke = '/api/FunctionService/InvokeFunction';
const grpcInvoke = '/spearlet.FunctionService/InvokeFunction';
const small = { maxRequestBytes: String(mebibyte), requestBytesInFlight: String(8 * mebibyte) };

async function answers(server: LocalServer): Promise<void> {
  const { result } = await server.functions.invokeFunction({ task: 'cat', input: Buffer.from('a') });
  expect(result?.outputBytes).toBe(1n);
}

/** A large request is answered too, to a caller that tries again as it is told. */
async function answersLarge(server: LocalServer): Promise<void> {
  const input = Buffer.alloc(900_000, 'a');
  const call = async () =>
    (await server.functions.invokeFunction({ task: 'cat', input }).catch(() => undefined))?.result
      ?.outputBytes;
  await expect.poll(call, { interval: 500 }).toBe(900_000n);
}

async function withCat(flags: Parameters<typeof another>[0]): Promise<LocalServer> {
  const server = await another(flags);
  await server.register('cat', 'misbehaving/cat.wasm');
  return server;
}

test('bodies that do not end use no more than their share of the budget, and the rest works', async () => {
  const server = await withCat(small);
  const token = adminToken(server.dataDir);
  const part = Buffer.alloc(mebibyte - 1, ' ');
  const begun = Array.from({ length: 12 }, () =>
    unfinishedBody(server.httpAddress, invoke, mebibyte, part, token),
  );
  const refused: string[] = [];
  const heard = begun.map(async ({ answer }) => refused.push(await answer));
  // Half of 8 MiB is four bodies of a MiB: the other eight are told so.
  await expect.poll(() => refused.length).toBe(8);
  for (const answer of refused) {
    expect(answer).toContain('HTTP/1.1 429');
    expect(answer).toContain('retry-after: 1');
    expect(answer).toContain('"quota":"request-bytes-in-flight"');
  }
  await answers(server);
  await answersLarge(server);
  for (const { leave } of begun) leave();
  await Promise.all(heard);
  await answers(server);
});

test('messages that do not end use no more than their share of the budget, and the rest works', async () => {
  const server = await withCat(small);
  const token = adminToken(server.dataDir);
  const part = Buffer.alloc(mebibyte - 10);
  const session = rawSession(server.grpcAddress);
  const calls = Array.from({ length: 12 }, () => unfinishedCall(session, grpcInvoke, mebibyte, part, token));
  const refused: string[] = [];
  for (const { refusal } of calls) {
    void refusal.then(({ code, reason, quota, retryAfterMs }) =>
      refused.push([code, reason, quota, retryAfterMs].join(' ')),
    );
  }
  await expect.poll(() => refused.length).toBe(8);
  expect(new Set(refused)).toEqual(
    new Set(['RESOURCE_EXHAUSTED REQUEST_BYTES_IN_FLIGHT request-bytes-in-flight 500']),
  );
  await answers(server);
  await answersLarge(server);
  session.destroy();
  // What they held is free again.
  const next = rawSession(server.grpcAddress);
  const more = Array.from({ length: 4 }, () => unfinishedCall(next, grpcInvoke, mebibyte, part, token));
  const outcome = await Promise.race([
    ...more.map(({ refusal }) => refusal),
    answers(server).then(() => 'none was refused'),
  ]);
  expect(outcome).toBe('none was refused');
});

test('a message that is compressed counts as what it may become', async () => {
  const server = await withCat(small);
  const session = rawSession(server.grpcAddress);
  const begin = () => {
    const call = unfinishedCall(session, grpcInvoke, 0, Buffer.alloc(0));
    // Of 16 KiB that are announced 3 000 bytes come, which may be 3 MiB.
    call.stream.write(Buffer.from([1, 0, 0, 64, 0]));
    call.stream.write(Buffer.alloc(3000));
    return call.refusal;
  };
  expect(await Promise.race([begin(), begin(), begin()])).toMatchObject({
    code: 'RESOURCE_EXHAUSTED',
    quota: 'request-bytes-in-flight',
  });
  await answers(server);
});

test('a message over the limit is refused when its length is known, not when all of it is here', async () => {
  const server = await withCat(small);
  const session = rawSession(server.grpcAddress);
  const { refusal } = unfinishedCall(session, grpcInvoke, mebibyte + 1, Buffer.alloc(10));
  expect(await refusal).toMatchObject({
    code: 'RESOURCE_EXHAUSTED',
    reason: 'REQUEST_TOO_LARGE',
    quota: 'max-request-bytes',
  });
});

test.each([
  ['brings no byte for too long', { receiveIdleMs: '200' }, 'no byte for more than the allowed 200 ms', 0],
  ['takes too long in all', { receiveTotalMs: '300' }, 'more than the allowed 300 ms', 50],
])('a request that %s ends with an answer', async (_what, flags, says, dripMs) => {
  const server = await withCat(flags);
  const part = Buffer.alloc(1000, ' ');
  const body = unfinishedBody(server.httpAddress, invoke, 100_000, part);
  const session = rawSession(server.grpcAddress);
  const call = unfinishedCall(session, grpcInvoke, 100_000, part);
  const drip = setInterval(() => {
    if (dripMs === 0 || call.stream.destroyed) return;
    body.write(' ');
    call.stream.write(Buffer.alloc(1));
  }, 50);
  try {
    expect(await call.refusal).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      reason: 'REQUEST_TOO_SLOW',
      message: expect.stringContaining(says),
    });
    const answer = await body.answer;
    expect(answer).toContain('HTTP/1.1 408');
    expect(answer).toContain(says);
  } finally {
    clearInterval(drip);
  }
  await answers(server);
});

test('a restore is given the time that its pieces take, and no more between two of them', async () => {
  const server = await withCat({ receiveIdleMs: '300' });
  const session = rawSession(server.grpcAddress);
  const { refusal } = unfinishedCall(
    session,
    '/spearlet.SnapshotService/RestoreExecution',
    1000,
    Buffer.alloc(1),
  );
  expect(await refusal).toMatchObject({ code: 'DEADLINE_EXCEEDED', reason: 'REQUEST_TOO_SLOW' });
});

test('a restore that is larger than the budget goes through, as each piece counts only until it is taken', async () => {
  const source = await withCat({});
  const input = randomBytes(6 * mebibyte);
  const executionId = await begin(source, { task: 'cat', startAfter: { seconds: 3600n }, input });
  const { document } = await take(source, executionId, { detach: true, includeArtifact: true });
  const target = await another({ requestBytesInFlight: String(2 * mebibyte) });
  // It is not the only one that arrives.
  unfinishedCall(rawSession(target.grpcAddress), grpcInvoke, 1000, Buffer.alloc(100));
  expect((await restore(target, document)).result?.state).toBe('pending.waiting');
});

test('a restore has a bound, and so has their number', async () => {
  const source = await withCat({});
  const input = randomBytes(2 * mebibyte);
  const executionId = await begin(source, { task: 'cat', startAfter: { seconds: 3600n }, input });
  const { document } = await take(source, executionId, { detach: true, includeArtifact: true });
  const target = await another({ maxSnapshotBytes: String(mebibyte), maxRestores: '1' });
  expect(await refusal(restore(target, document))).toMatchObject({
    code: 'RESOURCE_EXHAUSTED',
    reason: 'SNAPSHOT_TOO_LARGE',
    quota: 'max-snapshot-bytes',
  });
  expect(await spooled(target)).toEqual([]);
  const pieces = async function* () {
    yield { step: { case: 'options' as const, value: {} } } as never;
    await Promise.race([]);
  };
  const leaving = new AbortController();
  const first = target.snapshots.restoreExecution(pieces(), { signal: leaving.signal }).catch(() => {});
  const next = async () => {
    const { reason, quota, retryAfterMs } = await refusal(restore(target, document));
    return `${reason} ${quota} ${retryAfterMs}`;
  };
  await expect.poll(next).toBe('TOO_MANY_RESTORES max-restores 1000');
  leaving.abort();
  await first;
});
