/** Which tenant a request is of, what its token sees of that, and what crosses from one tenant to another: nothing. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Connection, connect } from '../../src/client/channel.ts';
import type { ConfigFlags } from '../../src/config.ts';
import { AccessService, Role } from '../../src/server/gen/spearlet/access_pb.js';
import { ExecutionMode, FunctionService } from '../../src/server/gen/spearlet/function_pb.js';
import { NodeService } from '../../src/server/gen/spearlet/node_pb.js';
import { SnapshotService } from '../../src/server/gen/spearlet/snapshot_pb.js';
import { RuntimeKind, TaskService } from '../../src/server/gen/spearlet/task_pb.js';
import { adminTokenFile } from '../../src/stores/token-file.ts';
import { example, type LocalServer, startServer } from '../support/server.ts';
import { refusal } from './refusal.ts';
import { messages } from './snapshots.ts';

const later = { executionMode: ExecutionMode.ASYNC, startAfter: { seconds: 3600n } } as const;

async function started(flags: ConfigFlags = {}): Promise<LocalServer> {
  const server = await startServer(flags);
  onTestFinished(() => server.stop());
  return server;
}

function adminToken({ dataDir }: LocalServer): string {
  return readFileSync(join(dataDir, adminTokenFile), 'utf8').trim();
}

function connected(server: LocalServer, token: string | undefined, tenant?: string): Connection {
  const connection = connect(server.grpcAddress, { ...(token !== undefined && { token }), tenant });
  onTestFinished(() => connection.close());
  return connection;
}

/** Of a tenant, and of the tasks that the globs fit. */
async function tokenOf(
  server: LocalServer,
  tenant: string,
  tasks: string[] = [],
  role = Role.OPERATE,
): Promise<string> {
  const access = connected(server, adminToken(server), tenant).service(AccessService);
  return (await access.createToken({ name: `${tenant}-${tasks.length}-${role}`, role, tasks })).secret;
}

async function register(connection: Connection, name: string, path = 'wordcount/wordcount.wasm') {
  const artifact = { source: { case: 'content' as const, value: await example(path) } };
  const definition = { name, runtime: RuntimeKind.WASM, artifact };
  const { task } = await connection.service(TaskService).registerTask({ definition });
  return task?.taskId ?? '';
}

function names(connection: Connection): Promise<string[]> {
  const tasks = connection.service(TaskService);
  return tasks.listTasks({}).then((answer) => answer.tasks.map(({ definition }) => definition?.name ?? ''));
}

async function documentOf(
  connection: Connection,
  executionId: string,
  includeArtifact = false,
): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  const snapshots = connection.service(SnapshotService);
  for await (const { step } of snapshots.snapshotExecution({ executionId, includeArtifact })) {
    if (step.case === 'data') parts.push(step.value);
  }
  return Buffer.concat(parts);
}

const restore = (connection: Connection, document: Buffer, options: object) =>
  connection.service(SnapshotService).restoreExecution(messages(options, document));

