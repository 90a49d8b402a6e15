/** A token of one execution shows that, and nothing else. */
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Connection, connect } from '../../src/client/channel.ts';
import { AccessService, Role } from '../../src/server/gen/spearlet/access_pb.js';
import { FunctionService } from '../../src/server/gen/spearlet/function_pb.js';
import { InstanceService } from '../../src/server/gen/spearlet/instance_pb.js';
import { NodeService } from '../../src/server/gen/spearlet/node_pb.js';
import { TaskService } from '../../src/server/gen/spearlet/task_pb.js';
import { type LocalServer, startServer } from '../support/server.ts';
import { refusal } from './refusal.ts';

let server: LocalServer;
let shown: string;
let other: string;

const soon = () => timestampFromMs(Date.now() + 60_000);

beforeAll(async () => {
  server = await startServer({ anonymousRole: 'none' });
  await server.register('count', 'wordcount/wordcount.wasm');
  const run = () => server.functions.invokeFunction({ task: 'count', input: Buffer.from('a b') });
  shown = (await run()).executionId;
  other = (await run()).executionId;
});

afterAll(() => server.stop());

const access = () => server.connection.service(AccessService);

async function link(name: string): Promise<{ readonly connection: Connection; readonly token: string }> {
  const { secret } = await access().createToken({
    ...{ name, role: Role.OBSERVE, executionId: shown, expiresAt: soon() },
  });
  const connection = connect(server.grpcAddress, { token: secret });
  onTestFinished(() => connection.close());
  return { connection, token: secret };
}

describe('a token of one execution', () => {
  it('shows it: its record, its input, its log, in lists and on the page', async () => {
    const { connection, token } = await link('shows');
    const functions = connection.service(FunctionService);
    expect((await functions.getExecutionStatus({ executionId: shown })).result?.taskName).toBe('count');
    expect((await functions.listExecutions({})).executions.map((each) => each.executionId)).toEqual([shown]);
    const nodes = connection.service(NodeService);
    expect(Buffer.from((await nodes.getInvocation({ executionId: shown })).input).toString()).toBe('a b');
    const answer = await fetch(`http://${server.httpAddress}/api/history/${shown}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(answer.status).toBe(200);
    const caller = await fetch(`http://${server.httpAddress}/api/caller`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(await caller.json()).toEqual({ name: 'token shows', role: 'observe', tenant: 'default' });
    expect(await answer.text()).toContain(shown);
  });

  it('shows no other execution, no task and no instance', async () => {
    const { connection } = await link('nothing-else');
    const functions = connection.service(FunctionService);
    expect(await refusal(functions.getExecutionStatus({ executionId: other }))).toMatchObject({
      code: 'NOT_FOUND',
    });
    const tasks = connection.service(TaskService);
    expect((await tasks.listTasks({})).tasks).toEqual([]);
    expect(await refusal(tasks.getTask({ task: 'count' }))).toMatchObject({ code: 'NOT_FOUND' });
    expect((await connection.service(InstanceService).listInstances({})).instances).toEqual([]);
    const { node } = await connection.service(NodeService).getNode({});
    expect(
      JSON.stringify(node, (_key, value) => (typeof value === 'bigint' ? Number(value) : value)),
    ).not.toContain(other);
  });

  it('changes nothing', async () => {
    const { connection } = await link('changes-nothing');
    const functions = connection.service(FunctionService);
    for (const call of [
      functions.cancelExecution({ executionId: shown }),
      functions.deleteExecution({ executionId: shown }),
      functions.invokeFunction({ task: 'count' }),
    ]) {
      expect(await refusal(call)).toMatchObject({ code: 'PERMISSION_DENIED', reason: 'ROLE_MISSING' });
    }
  });

  it('is of no use once it is revoked', async () => {
    const { connection } = await link('revoked');
    await access().revokeToken({ name: 'revoked' });
    const call = connection.service(FunctionService).getExecutionStatus({ executionId: shown });
    expect(await refusal(call)).toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it.each([
    ['role', { role: Role.INVOKE }],
    ['expires_at', { expiresAt: undefined }],
    ['tasks', { tasks: ['a-*'] }],
    ['certificate_names', { certificateNames: ['DNS:a.example'] }],
  ])('is refused with another %s, which is named', async (field, change) => {
    const wanted = {
      name: `bad-${field.replace('_', '-')}`,
      role: Role.OBSERVE,
      executionId: shown,
      expiresAt: soon(),
    };
    const refused = await refusal(access().createToken({ ...wanted, ...change }));
    expect(refused.code).toBe('INVALID_ARGUMENT');
    expect(refused.message).toContain(field);
  });

  it('is refused for an execution that is not there', async () => {
    const executionId = 'exec_00000000000000000000000000';
    const call = access().createToken({ name: 'absent', role: Role.OBSERVE, executionId, expiresAt: soon() });
    expect(await refusal(call)).toMatchObject({ code: 'NOT_FOUND' });
  });
});
