/** What the log of a node tells of its callers and its executions, and that it can be changed while it runs. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../src/cli/client.ts';
import { AccessService, Role } from '../../src/server/gen/spearlet/access_pb.js';
import { NodeService } from '../../src/server/gen/spearlet/node_pb.js';
import { type LocalServer, startServer } from '../support/server.ts';

let server: LocalServer;
beforeAll(async () => {
  server = await startServer({ anonymousRole: 'observe' });
});
afterAll(() => server.stop());

function lines(msg: string) {
  return server.log.filter((line) => line.msg === msg);
}

test('a level is changed while the node runs, and the line that says so names who did it', async () => {
  expect(await server.nodes.setLogging({})).toMatchObject({ level: 'info', format: 'json' });
  await server.register('quiet', 'wordcount/wordcount.wasm');
  await server.functions.invokeFunction({ task: 'quiet', input: Buffer.from('a') });
  expect(lines('execution accepted')).toEqual([]);
  expect(await server.nodes.setLogging({ level: 'debug' })).toMatchObject({ level: 'debug', format: 'json' });
  const { executionId } = await server.functions.invokeFunction({ task: 'quiet', input: Buffer.from('a') });
  const told = server.log.filter((line) => line.executionId === executionId);
  expect(told.map(({ msg }) => msg)).toEqual(['execution accepted', 'attempt started', 'execution ended']);
  expect(told[0]).toMatchObject({ task: 'quiet', to: 'pending.queued', event: 'admit' });
  await server.nodes.setLogging({ level: 'info' });
  expect(lines('the log was changed')).toMatchObject([
    { by: expect.stringMatching(/./), level: 'debug', format: 'json' },
    { level: 'info' },
  ]);
});

test('a level that is none is refused, with the field and what is allowed', async () => {
  await expect(server.nodes.setLogging({ level: 'loud' })).rejects.toThrow(
    /level: is "loud"; allowed are trace, debug, info, warn, error, fatal, silent/,
  );
  await expect(server.nodes.setLogging({ format: 'xml' })).rejects.toThrow(
    /format: is "xml"; allowed are json, pretty/,
  );
});

test('a call over gRPC that is refused is a line with who made it and why', async () => {
  const made = await server.connection
    .service(AccessService)
    .createToken({ name: 'looker', role: Role.OBSERVE });
  const connection = connect(server.grpcAddress, { token: made.secret });
  await expect(connection.service(NodeService).setLogging({ level: 'debug' })).rejects.toThrow(/admin/);
  connection.close();
  const [line, ...more] = lines('a call was refused').filter(({ principal }) => principal === 'token looker');
  expect(line).toMatchObject({
    method: 'NodeService/SetLogging',
    code: 'PERMISSION_DENIED',
    address: '127.0.0.1',
    times: 1,
  });
  expect(more).toEqual([]);
});

test('a call over HTTP that is refused is a line, too', async () => {
  const url = `http://${server.httpAddress}/api/FunctionService/WaitExecution`;
  const body = JSON.stringify({ executionId: 'exec_none' });
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  expect(answer.status).toBe(404);
  expect(lines('a call was refused').find(({ code }) => code === 'NOT_FOUND')).toMatchObject({
    method: 'FunctionService/WaitExecution',
    reason: 'EXECUTION_NOT_FOUND',
    principal: 'anonymous',
  });
});
