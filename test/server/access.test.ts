/** Who may do what, over gRPC and HTTP, and over the socket. */
import { join } from 'node:path';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Connection, connect } from '../../src/client/channel.ts';
import type { ConfigFlags } from '../../src/config.ts';
import { AccessService, Role } from '../../src/server/gen/spearlet/access_pb.js';
import { ExecutionMode, FunctionService } from '../../src/server/gen/spearlet/function_pb.js';
import { NodeService } from '../../src/server/gen/spearlet/node_pb.js';
import { SnapshotService } from '../../src/server/gen/spearlet/snapshot_pb.js';
import { RuntimeKind, TaskService } from '../../src/server/gen/spearlet/task_pb.js';
import { type LocalServer, startServer } from '../support/server.ts';
import { sharedServer } from '../support/shared-server.ts';
import { collect } from './collect.ts';
import { refusal } from './refusal.ts';

async function started(flags: ConfigFlags = {}): Promise<LocalServer> {
  const server = await startServer(flags);
  onTestFinished(() => server.stop());
  return server;
}

const plain = sharedServer();
const withHost = sharedServer(() => ({ allowHostAccess: true }));
const withRegistries = sharedServer(() => ({ imageRegistry: 'other.example,registry.example:5000' }));

function connected(address: string, token?: string): Connection {
  const connection = connect(address, token === undefined ? {} : { token });
  onTestFinished(() => connection.close());
  return connection;
}

async function tokenOf(server: LocalServer, role: Role): Promise<string> {
  const access = server.connection.service(AccessService);
  return (await access.createToken({ name: `of-${Role[role]}`, role })).secret;
}

async function withRole(server: LocalServer, role: Role): Promise<Connection> {
  return connected(server.grpcAddress, await tokenOf(server, role));
}

const program = { source: { case: 'path', value: '/bin/true' } } as const;
const processTask = { name: 'true', runtime: RuntimeKind.PROCESS, artifact: program };

/** One call for each role, which that role may do and none before it. */
const calls: readonly (readonly [Role, (connection: Connection) => Promise<unknown>])[] = [
  [Role.OBSERVE, (connection) => connection.service(FunctionService).listExecutions({})],
  [Role.INVOKE, (connection) => connection.service(FunctionService).invokeFunction({ task: 'none' })],
  [Role.DEVELOP, (connection) => connection.service(TaskService).deleteTask({ task: 'none' })],
  [
    Role.OPERATE,
    (connection) =>
      collect(connection.service(SnapshotService).snapshotExecution({ executionId: 'exec_none' })),
  ],
  [Role.ADMIN, (connection) => connection.service(AccessService).listTokens({})],
];

