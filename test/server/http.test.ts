import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ExecutionMode } from '../../src/server/gen/spearlet/function_pb.js';
import { type LocalServer, startServer } from '../support/server.ts';

interface Answer {
  readonly code: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

let server: LocalServer;

beforeAll(async () => {
  server = await startServer({ maxRequestBytes: '100000' });
  await server.register('count', 'wordcount/wordcount.wasm');
  await server.register('loop', 'misbehaving/loop.wasm');
});

afterAll(async () => {
  const { bugs } = server;
  await server.stop();
  expect(bugs).toEqual([]);
});

/** `fetch` does not let its caller choose the Host. */
function http(
  method: string,
  path: string,
  body?: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const [host, port] = server.httpAddress.split(':');
    const call = request({ host, port, method, path, headers, agent: false }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () =>
        resolve({
          code: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(parts).toString(),
        }),
      );
      response.on('error', reject);
    });
    call.on('error', reject);
    call.end(body);
  });
}

const json = { 'content-type': 'application/json' };

function api(method: string, message: unknown): Promise<Answer> {
  return http('POST', `/api/${method}`, JSON.stringify(message), json);
}

function errorOf(answer: Answer) {
  expect(answer.headers['content-type']).toMatch(/^application\/json/);
  return (JSON.parse(answer.text) as { error: Record<string, unknown> }).error;
}

const timeText = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);

describe('the status endpoint', () => {
  test('of a finished execution is proto JSON with every field, empty ones too', async () => {
    const { executionId, taskId } = await server.functions.invokeFunction({
      task: 'count',
      input: Buffer.from('a b\n'),
    });
    const answer = await http('GET', `/status/${executionId}`);
    expect(answer.code).toBe(200);
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(JSON.parse(answer.text)).toEqual({
      result: {
        status: 'EXECUTION_STATUS_COMPLETED',
        state: 'completed',
        mode: 'EXECUTION_MODE_SYNC',
        isAsync: false,
        isCompleted: true,
        output: Buffer.from('1 2 4\n').toString('base64'),
        contentType: '',
        errorOutput: '',
        outputBytes: '6',
        outputTruncated: false,
        exitCode: 0,
        errorCode: 'ERROR_CODE_UNSPECIFIED',
        errorOrigin: 'ERROR_ORIGIN_UNSPECIFIED',
        errorMessage: '',
        attempt: 1,
        createdAt: timeText,
        startedAt: timeText,
        completedAt: timeText,
        queueTimeMs: expect.stringMatching(/^\d+$/),
        executionTimeMs: expect.any(Number),
        requestId: expect.stringMatching(/./),
        metadata: {},
        timestamp: timeText,
        allowedEvents: [],
        resourceUse: {
          cpuTimeUs: expect.stringMatching(/^\d+$/),
          peakMemoryBytes: expect.stringMatching(/^\d+$/),
          droppedBytes: '0',
        },
        executionId,
        taskId,
        taskName: 'count',
        taskRevision: 1,
        functionName: '',
        instanceId: expect.stringMatching(/./),
      },
      statusEndpoint: '',
      estimatedCompletionMs: '0',
      lastSequence: '4',
    });
  });

  test('of an execution that runs says so, and where to ask again', async () => {
    const { executionId, statusEndpoint } = await server.functions.invokeFunction({
      task: 'loop',
      executionMode: ExecutionMode.ASYNC,
    });
    await expect
      .poll(async () => JSON.parse((await http('GET', statusEndpoint)).text))
      .toMatchObject({
        result: {
          status: 'EXECUTION_STATUS_RUNNING',
          isCompleted: false,
          isAsync: true,
          output: 'bG9vcGluZwo=',
        },
        statusEndpoint,
        estimatedCompletionMs: expect.stringMatching(/^[1-9]\d*$/),
      });
    await server.functions.cancelExecution({ executionId });
    await server.functions.waitExecution({ executionId });
    expect(JSON.parse((await http('GET', statusEndpoint)).text)).toMatchObject({
      result: { status: 'EXECUTION_STATUS_CANCELLED', errorCode: 'ERROR_CODE_CANCELLED', isCompleted: true },
      statusEndpoint: '',
    });
  });

  test.each(['exec_00000000000000000000000000', 'nonsense', '%E0%A4%A', 'exec_..%2f..%2fspear.db', ''])(
    'of the unknown id %j is 404 with a JSON error',
    async (id) => {
      const answer = await http('GET', `/status/${id}`);
      expect(answer.code).toBe(404);
      expect(errorOf(answer)).toMatchObject({ code: 'NOT_FOUND', message: expect.stringMatching(/./) });
    },
  );

  test('is only read', async () => {
    for (const method of ['POST', 'PUT', 'DELETE']) {
      const answer = await http(method, '/status/exec_00000000000000000000000000', '{}', json);
      expect(answer.code).toBe(405);
      expect(answer.headers.allow).toBe('GET, HEAD');
      expect(errorOf(answer)).toHaveProperty('reason', 'METHOD_NOT_ALLOWED');
    }
    const { executionId } = await server.functions.invokeFunction({ task: 'count' });
    const head = await http('HEAD', `/status/${executionId}`);
    expect(head).toMatchObject({ code: 200, text: '' });
  });
});

