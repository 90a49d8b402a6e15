import { describe, expect, onTestFinished, test } from 'vitest';
import { ExecutionMode } from '../../src/server/gen/spearlet/function_pb.js';
import { createMemoryStore } from '../support/memory-store/store.ts';
import { startServer } from '../support/server.ts';
import { openEvents, type ServerEvent } from './event-source.ts';
import { api, errorOf, http, withHttp } from './http.ts';
import { server } from './local.ts';

withHttp();

async function invoke(task: string): Promise<string> {
  const { executionId } = await server.functions.invokeFunction({ task, executionMode: ExecutionMode.ASYNC });
  return executionId;
}

interface LogEvent {
  readonly sequence: string;
  readonly executionId: string;
  readonly isFinal: boolean;
}

function logOf(events: readonly ServerEvent[]): LogEvent[] {
  return events.filter(({ name }) => name === 'log').flatMap(({ data }) => data.events as LogEvent[]);
}

const isFinal = (event: ServerEvent): boolean => logOf([event]).some((each) => each.isFinal);
const has = (executionId: string) => (event: ServerEvent) =>
  event.name === 'node' &&
  (event.data.executions as { executionId: string; isCompleted: boolean }[]).some(
    (each) => each.executionId === executionId && each.isCompleted,
  );

const hasDeleted =
  (executionId: string) =>
  ({ name, data }: ServerEvent): boolean =>
    name === 'node' && (data.deletedExecutionIds as string[]).includes(executionId);

test.each([
  ['postion=1', '"postion"', 'allowed are position, execution, from'],
  ['position=1&position=2', 'position', 'given twice'],
])('the event stream refuses %s, and says what is allowed', async (query, field, allowed) => {
  const answer = await http('GET', `/api/events?${query}`);
  expect(answer.code).toBe(400);
  const [violation] = errorOf(answer).violations as { field: string; description: string }[];
  expect(violation?.field).toBe(field);
  expect(violation?.description).toContain(allowed);
});