describe('a token', () => {
  it.each([Role.OBSERVE, Role.INVOKE, Role.DEVELOP, Role.OPERATE, Role.ADMIN])(
    'with the role %i may do what that role may, and no more',
    async (role) => {
      const server = await plain();
      const connection = await withRole(server, role);
      for (const [needed, call] of calls) {
        const answer = await call(connection).then(
          () => 'answered',
          (error: { readonly code: number }) => error.code,
        );
        // Where it may, what it asks for is not there.
        if (needed <= role) expect(['answered', 5]).toContain(answer);
        else {
          expect(await refusal(call(connection))).toMatchObject({
            code: 'PERMISSION_DENIED',
            reason: 'ROLE_MISSING',
            metadata: { needed: Role[needed]?.toLowerCase(), role: Role[role]?.toLowerCase() },
          });
        }
      }
    },
  );

  it.each([
    ['unknown', `spear_${'a'.repeat(43)}`],
    ['of another form', 'x'],
    ['in a JWT', 'eyJhbGciOiJub25lIn0.eyJyb2xlIjoiYWRtaW4ifQ.'],
  ])('that is %s is refused, also where callers without one may do much', async (_what, token) => {
    const server = await started();
    const connection = connected(server.grpcAddress, token);
    for (const [, call] of calls) {
      expect(await refusal(call(connection))).toMatchObject({
        code: 'UNAUTHENTICATED',
        reason: 'UNAUTHENTICATED',
      });
    }
  });

  it('that was revoked is of no use any more, and its name is free', async () => {
    const server = await started();
    const access = server.connection.service(AccessService);
    const connection = await withRole(server, Role.OBSERVE);
    await connection.service(NodeService).getNode({});
    await access.revokeToken({ name: 'of-OBSERVE' });
    expect(await refusal(connection.service(NodeService).getNode({}))).toMatchObject({
      code: 'UNAUTHENTICATED',
    });
    expect(await refusal(access.revokeToken({ name: 'of-OBSERVE' }))).toMatchObject({
      code: 'NOT_FOUND',
      reason: 'TOKEN_NOT_FOUND',
    });
    await withRole(server, Role.OBSERVE);
    expect(await refusal(access.createToken({ name: 'of-OBSERVE', role: Role.ADMIN }))).toMatchObject({
      code: 'ALREADY_EXISTS',
      reason: 'TOKEN_EXISTS',
    });
  });

  it.each([
    [{ name: '', role: Role.ADMIN }, 'name'],
    [{ name: 'a b', role: Role.ADMIN }, 'name'],
    [{ name: 'x'.repeat(129), role: Role.ADMIN }, 'name'],
    [{ name: 'a' }, 'role'],
    [{ name: 'a', role: 17 as Role }, 'role'],
    [{ name: 'a', role: Role.ADMIN, expiresAt: { seconds: 1n, nanos: 0 } }, 'expires_at'],
  ])('is not made of what is not allowed (%#)', async (request, field) => {
    const server = await plain();
    const { code, fields } = await refusal(server.connection.service(AccessService).createToken(request));
    expect([code, Object.keys(fields)]).toEqual(['INVALID_ARGUMENT', [field]]);
  });

  it('is listed without itself, with its last use', async () => {
    const server = await started();
    const connection = await withRole(server, Role.OBSERVE);
    await connection.service(NodeService).getNode({});
    const { tokens } = await server.connection.service(AccessService).listTokens({});
    expect(tokens).toMatchObject([{ name: 'of-OBSERVE', role: Role.OBSERVE }]);
    expect(tokens[0]?.lastUsedAt).toBeDefined();
    expect(tokens[0]?.expiresAt).toBeUndefined();
  });
});