describe('the probes', () => {
  test('say that the server is alive and ready', async () => {
    expect(await http('GET', '/healthz')).toMatchObject({ code: 200 });
    const ready = await http('GET', '/readyz');
    expect(ready.code).toBe(200);
    expect(JSON.parse(ready.text)).toEqual({ ready: true, reason: 'serving' });
  });

  test('and other paths that are not there are 404 with a reason', async () => {
    for (const path of ['/metrics', '/nothing', '/api', '/api/', '/statusx', '/%00', '//']) {
      const answer = await http('GET', path);
      expect(answer.code, path).toBe(404);
      expect(errorOf(answer)).toMatchObject({ reason: expect.stringMatching(/^[A-Z_]+$/) });
    }
  });
});

describe('a request', () => {
  test('for another host is refused, as a page elsewhere that has a name for us would send it', async () => {
    const port = server.httpAddress.split(':')[1];
    const others = ['evil.example', `evil.example:${port}`, '127.0.0.1:1', `127.0.0.1.evil.example:${port}`];
    for (const host of others) {
      for (const path of ['/healthz', '/status/exec_x', '/api/TaskService/ListTasks']) {
        const answer = await http('POST', path, '{}', { ...json, host });
        expect(answer.code).toBe(421);
        expect(errorOf(answer)).toHaveProperty('reason', 'HOST_NOT_ALLOWED');
      }
    }
    for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `LOCALHOST:${port}`]) {
      expect((await http('GET', '/healthz', undefined, { host })).code).toBe(200);
    }
  });

  test('is answered without CORS headers', async () => {
    const asked = { origin: 'http://evil.example', 'access-control-request-method': 'POST' };
    for (const [method, path] of [
      ['OPTIONS', '/api/TaskService/ListTasks'],
      ['GET', '/healthz'],
      ['POST', '/api/TaskService/ListTasks'],
    ] as const) {
      const { headers } = await http(method, path, undefined, asked);
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });

  test.each([undefined, 'text/plain', 'application/x-www-form-urlencoded', 'application/jsonx'])(
    'that writes with content type %s is refused',
    async (type) => {
      const headers = type === undefined ? {} : { 'content-type': type };
      const body = JSON.stringify({ task: 'count' });
      const before = await server.functions.listExecutions({ task: 'count' });
      const answer = await http('POST', '/api/FunctionService/InvokeFunction', body, headers);
      expect(answer.code).toBe(400);
      expect(JSON.stringify(errorOf(answer))).toContain('application/json');
      const after = await server.functions.listExecutions({ task: 'count' });
      expect(after.executions).toHaveLength(before.executions.length);
    },
  );
});