describe('the event stream', () => {
  test('tells the node at once, then each change, with its position as the id', async () => {
    const reader = await openEvents(server.httpAddress);
    expect(reader.response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
    });
    const first = await reader.until(({ name }) => name === 'node');
    expect(first.data).toMatchObject({ executions: [], reset: false, node: { state: 'serving' } });
    const executionId = await invoke('count');
    const told = await reader.until(has(executionId));
    expect(told.id).toBe(told.data.position);
    const listed = await api('FunctionService/ListExecutions', { pageSize: 1 });
    const row = (JSON.parse(listed.text) as { executions: object[] }).executions[0];
    expect((told.data.executions as object[])[0]).toEqual({
      ...row,
      timestamp: expect.any(String),
    });
    expect(reader.text).toMatch(/^retry: 2000\n\n/);
  });

  test('tells of what a caller deletes, and not to one who comes back', async () => {
    const executionId = await invoke('count');
    await server.functions.waitExecution({ executionId });
    const reader = await openEvents(server.httpAddress, `?execution=${executionId}`);
    const { id } = await reader.until(({ name }) => name === 'node');
    await reader.until(isFinal);
    await server.functions.deleteExecution({ executionId });
    const told = await reader.until(hasDeleted(executionId));
    expect(told.data).toMatchObject({ executions: [], deletedExecutionIds: [executionId], reset: false });
    expect(reader.events.filter(({ name }) => name === 'fault')).toEqual([]);
    const later = await openEvents(server.httpAddress, `?execution=${executionId}&position=${id}`);
    const first = await later.until(({ name }) => name === 'node');
    expect(first.data).toMatchObject({ executions: [], deletedExecutionIds: [] });
    const fault = await later.until(({ name }) => name === 'fault');
    expect(fault.data).toMatchObject({ error: { reason: 'EXECUTION_NOT_FOUND' } });
  });

  test('tells of what retention deletes', async () => {
    const other = await startServer({ retainFor: '1000' });
    onTestFinished(() => other.stop());
    await other.register('count', 'wordcount/wordcount.wasm');
    const reader = await openEvents(other.httpAddress);
    await reader.until(({ name }) => name === 'node');
    const { executionId } = await other.functions.invokeFunction({ task: 'count' });
    await reader.until(hasDeleted(executionId));
  });

  test('goes on where a reader was, by the id that it brings or the address', async () => {
    const reader = await openEvents(server.httpAddress);
    const { id } = await reader.until(({ name }) => name === 'node');
    reader.close();
    const executionId = await invoke('count');
    await server.functions.waitExecution({ executionId });
    const again = await openEvents(server.httpAddress, '?position=0', { 'last-event-id': id });
    expect(has(executionId)(await again.until(({ name }) => name === 'node'))).toBe(true);
    const byAddress = await openEvents(server.httpAddress, `?position=${id}`);
    expect(has(executionId)(await byAddress.until(({ name }) => name === 'node'))).toBe(true);
    const beyond = await openEvents(server.httpAddress, '?position=999999999');
    expect((await beyond.until(({ name }) => name === 'node')).data).toMatchObject({ reset: true });
  });

  test('carries the log of one execution beside the node, from where it is wanted', async () => {
    const executionId = await invoke('count');
    await server.functions.waitExecution({ executionId });
    const reader = await openEvents(server.httpAddress, `?execution=${executionId}`);
    await reader.until(isFinal);
    const sequences = logOf(reader.events).map(({ sequence }) => Number(sequence));
    expect(sequences).toEqual(sequences.map((_, index) => index + 1));
    const later = await openEvents(server.httpAddress, `?execution=${executionId}&from=${sequences.length}`);
    await later.until(isFinal);
    expect(logOf(later.events)).toHaveLength(1);
    // The node goes on after the end of the log.
    await later.until(({ name }) => name === 'node');
    const other = await invoke('count');
    await later.until(has(other));
  });

  test('follows a log live', async () => {
    const executionId = await invoke('loop');
    const reader = await openEvents(server.httpAddress, `?execution=${executionId}&from=1`);
    await reader.until((event) => logOf([event]).length > 0);
    await server.functions.cancelExecution({ executionId });
    await reader.until(isFinal);
    expect(new Set(logOf(reader.events).map((each) => each.executionId))).toEqual(new Set([executionId]));
  });

  test.each([
    ['an execution that nobody knows', '?execution=exec_nothing', 'EXECUTION_NOT_FOUND'],
    ['an event beyond the log', '', 'SEQUENCE_BEYOND_LOG'],
  ])('tells %s as a fault, and goes on telling of the node', async (_name, query, reason) => {
    const executionId = await invoke('count');
    await server.functions.waitExecution({ executionId });
    const reader = await openEvents(server.httpAddress, query || `?execution=${executionId}&from=1000`);
    const fault = await reader.until(({ name }) => name === 'fault');
    expect(fault.data).toEqual({ error: { reason, message: expect.any(String) } });
    await reader.until(has(await invoke('count')));
  });

  test.each(['?position=x', '?position=-1', '?from=1.5&execution=exec_1', '?execution=task_1'])(
    'refuses %s before it begins',
    async (query) => {
      const answer = await http('GET', `/api/events${query}`);
      expect(answer.code).toBe(400);
      expect(errorOf(answer)).toHaveProperty('reason', 'INVALID_FIELD');
    },
  );

  test('is read only, and not from a page of another site', async () => {
    expect((await http('POST', '/api/events')).code).toBe(405);
    const head = await http('HEAD', '/api/events');
    expect(head).toMatchObject({ code: 200, text: '' });
    expect(head.headers['content-type']).toMatch(/^text\/event-stream/);
    const foreign = await http('GET', '/api/events', undefined, { origin: 'http://evil.example' });
    expect(foreign.code).toBe(403);
    expect(errorOf(foreign)).toHaveProperty('reason', 'CROSS_SITE');
    const embedded = await http('GET', '/api/events', undefined, {
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'no-cors',
    });
    expect(embedded.code).toBe(403);
    const own = await openEvents(server.httpAddress, '', {
      origin: `http://${server.httpAddress}`,
      'sec-fetch-site': 'same-origin',
    });
    await own.until(({ name }) => name === 'node');
  });

  test('of a node that stops ends with a fault that says so', async () => {
    const other = await startServer();
    let stopped: Promise<void> | undefined;
    onTestFinished(() => stopped ?? other.stop());
    await other.register('loop', 'misbehaving/loop.wasm');
    const { executionId } = await other.functions.invokeFunction({
      task: 'loop',
      executionMode: ExecutionMode.ASYNC,
    });
    const reader = await openEvents(other.httpAddress, `?execution=${executionId}`);
    await reader.until((event) => logOf([event]).length > 0);
    stopped = other.stop();
    const fault = await reader.until(({ name }) => name === 'fault');
    expect(fault.data).toMatchObject({ error: { reason: 'DRAINING' } });
    await reader.ended;
    expect(reader.events.filter(({ name }) => name === 'fault')).toHaveLength(1);
    await stopped;
  });

  test('of a store that cannot be read ends without a fault, which would be of the log', async () => {
    const store = createMemoryStore();
    const other = await startServer({}, { store });
    onTestFinished(() => other.stop());
    await other.register('count', 'wordcount/wordcount.wasm');
    const { executionId } = await other.functions.invokeFunction({ task: 'count' });
    store.setFault(new Error('the disk is away'));
    const reader = await openEvents(other.httpAddress, '?position=1');
    await reader.ended;
    expect(reader.events).toEqual([]);
    store.setFault(undefined);
    const again = await openEvents(other.httpAddress, '?position=1');
    await again.until(has(executionId));
  });

  test('that nobody reads keeps nothing in memory and delays no execution', async () => {
    const stuck = await openEvents(server.httpAddress);
    await stuck.until(({ name }) => name === 'node');
    stuck.response.pause();
    const ids = await Promise.all(Array.from({ length: 300 }, () => invoke('count')));
    for (const executionId of ids) await server.functions.waitExecution({ executionId });
    stuck.response.resume();
    await stuck.until(has(ids.at(-1) ?? ''));
  });
});

