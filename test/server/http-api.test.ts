import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import { api, errorOf, http, json, withHttp } from './http.ts';
import { server } from './local.ts';

withHttp();

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
    await expect.poll(stateNow).toBe('cancelled');
  });
});