describe('the API', () => {
  test('takes and gives the messages of gRPC as JSON', async () => {
    const answer = await http(
      'POST',
      '/api/FunctionService/InvokeFunction',
      JSON.stringify({ task: 'count', input: Buffer.from('a\n').toString('base64'), metadata: { a: 'b' } }),
      { 'content-type': 'application/json; charset=utf-8' },
    );
    expect(answer.code).toBe(200);
    expect(JSON.parse(answer.text)).toMatchObject({
      success: true,
      executionId: expect.stringMatching(/^exec_/),
      statusEndpoint: '',
      estimatedCompletionMs: '0',
      joined: false,
      result: {
        status: 'EXECUTION_STATUS_COMPLETED',
        output: Buffer.from('1 1 2\n').toString('base64'),
        metadata: { a: 'b' },
      },
    });
  });

  test('knows both services, by their short and their full names', async () => {
    const listed = await api('TaskService/ListTasks', {});
    expect(JSON.parse(listed.text)).toMatchObject({
      tasks: [{ definition: { name: 'count' } }, { definition: { name: 'loop' } }],
      nextPageToken: '',
    });
    const full = await api('spearlet.TaskService/GetTask', { task: 'count' });
    expect(JSON.parse(full.text)).toMatchObject({ task: { revision: 1, wit: '' } });
  });

  test('gives the errors of gRPC with their field and reason', async () => {
    const unknown = await api('TaskService/GetTask', { task: 'nobody' });
    expect(unknown.code).toBe(404);
    expect(errorOf(unknown)).toMatchObject({ code: 'NOT_FOUND', reason: 'TASK_NOT_FOUND' });
    const wrong = await api('FunctionService/ListExecutions', { pageSize: 5000 });
    expect(wrong.code).toBe(400);
    expect(errorOf(wrong)).toMatchObject({
      code: 'INVALID_ARGUMENT',
      violations: [{ field: 'page_size', description: expect.stringContaining('1000') }],
    });
  });

  test.each([
    ['no JSON', '{"task":'],
    ['a list', '[]'],
    ['a field that is not there', '{"tusk":"count"}'],
    ['a wrong type', '{"task":5}'],
    ['base64 that is none', '{"input":"~~~"}'],
  ])('refuses %s', async (_name, body) => {
    const answer = await http('POST', '/api/FunctionService/InvokeFunction', body, json);
    expect(answer.code).toBe(400);
    expect(errorOf(answer)).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'INVALID_FIELD' });
    expect(answer.text).not.toMatch(/node_modules|\.ts:|at .*\(/);
  });

  test('has only POST, only what there is, and no streams', async () => {
    const got = await http('GET', '/api/TaskService/ListTasks');
    expect(got).toMatchObject({ code: 405, headers: { allow: 'POST' } });
    for (const name of [
      'TaskService/Nothing',
      'Nothing/ListTasks',
      'TaskService',
      'TaskService/ListTasks/x',
    ]) {
      expect((await api(name, {})).code).toBe(404);
    }
    const stream = await api('FunctionService/StreamFunction', { task: 'count' });
    expect(stream.code).toBe(501);
    expect(errorOf(stream)).toMatchObject({ code: 'UNIMPLEMENTED' });
  });

  test('refuses a body over the limit with an answer, not with a connection that breaks', async () => {
    for (const bytes of [100_001, 5_000_000]) {
      const body = JSON.stringify({ task: 'count', input: Buffer.alloc(bytes).toString('base64') });
      const answer = await http('POST', '/api/FunctionService/InvokeFunction', body, json);
      expect(answer.code).toBe(429);
      expect(errorOf(answer)).toMatchObject({ code: 'RESOURCE_EXHAUSTED', reason: 'REQUEST_TOO_LARGE' });
    }
    expect((await http('GET', '/healthz')).code).toBe(200);
  });

  test('cancels what a caller started with cancelOnDisconnect and did not wait for', async () => {
    const [host, port] = server.httpAddress.split(':');
    const call = request({
      host,
      port,
      method: 'POST',
      path: '/api/FunctionService/InvokeFunction',
      headers: json,
    });
    const lost = new Promise((resolve) => call.once('error', resolve));
    const running = async () => {
      const { executions } = await server.functions.listExecutions({ task: 'loop', statuses: [2] });
      return executions[0]?.executionId;
    };
    call.end(JSON.stringify({ task: 'loop', cancelOnDisconnect: true }));
    await expect.poll(running).toBeDefined();
    const executionId = (await running()) ?? '';
    call.destroy(new Error('gone'));
    await lost;
    // A list attaches no observer, which would keep the execution.
    const stateNow = async () => {
      const { executions } = await server.functions.listExecutions({ task: 'loop' });
      return executions.find((execution) => execution.executionId === executionId)?.state;
    };
    await expect.poll(stateNow, { timeout: 10_000 }).toBe('cancelled');
  });
});
