import { describe, expect, onTestFinished, test } from 'vitest';
import { startServer } from '../support/server.ts';
import { errorOf, http, json, withHttp } from './http.ts';
import { server } from './local.ts';

withHttp();

const cancel = JSON.stringify({ executionId: 'exec_nothing' });
const own = () => ({ ...json, origin: `http://${server.httpAddress}`, 'sec-fetch-site': 'same-origin' });

describe('what a page sends', () => {
  test.each([
    ['FunctionService/CancelExecution', cancel],
    ['FunctionService/InvokeFunction', '{"task":"count"}'],
    ['TaskService/DeleteTask', '{"task":"count"}'],
    ['NodeService/SetBreakpoint', '{"breakpoint":{"task":"count","before":"pending.queued"}}'],
    ['SnapshotService/SnapshotExecution', '{"executionId":"exec_nothing","detach":true}'],
  ])(
    'to %s is refused where the node was not told to let it, with the flag that does',
    async (method, body) => {
      const answer = await http('POST', `/api/${method}`, body, own());
      expect(answer.code).toBe(403);
      expect(errorOf(answer)).toMatchObject({
        code: 'PERMISSION_DENIED',
        reason: 'ACTIONS_NOT_ALLOWED',
        message: expect.stringContaining('--allow-ui-actions'),
      });
      // A browser may leave the origin out, and says where it comes from all the same.
      const { origin: _, ...quiet } = own();
      expect((await http('POST', `/api/${method}`, body, quiet)).code).toBe(403);
    },
  );

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

test('with --allow-ui-actions the own page may act, and no other', async () => {
  const other = await startServer({ allowUiActions: 'true' });
  onTestFinished(() => other.stop());
  const { node } = await other.nodes.getNode({});
  expect(node?.actionsAllowed).toBe(true);
  const post = (origin: string) =>
    fetch(`http://${other.httpAddress}/api/FunctionService/CancelExecution`, {
      method: 'POST',
      headers: { ...json, origin },
      body: cancel,
    });
  expect((await post(`http://${other.httpAddress}`)).status).toBe(404);
  expect((await post('http://evil.example')).status).toBe(403);
});