describe('a request', () => {
  it('is of the tenant of its token, which it may name, and no other', async () => {
    const server = await started();
    const token = await tokenOf(server, 'a');
    await register(connected(server, token), 'count');
    expect(await names(connected(server, token, 'a'))).toEqual(['count']);
    for (const tenant of ['b', 'default', 'A', '*']) {
      expect(await refusal(names(connected(server, token, tenant)))).toMatchObject({
        code: 'PERMISSION_DENIED',
        reason: 'OUT_OF_SCOPE',
        message: `spear-tenant: is "${tenant}"; allowed is "a", the tenant of "token a-0-4", or none`,
      });
    }
  });

  it('of an administrator is of the tenant that it names, or of the default one', async () => {
    const server = await started();
    const token = adminToken(server);
    await register(connected(server, token, 'a'), 'of-a');
    await register(connected(server, token), 'of-default');
    expect(await names(connected(server, token, 'a'))).toEqual(['of-a']);
    expect(await names(connected(server, token))).toEqual(['of-default']);
    expect(await names(connected(server, token, 'default'))).toEqual(['of-default']);
    expect(await refusal(names(connected(server, token, 'No')))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      fields: { 'spear-tenant': expect.stringContaining('is "No"; allowed are 1 to 63 of a-z') },
    });
  });

  it('without a token is of the default tenant', async () => {
    const server = await started();
    await register(connected(server, adminToken(server)), 'of-default');
    await register(connected(server, adminToken(server), 'a'), 'of-a');
    expect(await names(connected(server, undefined))).toEqual(['of-default']);
    expect(await refusal(names(connected(server, undefined, 'a')))).toMatchObject({ reason: 'OUT_OF_SCOPE' });
  });

  it('over HTTP names its tenant with a header, and is refused with two of them', async () => {
    const server = await started();
    await register(connected(server, adminToken(server), 'a'), 'of-a');
    const list = async (headers: [string, string][]) => {
      const json: [string, string] = ['content-type', 'application/json'];
      const url = `http://${server.httpAddress}/api/TaskService/ListTasks`;
      const answer = await fetch(url, { method: 'POST', headers: [json, ...headers], body: '{}' });
      return { status: answer.status, body: await answer.text() };
    };
    const own: [string, string] = ['authorization', `Bearer ${adminToken(server)}`];
    const named = await list([own, ['spear-tenant', 'a']]);
    expect(named.status).toBe(200);
    expect(named.body).toContain('"of-a"');
    expect((await list([own])).body).not.toContain('"of-a"');
    expect(await list([['spear-tenant', 'a']])).toMatchObject({ status: 403 });
    expect(await list([own, ['spear-tenant', 'a'], ['spear-tenant', 'a']])).toMatchObject({ status: 400 });
  });

  it('of a page is of the tenant that its link was made for', async () => {
    const server = await started();
    await register(connected(server, adminToken(server), 'a'), 'of-a');
    const { code } = await connected(server, adminToken(server), 'a')
      .service(AccessService)
      .createPageCode({});
    const url = `http://${server.httpAddress}/api`;
    const post = (path: string, body: object, headers = {}) =>
      fetch(`${url}/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      });
    const { token } = (await (await post('session', { code })).json()) as { readonly token: string };
    const listed = await post('TaskService/ListTasks', {}, { authorization: `Bearer ${token}` });
    expect(await listed.text()).toContain('"of-a"');
  });
});

describe('an administrator', () => {
  it('reads what is of any tenant by its id, and changes it only where that is named', async () => {
    const server = await started();
    const ofA = connected(server, adminToken(server), 'a');
    const taskId = await register(ofA, 'count');
    const { executionId } = await ofA.service(FunctionService).invokeFunction({ task: 'count', ...later });
    const all = connected(server, adminToken(server), '*');
    const functions = all.service(FunctionService);
    const { executions } = await functions.listExecutions({ task: taskId });
    expect(executions.map(({ tenant }) => tenant)).toEqual(['a']);
    expect((await functions.getExecutionStatus({ executionId })).result?.tenant).toBe('a');
    expect((await all.service(TaskService).getTask({ task: taskId })).task?.tenant).toBe('a');
    const headers = { authorization: `Bearer ${adminToken(server)}`, 'spear-tenant': '*' };
    const events = await fetch(`http://${server.httpAddress}/api/events?execution=${executionId}`, {
      headers,
    });
    const reader = (events.body as ReadableStream<Uint8Array>).getReader();
    let told = '';
    while (!told.includes('"log"') && !told.includes('event: log')) {
      told += Buffer.from((await reader.read()).value ?? []).toString();
    }
    await reader.cancel();
    expect(told).not.toContain('fault');
    for (const [what, refused] of [
      ['changes something', functions.cancelExecution({ executionId })],
      ['changes something', all.service(AccessService).createPageCode({})],
      ['a task by its name', all.service(TaskService).getTask({ task: 'count' })],
      ['a list of tasks', all.service(TaskService).listTasks({})],
    ] as const) {
      expect(await refusal(refused)).toMatchObject({
        code: 'INVALID_ARGUMENT',
        fields: { 'spear-tenant': expect.stringMatching(new RegExp(`is "\\*"; allowed for .*${what}`)) },
      });
    }
    await ofA.service(FunctionService).cancelExecution({ executionId });
  });

  it('is told which tenants have tasks or tokens, and nobody else is', async () => {
    const server = await started();
    const access = connected(server, adminToken(server)).service(AccessService);
    expect((await access.listTenants({})).tenants).toEqual(['default']);
    await register(connected(server, adminToken(server), 'shop'), 'count');
    const token = await tokenOf(server, 'mail');
    expect((await access.listTenants({})).tenants).toEqual(['default', 'mail', 'shop']);
    const other = connected(server, token).service(AccessService);
    expect(await refusal(other.listTenants({}))).toMatchObject({ reason: 'ROLE_MISSING' });
  });

  it('lists and counts all tenants where that is asked for, and nobody else may', async () => {
    const server = await started();
    for (const tenant of ['a', 'b']) {
      const connection = connected(server, adminToken(server), tenant);
      await register(connection, 'count');
      await connection.service(FunctionService).invokeFunction({ task: 'count', ...later });
    }
    const connection = connected(server, adminToken(server));
    const { executions } = await connection.service(FunctionService).listExecutions({ allTenants: true });
    expect(executions.map(({ tenant }) => tenant)).toEqual(['b', 'a']);
    expect((await connection.service(FunctionService).listExecutions({})).executions).toEqual([]);
    const pendingOf = async (allTenants: boolean) =>
      (await connection.service(NodeService).getNode({ allTenants })).node?.pending;
    expect([await pendingOf(true), await pendingOf(false)]).toEqual([2, 0]);
    const other = connected(server, await tokenOf(server, 'a')).service(FunctionService);
    expect(await refusal(other.listExecutions({ allTenants: true }))).toMatchObject({
      code: 'PERMISSION_DENIED',
      message: 'all_tenants: is for the role admin, or a token of all tenants; "token a-0-4" has operate',
    });
  });

  it('gives tokens of a tenant and of tasks, which lists show, and none of its own role that is held to tasks', async () => {
    const server = await started();
    await tokenOf(server, 'a', ['x-*', 'y']);
    const access = connected(server, adminToken(server)).service(AccessService);
    expect((await access.listTokens({})).tokens).toMatchObject([{ tenant: 'a', tasks: ['x-*', 'y'] }]);
    const wrong = { name: 'x', role: Role.ADMIN, tasks: ['a'] };
    expect(await refusal(access.createToken(wrong))).toMatchObject({ fields: { tasks: expect.any(String) } });
    const empty = { name: 'x', role: Role.INVOKE, tasks: ['a', ''] };
    expect(await refusal(access.createToken(empty))).toMatchObject({
      fields: { 'tasks[1]': expect.any(String) },
    });
  });
});