describe('downloads', () => {
  test('the history is the status and then the log, a line each, as it is now', async () => {
    const executionId = await invoke('count');
    await server.functions.waitExecution({ executionId });
    const answer = await http('GET', `/api/history/${executionId}`);
    expect(answer.code).toBe(200);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/x-ndjson',
      'content-disposition': `attachment; filename="${executionId}.history.jsonl"`,
    });
    const [status, ...events] = answer.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(status).toMatchObject({ result: { executionId }, lastSequence: String(events.length) });
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => String(index + 1)));
    expect(events.at(-1)).toMatchObject({ isFinal: true });
  });

  test('the history of one that runs ends where it is', async () => {
    const executionId = await invoke('loop');
    const answer = await http('GET', `/api/history/${executionId}`);
    const lines = answer.text.trimEnd().split('\n');
    const { lastSequence } = JSON.parse(lines[0] ?? '') as { lastSequence: string };
    expect(lines).toHaveLength(1 + Number(lastSequence));
    await server.functions.cancelExecution({ executionId });
  });

  test('the snapshot is the document that restore takes', async () => {
    const executionId = await invoke('count');
    await server.functions.waitExecution({ executionId });
    const answer = await http('GET', `/api/snapshots/${executionId}`);
    expect(answer.headers['content-disposition']).toBe(`attachment; filename="${executionId}.snapshot"`);
    expect(answer.text).toMatch(/^\{"spearSnapshot":1/);
  });

  test.each(['history', 'snapshots'])('has a head without its body, in %s', async (kind) => {
    const executionId = await invoke('count');
    await server.functions.waitExecution({ executionId });
    const [{ date: _, ...headers }, head] = await Promise.all([
      http('GET', `/api/${kind}/${executionId}`).then((answer) => answer.headers),
      http('HEAD', `/api/${kind}/${executionId}`),
    ]);
    expect(head).toMatchObject({ code: 200, text: '' });
    const { 'transfer-encoding': _chunked, ...told } = headers;
    expect(head.headers).toMatchObject(told);
    expect(await http('HEAD', `/api/${kind}/exec_nothing`)).toMatchObject({ code: 404, text: '' });
  });

  test.each(['history', 'snapshots'])('of nothing is not found, in %s', async (kind) => {
    const unknown = await http('GET', `/api/${kind}/exec_nothing`);
    expect(unknown.code).toBe(404);
    expect(errorOf(unknown)).toHaveProperty('reason', 'EXECUTION_NOT_FOUND');
    expect((await http('GET', `/api/${kind}/nothing`)).code).toBe(400);
    expect((await http('DELETE', `/api/${kind}/exec_1`)).code).toBe(405);
  });
});
