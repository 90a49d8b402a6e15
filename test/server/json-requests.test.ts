/** What a caller with nothing but JSON hears of a request that is not right, and what it may leave to us. */
import { expect, test } from 'vitest';
import { api, errorOf, http, json, withHttp } from './http.ts';
import { server } from './local.ts';

withHttp();

const invoke = 'FunctionService/InvokeFunction';

test.each([
  ['text where bytes belong', invoke, { task: 'count', input: 'hello world' }, 'input', 'inputText'],
  ['base64 without its padding', invoke, { task: 'count', input: 'aGk' }, 'input', 'base64'],
  ['base64 with line breaks', invoke, { task: 'count', input: 'aGlo\naGlo' }, 'input', 'base64'],
  [
    'bytes and text at once',
    invoke,
    { task: 'count', input: 'aGk=', inputText: 'hi' },
    'inputText',
    'given twice',
  ],
  [
    'an unknown mode',
    invoke,
    { task: 'count', executionMode: 'LATER' },
    'execution_mode',
    'SYNC, ASYNC, STREAM',
  ],
  ['a duration in other units', invoke, { task: 'count', waitBudget: '1000ms' }, 'wait_budget', '"1.5s"'],
  ['a duration as a number', invoke, { task: 'count', timeouts: { total: 5 } }, 'timeouts.total', '"1.5s"'],
  [
    'a number that is none',
    'FunctionService/ListExecutions',
    { pageSize: 'ten' },
    'page_size',
    'whole number',
  ],
  [
    'a number that is too large',
    invoke,
    { task: 'count', maxInlineBytes: 2 ** 33 },
    'max_inline_bytes',
    '4294967295',
  ],
  ['a text that is a number', invoke, { task: 7 }, 'task', 'a text'],
  [
    'a truth that is a word',
    invoke,
    { task: 'count', forceNewInstance: 'yes' },
    'force_new_instance',
    'true',
  ],
  ['a list that is a text', invoke, { task: 'count', args: 'a b' }, 'args', 'a list'],
  ['a field that there is not', invoke, { task: 'count', inptu: 'x' }, '"inptu"', 'did you mean input?'],
  ['a field that is like no other', invoke, { task: 'count', bogus: 'x' }, '"bogus"', 'input, inputText, '],
  [
    'a duration longer than any',
    invoke,
    { task: 'count', waitBudget: '9999999999999s' },
    'wait_budget',
    '366 days',
  ],
  [
    'a duration finer than any',
    invoke,
    { task: 'count', waitBudget: '1.0000000001s' },
    'wait_budget',
    'nine decimals',
  ],
  [
    'a day that no month has',
    'FunctionService/ListExecutions',
    { createdAfter: '2026-02-30T00:00:00Z' },
    'created_after',
    '2026-01-31T12:00:00Z',
  ],
  [
    'a month that there is not',
    'FunctionService/ListExecutions',
    { createdAfter: '2026-13-01T00:00:00Z' },
    'created_after',
    '2026-01-31T12:00:00Z',
  ],
  [
    'an end before its beginning',
    'FunctionService/ListExecutions',
    { createdAfter: '2026-02-01T00:00:00Z', createdBefore: '2026-01-01T00:00:00Z' },
    'created_after',
    'a time before created_before, 2026-01-01T00:00:00.000Z',
  ],
  [
    'two of what there is one of',
    'TaskService/RegisterTask',
    { definition: { name: 'x', runtime: 'WASM', artifact: { path: '/bin/echo', image: 'y' } } },
    'definition.artifact.image',
    'is given beside path; allowed is one of ',
  ],
  [
    'a number that has been rounded',
    'TaskService/RegisterTask',
    { definition: { name: 'x', limits: { memory: 2 ** 60 } } },
    'definition.limits.memory',
    'as a text above 9007199254740991',
  ],
  ['a field where there are none', 'NodeService/DescribeMachines', { x: 1 }, '"x"', 'an empty object'],
  [
    'a status that stands for none',
    'FunctionService/ListExecutions',
    { statuses: [0] },
    'statuses[0]',
    'allowed are PENDING (1), RUNNING (2)',
  ],
  [
    'an unknown runtime, deep inside',
    'TaskService/RegisterTask',
    { definition: { name: 'x', runtime: 'JVM' } },
    'definition.runtime',
    'WASM, DOCKER, PROCESS',
  ],
])(
  '%s is refused, and the field and what is allowed are named',
  async (_what, method, message, field, allowed) => {
    const answer = await api(method, message);
    expect(answer.code).toBe(400);
    const error = errorOf(answer);
    expect(error).toMatchObject({ reason: 'INVALID_FIELD' });
    const [violation] = error.violations as { field: string; description: string }[];
    expect(violation?.field).toBe(field);
    expect(violation?.description).toContain(allowed);
  },
);

test.each([
  ['{"task":"count","task":"other"}', 'task'],
  ['{"task":"count","environment":{"A":"1","\\u0041":"2"}}', 'environment.A'],
  ['{"task":"count","args":["a,\\"b","{"],"parameters":{"p":[{},{"a":1,"a":2}]}}', 'parameters.p[1].a'],
])('%s says one thing twice, and is refused', async (body, field) => {
  const answer = await http('POST', `/api/${invoke}`, body, json);
  expect(answer.code).toBe(400);
  const [violation] = errorOf(answer).violations as { field: string; description: string }[];
  expect(violation).toEqual({ field, description: 'is given twice; allowed is each name once in an object' });
});