describe('a token that is held to tasks', () => {
  it('makes none that it would not see', async () => {
    const server = await started();
    const connection = connected(server, await tokenOf(server, 'a', ['x-*']));
    await register(connection, 'x-count');
    expect(await refusal(register(connection, 'y-count'))).toMatchObject({
      code: 'PERMISSION_DENIED',
      message: 'definition.name: is "y-count"; the tasks of this token are "x-*"',
    });
  });

  it('is told that an invocation id is taken, and not by what it does not see', async () => {
    const server = await started();
    const all = connected(server, await tokenOf(server, 'a'));
    for (const name of ['x-count', 'y-count']) await register(all, name);
    const call = { invocationId: 'key', ...later };
    const { executionId } = await all.service(FunctionService).invokeFunction({ task: 'y-count', ...call });
    const some = connected(server, await tokenOf(server, 'a', ['x-*'])).service(FunctionService);
    const told = await refusal(some.invokeFunction({ task: 'x-count', ...call }));
    expect(told).toMatchObject({ code: 'ALREADY_EXISTS', reason: 'INVOCATION_ID_IN_USE' });
    expect(JSON.stringify(told)).not.toContain(executionId);
    const seen = await refusal(all.service(FunctionService).invokeFunction({ task: 'x-count', ...call }));
    expect(seen.metadata).toMatchObject({ execution_id: executionId });
  });

  it('restores nothing of another task', async () => {
    const server = await started();
    const all = connected(server, await tokenOf(server, 'a'));
    await register(all, 'y-count');
    const { executionId } = await all.service(FunctionService).invokeFunction({ task: 'y-count', ...later });
    const document = await documentOf(all, executionId);
    const some = connected(server, await tokenOf(server, 'a', ['x-*']));
    expect(await refusal(restore(some, document, { asNew: true }))).toMatchObject({ reason: 'OUT_OF_SCOPE' });
  });
});

