import { describe, expect, test } from 'vitest';
import { errorOf, http, json, withHttp } from './http.ts';
import { server } from './local.ts';

withHttp();

const cancel = JSON.stringify({ executionId: 'exec_nothing' });
const own = () => ({ ...json, origin: `http://${server.httpAddress}`, 'sec-fetch-site': 'same-origin' });

describe('what a page sends', () => {
  test.each([
    ['FunctionService/CancelExecution', cancel],
    ['TaskService/DeleteTask', '{"task":"nothing"}'],
    ['SnapshotService/SnapshotExecution', '{"executionId":"exec_nothing","detach":true}'],
  ])('to %s is done where the role of its reader allows it', async (method, body) => {
    expect((await http('POST', `/api/${method}`, body, own())).code).toBe(404);
  });

  test('is refused where the role of its reader does not allow it', async () => {
    const body = '{"name":"more","role":"ROLE_OBSERVE"}';
    const answer = await http('POST', '/api/AccessService/CreateToken', body, own());
    expect(answer.code).toBe(403);
    expect(errorOf(answer)).toHaveProperty('reason', 'ROLE_MISSING');
  });

  test.each([
    ['FunctionService/ListExecutions', '{}'],
    ['NodeService/GetNode', '{}'],
    ['NodeService/DescribeMachines', '{}'],
    ['NodeService/ListBreakpoints', '{}'],
    ['InstanceService/ListInstances', '{}'],
  ])('to %s is answered, as it only reads', async (method, body) => {
    expect((await http('POST', `/api/${method}`, body, own())).code).toBe(200);
  });

  test('is refused where the page is of another site, whatever it wants', async () => {
    const port = server.httpAddress.split(':')[1];
    for (const headers of [
      { origin: 'http://evil.example' },
      { origin: 'null' },
      { origin: `http://127.0.0.2:${port}` },
      { origin: `http://${server.httpAddress.split(':')[0]}` },
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' },
      { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' },
    ]) {
      const answer = await http('POST', '/api/NodeService/GetNode', '{}', { ...json, ...headers });
      expect(answer.code).toBe(403);
      expect(errorOf(answer)).toHaveProperty('reason', 'CROSS_SITE');
    }
  });

  test('does not matter to whoever is no browser', async () => {
    expect((await http('POST', '/api/FunctionService/CancelExecution', cancel, json)).code).toBe(404);
  });
});
