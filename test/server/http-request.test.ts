import { describe, expect, test } from 'vitest';
import { errorOf, http, json, withHttp } from './http.ts';
import { server } from './local.ts';

withHttp();

describe('a request', () => {
  test('for another host is refused, as a page elsewhere that has a name for us would send it', async () => {
    const port = server.httpAddress.split(':')[1];
    const others = ['evil.example', `evil.example:${port}`, '127.0.0.1:1', `127.0.0.1.evil.example:${port}`];
    for (const host of others) {
      for (const path of ['/', '/none', '/status/exec_x', '/api/TaskService/ListTasks']) {
        const answer = await http('POST', path, '{}', { ...json, host });
        expect(answer.code).toBe(421);
        expect(errorOf(answer)).toHaveProperty('reason', 'HOST_NOT_ALLOWED');
      }
      // Whoever probes asks by whatever address it has.
      for (const path of ['/healthz', '/readyz']) {
        expect((await http('GET', path, undefined, { host })).code).toBe(200);
      }
    }
    for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `LOCALHOST:${port}`]) {
      expect((await http('GET', '/none', undefined, { host })).code).toBe(404);
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