describe('a snapshot of another tenant', () => {
  it('brings its task under an id of its own, and wants the artifact that only the other has', async () => {
    const server = await started();
    const a = connected(server, await tokenOf(server, 'a'));
    const b = connected(server, await tokenOf(server, 'b'));
    const taskId = await register(a, 'count');
    const { executionId } = await a.service(FunctionService).invokeFunction({ task: 'count', ...later });
    const without = await documentOf(a, executionId);
    const lacking = await refusal(restore(b, without, { asNew: true }));
    expect(lacking).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'ARTIFACT_UNAVAILABLE' });
    const whole = await documentOf(a, executionId, true);
    const { result } = await restore(b, whole, { asNew: true });
    expect(result).toMatchObject({ tenant: 'b', taskName: 'count', originExecutionId: executionId });
    expect(result?.taskId).not.toBe(taskId);
    const { task } = await a.service(TaskService).getTask({ task: 'count' });
    expect(task).toMatchObject({ taskId, tenant: 'a', revision: 1 });
    expect((await b.service(FunctionService).listExecutions({})).executions).toHaveLength(1);
    expect((await a.service(FunctionService).listExecutions({})).executions).toHaveLength(1);
  });

  it('of one that has ended gives no way to the task that it ran', async () => {
    const server = await started();
    const a = connected(server, await tokenOf(server, 'a'));
    const b = connected(server, await tokenOf(server, 'b'));
    await register(a, 'count');
    const { executionId } = await a
      .service(FunctionService)
      .invokeFunction({ task: 'count', input: Buffer.from('x') });
    const document = await documentOf(a, executionId);
    await a.service(FunctionService).deleteExecution({ executionId });
    await restore(b, document, {});
    expect(await refusal(documentOf(b, executionId, true))).toMatchObject({ reason: 'TASK_NOT_KEPT' });
    expect((await documentOf(b, executionId)).toString()).not.toContain('"kind":"task"');
  });
});

it('a forged record of what has ended gets at no task that its restorer does not see', async () => {
  const server = await started({ anonymousRole: 'none' });
  const admin = connected(server, adminToken(server));
  await register(admin, 'web-a');
  const payroll = await register(admin, 'payroll', 'ticker/ticker.wasm');
  const connection = connected(server, await tokenOf(server, 'default', ['web-*']));
  const functions = connection.service(FunctionService);
  const { executionId } = await functions.invokeFunction({ task: 'web-a' });
  const lines = (await documentOf(connection, executionId)).toString().split('\n');
  await functions.deleteExecution({ executionId });
  const forged = lines
    .filter((line) => line !== '' && line !== ']}' && !line.includes('"kind":"seal"'))
    .map((line) => {
      if (!line.startsWith('{"kind":"record"')) return `${line}\n`;
      const part = JSON.parse(line.replace(/,$/, '')) as { record: { taskId: string } };
      part.record.taskId = payroll;
      return `${JSON.stringify(part)},\n`;
    })
    .join('');
  const sha256 = createHash('sha256').update(forged).digest('hex');
  const document = Buffer.from(`${forged}${JSON.stringify({ kind: 'seal', sha256 })}\n]}\n`);
  await restore(connection, document, {});
  const { result } = await functions.getExecutionStatus({ executionId });
  expect(result?.taskId).not.toBe(payroll);
  await expect(documentOf(connection, executionId, true)).rejects.toThrow('no longer has revision');
});