describe('a caller without a token', () => {
  it('registers no task that reaches the host, nor makes tokens', async () => {
    const server = await started({ allowHostAccess: true });
    const tasks = connected(server.grpcAddress).service(TaskService);
    const denied = { code: 'PERMISSION_DENIED', reason: 'ROLE_MISSING', metadata: { needed: 'admin' } };
    expect(await refusal(tasks.registerTask({ definition: processTask }))).toMatchObject(denied);
    expect(await refusal(tasks.registerTaskWithProgress({ definition: processTask }))).toMatchObject(denied);
    const access = connected(server.grpcAddress).service(AccessService);
    expect(await refusal(access.createToken({ name: 'a', role: Role.ADMIN }))).toMatchObject(denied);
    const answer = await fetch(`http://${server.httpAddress}/api/TaskService/RegisterTask`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        definition: { name: 'true', runtime: 'RUNTIME_KIND_PROCESS', artifact: { path: '/bin/true' } },
      }),
    });
    expect([answer.status, await answer.json()]).toMatchObject([403, { error: { reason: 'ROLE_MISSING' } }]);
    await server.tasks.registerTask({ definition: processTask });
  });

  it.each([
    ['host folder', { preopens: { '/data': '/tmp' } }, RuntimeKind.WASM],
    ['capability', { container: { capabilities: ['NET_RAW'] } }, RuntimeKind.DOCKER],
    ['new privileges', { container: { allowNewPrivileges: true } }, RuntimeKind.DOCKER],
    ['user: 0', { user: '0' }, RuntimeKind.DOCKER],
    ['user: root:root', { user: 'root:root' }, RuntimeKind.DOCKER],
    ['user: app', { user: 'app' }, RuntimeKind.DOCKER],
    ['user: 1000:0', { user: '1000:0' }, RuntimeKind.DOCKER],
    ['network: lan', { allowNetwork: true, container: { network: 'lan' } }, RuntimeKind.DOCKER],
    ['network: host', { allowNetwork: true, container: { network: 'host' } }, RuntimeKind.DOCKER],
  ])('registers no task with %s', async (what, more, runtime) => {
    const server = await withHost();
    const artifact =
      runtime === RuntimeKind.WASM
        ? ({ source: { case: 'content', value: new Uint8Array(8) } } as const)
        : ({ source: { case: 'image', value: 'busybox' } } as const);
    const call = connected(server.grpcAddress)
      .service(TaskService)
      .registerTask({ definition: { name: 'a', runtime, artifact, ...more } });
    const { code, message } = await refusal(call);
    expect([code, message]).toEqual(['PERMISSION_DENIED', expect.stringContaining(what)]);
  });

  it.each([
    ['127.0.0.1:1/a/b:1', '127.0.0.1:1'],
    ['localhost/a', 'localhost'],
    ['INTRANET/a', 'intranet'],
    ['registry.example/a@sha256:0', 'registry.example'],
  ])('has the engine fetch no image %s, of a registry that is not listed', async (image, registry) => {
    const server = await withRegistries();
    const artifact = { source: { case: 'image', value: image } } as const;
    const call = connected(server.grpcAddress)
      .service(TaskService)
      .registerTask({ definition: { name: 'a', runtime: RuntimeKind.DOCKER, artifact } });
    const { code, message } = await refusal(call);
    expect([code, message]).toEqual(['PERMISSION_DENIED', expect.stringContaining(registry)]);
  });

  it.each(['a/b:none', 'docker.io/a/b', 'other.example/a', 'REGISTRY.example:5000/a'])(
    'may name %s, of Docker Hub or a registry that is listed',
    async (image) => {
      const server = await withRegistries();
      const artifact = { source: { case: 'image', value: image } } as const;
      const call = connected(server.grpcAddress)
        .service(TaskService)
        .registerTask({ definition: { name: 'a', runtime: RuntimeKind.DOCKER, artifact } });
      expect(await refusal(call)).toMatchObject({ code: 'UNAVAILABLE', reason: 'RUNTIME_UNAVAILABLE' });
    },
  );

  it('may do nothing where the node says so, but look whether it is there', async () => {
    const server = await started({ anonymousRole: 'none' });
    const connection = connected(server.grpcAddress);
    for (const [, call] of calls) {
      expect(await refusal(call(connection))).toMatchObject({ code: 'UNAUTHENTICATED' });
    }
    const status = async (path: string, init: RequestInit = {}) =>
      (await fetch(`http://${server.httpAddress}${path}`, init)).status;
    expect(await status('/healthz')).toBe(200);
    expect(await status('/readyz')).toBe(200);
    const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
    const closed: [string, RequestInit?][] = [
      ['/status/exec_none'],
      ['/api/events'],
      ['/api/history/exec_none'],
      ['/api/snapshots/exec_none'],
      ['/api/NodeService/GetNode', post],
      ['/api/FunctionService/InvokeFunction', post],
    ];
    for (const [path, init] of closed) expect(await status(path, init), path).toBe(401);
    const asked = await fetch(`http://${server.httpAddress}/api/NodeService/GetNode`, post);
    expect(asked.headers.get('www-authenticate')).toMatch(/^Bearer/);
  });

  it('and one with a token are told apart over HTTP as well', async () => {
    const server = await started({ anonymousRole: 'none' });
    const access = server.connection.service(AccessService);
    const { secret } = await access.createToken({ name: 'reader', role: Role.OBSERVE });
    const ask = (method: string, authorization: string) =>
      fetch(`http://${server.httpAddress}/api/${method}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization },
        body: '{}',
      });
    expect((await ask('NodeService/GetNode', `Bearer ${secret}`)).status).toBe(200);
    expect((await ask('NodeService/GetNode', `bearer  ${secret}`)).status).toBe(200);
    expect((await ask('TaskService/DeleteTask', `Bearer ${secret}`)).status).toBe(403);
    for (const wrong of [`Basic ${secret}`, secret, 'Bearer', `Bearer ${secret} x`, `Bearer ${secret}x`]) {
      expect((await ask('NodeService/GetNode', wrong)).status, wrong).toBe(401);
    }
  });
});

describe('a task that reaches the host, invoked by who is no administrator', () => {
  async function invoked(environment: Readonly<Record<string, string>>) {
    const server = await started({ allowHostAccess: true });
    await server.tasks.registerTask({ definition: { ...processTask, environment: { LEVEL: '1' } } });
    const connection = await withRole(server, Role.OPERATE);
    const functions = connection.service(FunctionService);
    return { server, connection, call: () => functions.invokeFunction({ task: 'true', environment }) };
  }

  it('takes values of variables that it has, and arguments', async () => {
    const { call } = await invoked({ LEVEL: '2' });
    expect((await call()).success).toBe(true);
  });

  it('takes no other variables: a loader or an interpreter would run something else', async () => {
    const { call, server } = await invoked({ LEVEL: '2', LD_PRELOAD: '/tmp/x.so' });
    const { code, message } = await refusal(call());
    expect([code, message]).toEqual(['PERMISSION_DENIED', expect.stringContaining('LD_PRELOAD')]);
    await server.functions.invokeFunction({ task: 'true', environment: { OTHER: 'x' } });
  });

  it.each(['NODE_OPTIONS', 'LD_PRELOAD', 'PATH', 'PYTHONSTARTUP', 'BASH_ENV'])(
    'takes no other value of %s, though its definition has one',
    async (name) => {
      const server = await started({ allowHostAccess: true });
      await server.tasks.registerTask({ definition: { ...processTask, environment: { [name]: '' } } });
      const call = { task: 'true', environment: { [name]: '/tmp/x' } };
      const invoker = (await withRole(server, Role.OPERATE)).service(FunctionService);
      const { code, message } = await refusal(invoker.invokeFunction(call));
      expect([code, message]).toEqual(['PERMISSION_DENIED', expect.stringContaining(name)]);
      expect((await invoker.invokeFunction({ task: 'true' })).success).toBe(true);
    },
  );

  it('is not restored by them, also where this node knows it', async () => {
    const { server, connection } = await invoked({});
    const { executionId } = await server.functions.invokeFunction({
      task: 'true',
      executionMode: ExecutionMode.ASYNC,
      startAfter: { seconds: 600n },
    });
    const snapshots = connection.service(SnapshotService);
    const parts = await collect(snapshots.snapshotExecution({ executionId }));
    const restore = (from: Connection) =>
      from.service(SnapshotService).restoreExecution(
        (async function* () {
          yield { step: { case: 'options' as const, value: { asNew: true } } };
          for (const { step } of parts) if (step.case === 'data') yield { step };
        })(),
      );
    expect(await refusal(restore(connection))).toMatchObject({
      code: 'PERMISSION_DENIED',
      reason: 'ROLE_MISSING',
    });
    await restore(server.connection);
  });
});

it('a token makes no other that outlives it, and a session of the page makes none', async () => {
  const server = await started();
  const access = server.connection.service(AccessService);
  const expiresAt = timestampFromMs(Date.now() + 3_600_000);
  const { secret } = await access.createToken({ name: 'hour', role: Role.ADMIN, expiresAt });
  const own = connected(server.grpcAddress, secret).service(AccessService);
  for (const later of [{}, { expiresAt: timestampFromMs(Date.now() + 7_200_000) }]) {
    const { code, fields } = await refusal(own.createToken({ name: 'more', role: Role.OBSERVE, ...later }));
    expect([code, Object.keys(fields)]).toEqual(['INVALID_ARGUMENT', ['expires_at']]);
  }
  await own.createToken({
    name: 'less',
    role: Role.OBSERVE,
    expiresAt: timestampFromMs(Date.now() + 1_000_000),
  });
  const { code } = await access.createPageCode({});
  const answer = await fetch(`http://${server.httpAddress}/api/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code }),
  });
  const { token } = (await answer.json()) as { token: string };
  const session = connected(server.grpcAddress, token);
  await session.service(NodeService).getNode({});
  await session.service(AccessService).listTokens({});
  const denied = { code: 'PERMISSION_DENIED', reason: 'ROLE_MISSING' };
  const sessions = session.service(AccessService);
  expect(await refusal(sessions.createToken({ name: 'mine', role: Role.ADMIN }))).toMatchObject(denied);
  expect(await refusal(sessions.createPageCode({}))).toMatchObject(denied);
});