test('a number beyond all numbers is refused, and its field is named', async () => {
  const body = '{"definition":{"name":"x","retry":{"factor":1e400}}}';
  const answer = await http('POST', '/api/TaskService/RegisterTask', body, json);
  expect(errorOf(answer)).toMatchObject({
    message: 'definition.retry.factor: is Infinity; allowed is a number',
  });
});

test('equal names in different objects, and in texts, are not the same name twice', async () => {
  const body = JSON.stringify({
    task: 'count',
    args: ['{"task":"a","task":"b"}', '\\', '"'],
    environment: { task: 'x' },
    metadata: { task: 'x' },
  });
  expect((await http('POST', `/api/${invoke}`, body, json)).code).toBe(200);
});

test.each([
  ['FunctionService/InvokeFunctoin', 'did you mean /api/FunctionService/InvokeFunction?'],
  ['functionservice/invokefunction', 'did you mean /api/FunctionService/InvokeFunction?'],
  ['FunctionService/Fly', 'those of FunctionService are InvokeFunction, StreamFunction'],
  ['Nothing', 'the services are FunctionService, TaskService'],
])('the method %s, which there is not, gets the nearest or all', async (name, hint) => {
  const answer = await api(name, {});
  expect(answer.code).toBe(404);
  expect(errorOf(answer)).toMatchObject({ reason: 'METHOD_NOT_FOUND' });
  expect(String(errorOf(answer).message)).toContain(hint);
});

test.each(['ASYNC', 'async', 'EXECUTION_MODE_ASYNC', 2])(
  'the mode may be written %j',
  async (executionMode) => {
    const answer = JSON.parse((await api(invoke, { task: 'count', executionMode })).text) as {
      statusEndpoint: string;
    };
    expect(answer.statusEndpoint).toMatch(/^\/status\/exec_/);
  },
);

test('text goes in and comes out beside the bytes', async () => {
  const { text } = await api(invoke, { task: 'count', inputText: 'grüße\nwelt\n' });
  const { result } = JSON.parse(text) as { result: Record<string, unknown> };
  expect(result.outputText).toBe(Buffer.from(String(result.output), 'base64').toString());
  expect(result).toMatchObject({ outputText: '2 2 13\n', errorText: '' });
  expect(String(result.executionTimeMs)).toMatch(/^\d+(\.\d{1,3})?$/);
});

test('output that is no text comes as bytes alone', async () => {
  await server.register('echo', 'misbehaving/cat.wasm');
  const input = Buffer.from([0xff, 0xfe, 0x00]).toString('base64');
  const { result } = JSON.parse((await api(invoke, { task: 'echo', input })).text) as {
    result: Record<string, unknown>;
  };
  expect(result.output).toBe(input);
  expect(result).not.toHaveProperty('outputText');
});

test.each(['/healthz', '/readyz'])('%s is read and not written', async (path) => {
  for (const method of ['POST', 'PUT', 'DELETE']) {
    const answer = await http(method, path, method === 'DELETE' ? undefined : '{}', json);
    expect(answer.code).toBe(405);
    expect(answer.headers.allow).toBe('GET, HEAD');
  }
  expect((await http('HEAD', path)).code).toBe(200);
});

test('a status is told to no page of another site', async () => {
  const { executionId } = JSON.parse((await api(invoke, { task: 'count' })).text) as { executionId: string };
  for (const headers of [{ origin: 'http://evil.example' }, { 'sec-fetch-site': 'cross-site' }]) {
    const answer = await http('GET', `/status/${executionId}`, undefined, headers);
    expect(answer.code).toBe(403);
    expect(answer.text).not.toContain('output');
  }
  const own = { origin: `http://${server.httpAddress}`, 'sec-fetch-site': 'same-origin' };
  expect((await http('GET', `/status/${executionId}`, undefined, own)).code).toBe(200);
});

test('a body over the limit is answered to a caller that sends all of it before it reads', async () => {
  for (const path of [`/api/${invoke}`, '/api/None/None', '/healthz']) {
    const answer = await http('POST', path, ' '.repeat(3_000_000), json);
    expect([429, 404, 405]).toContain(answer.code);
    expect(errorOf(answer)).toHaveProperty('reason');
  }
  expect((await api(invoke, { task: 'count' })).code).toBe(200);
});

test.each([
  ['a text that is not UTF-8', Buffer.from('{"task":"count","inputText":"\xff\xfe"}', 'latin1'), {}, 'UTF-8'],
  [
    'another charset',
    Buffer.from('{"task":"count"}'),
    { 'content-type': 'application/json; charset=latin1' },
    'utf-8',
  ],
  [
    'a body that says that it is compressed',
    Buffer.from('{"task":"count"}'),
    { 'content-encoding': 'gzip' },
    'identity',
  ],
  [
    'a transfer that says so',
    Buffer.from('{"task":"count"}'),
    { 'transfer-encoding': 'gzip, chunked' },
    'chunked',
  ],
])('%s is refused, and nothing runs', async (_what, body, headers, allowed) => {
  const before = await server.functions.listExecutions({ task: 'count' });
  const answer = await http('POST', `/api/${invoke}`, body, { ...json, ...headers });
  expect(answer.code).toBe(400);
  expect(errorOf(answer)).toHaveProperty('message', expect.stringContaining(allowed));
  const after = await server.functions.listExecutions({ task: 'count' });
  expect(after.executions).toHaveLength(before.executions.length);
});

test('a content type may name UTF-8', async () => {
  const types = ['application/json; charset=utf-8', 'application/json;charset="UTF-8"'];
  for (const type of types) {
    const answer = await http('POST', `/api/${invoke}`, '{"task":"count"}', { 'content-type': type });
    expect(answer.code).toBe(200);
  }
});