it('values of variables are for who may change a task, and their names for all', async () => {
  const server = await started();
  await server.register('count', 'wordcount/wordcount.wasm', { environment: { OF_TASK: 'deep' } });
  const { executionId } = await server.functions.invokeFunction({ task: 'count', environment: { A: 'b' } });
  const seen = async (connection: Connection) => {
    const tasks = connection.service(TaskService);
    const shown = [(await tasks.getTask({ task: 'count' })).task, ...(await tasks.listTasks({})).tasks];
    return shown.map((task) => task?.definition?.environment);
  };
  const caller = await withRole(server, Role.INVOKE);
  expect(await seen(caller)).toEqual([{ OF_TASK: '' }, { OF_TASK: '' }]);
  const nodes = caller.service(NodeService);
  expect((await nodes.getInvocation({ executionId })).environment).toEqual({ A: '' });
  expect(await refusal(nodes.getInvocation({ executionId, includeEnvironment: true }))).toMatchObject({
    code: 'PERMISSION_DENIED',
    metadata: { needed: 'develop' },
  });
  const answer = await fetch(`http://${server.httpAddress}/api/TaskService/GetTask`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${await tokenOf(server, Role.OBSERVE)}`,
    },
    body: JSON.stringify({ task: 'count' }),
  });
  expect(await answer.text()).not.toContain('deep');
  const developer = await withRole(server, Role.DEVELOP);
  expect(await seen(developer)).toEqual([{ OF_TASK: 'deep' }, { OF_TASK: 'deep' }]);
  const all = { executionId, includeEnvironment: true };
  expect((await developer.service(NodeService).getInvocation(all)).environment).toEqual({ A: 'b' });
});

describe('the socket of a node', () => {
  it('makes who opens it the administrator, whatever a caller without a token may do', async () => {
    const server = await started({ anonymousRole: 'none', allowHostAccess: true });
    const connection = connected(`unix:${join(server.dataDir, 'run', 'node.sock')}`);
    await connection.service(TaskService).registerTask({ definition: processTask });
    expect((await connection.service(AccessService).listTokens({})).tokens).toEqual([]);
  });
});

it('a wrong token over and over leaves the node serving others', async () => {
  const server = await started();
  const connection = connected(server.grpcAddress, 'wrong');
  const asked = Array.from({ length: 1000 }, () => refusal(connection.service(NodeService).getNode({})));
  const codes = (await Promise.all(asked)).map(({ code }) => code);
  // After a few it hears that these are too many.
  expect(new Set(codes)).toEqual(new Set(['UNAUTHENTICATED', 'RESOURCE_EXHAUSTED']));
  expect(codes.filter((code) => code === 'UNAUTHENTICATED').length).toBeLessThan(100);
  const told = server.log.filter(({ msg }) => msg === 'a caller showed what is not good');
  expect(told).toMatchObject([{ address: '127.0.0.1' }]);
  await server.nodes.getNode({});
  expect(server.bugs).toEqual([]);
});

it('a token counts in no address, and stands in no line of the log, good or not', async () => {
  const server = await started({ anonymousRole: 'none' });
  const access = server.connection.service(AccessService);
  const { secret } = await access.createToken({ name: 'reader', role: Role.OBSERVE });
  const { code } = await access.createPageCode({});
  const wrong = `spear_${'b'.repeat(43)}`;
  const signed = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl';
  const url = `http://${server.httpAddress}`;
  for (const token of [secret, wrong, signed]) {
    for (const name of ['token', 'access_token', 'authorization', 'ticket']) {
      for (const path of ['/api/events', '/api/history/exec_x', '/status/exec_x']) {
        const answer = await fetch(`${url}${path}?${name}=${token}`);
        expect(answer.status, `${path} ${name}`).toBe(401);
        expect(await answer.text()).not.toContain(token);
      }
    }
    // Basic, and a cookie, as a browser would send them by itself.
    for (const headers of [
      { authorization: `Basic ${Buffer.from(`x:${token}`).toString('base64')}` },
      { cookie: `token=${token}` },
    ]) {
      const answer = await fetch(`${url}/api/events`, { headers });
      // An address that is wrong so often hears that.
      expect([401, 429]).toContain(answer.status);
      expect(await answer.text()).not.toContain(token);
    }
    await connected(server.grpcAddress, token)
      .service(NodeService)
      .getNode({})
      .catch(() => {});
  }
  const log = JSON.stringify(server.log);
  for (const text of [secret, wrong, signed, code]) expect(log).not.toContain(text);
  expect(server.bugs).toEqual([]);
});
