/** What callers may take who have shown nothing, and how much one caller may take of what is for all. */
import { expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/client/channel.ts';
import type { ConfigFlags } from '../../src/config.ts';
import { AccessService, Role } from '../../src/server/gen/spearlet/access_pb.js';
import { FunctionService } from '../../src/server/gen/spearlet/function_pb.js';
import { NodeService } from '../../src/server/gen/spearlet/node_pb.js';
import { adminToken, type LocalServer, startServer } from '../support/server.ts';
import { refusal } from './refusal.ts';
import { begin, untilIn } from './snapshots.ts';
import { rawSession, unfinishedBody, unfinishedCall } from './unfinished.ts';

const mebibyte = 1024 * 1024;
const invoke = '/api/FunctionService/InvokeFunction';
const grpcInvoke = '/spearlet.FunctionService/InvokeFunction';
const small = { maxRequestBytes: String(mebibyte), requestBytesInFlight: String(4 * mebibyte) };

async function started(flags: ConfigFlags): Promise<LocalServer> {
  const server = await startServer(flags);
  onTestFinished(() => server.stop());
  return server;
}

function connected(server: LocalServer, token?: string) {
  const connection = connect(server.grpcAddress, token === undefined ? {} : { token });
  onTestFinished(() => connection.close());
  return connection;
}

async function tokenFor(server: LocalServer, name: string, role = Role.INVOKE): Promise<string> {
  return (await server.connection.service(AccessService).createToken({ name, role })).secret;
}

/** As much as a caller with a token may have under way at once; nothing of it is left out. */
async function answersAll(server: LocalServer): Promise<void> {
  const input = Buffer.alloc(mebibyte - 1000, 'a');
  const calls = [1, 2].map(() => server.functions.invokeFunction({ task: 'cat', input }));
  for (const { result } of await Promise.all(calls)) expect(result?.outputBytes).toBe(BigInt(input.length));
}

test('whoever shows nothing is refused before a byte of the message counts, and leaves the budget to others', async () => {
  const server = await started({ ...small, anonymousRole: 'none', receiveIdleMs: '60000' });
  await server.register('cat', 'misbehaving/cat.wasm');
  const part = Buffer.alloc(mebibyte / 2);
  const calls = Array.from({ length: 20 }, () =>
    unfinishedCall(rawSession(server.grpcAddress), grpcInvoke, mebibyte, part),
  );
  const bodies = Array.from({ length: 20 }, () =>
    unfinishedBody(server.httpAddress, invoke, mebibyte, Buffer.alloc(1000, ' ')),
  );
  for (const { refusal: refused } of calls) {
    expect(await refused).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'UNAUTHENTICATED' });
  }
  for (const { answer } of bodies) expect(await answer).toContain('HTTP/1.1 401');
  await answersAll(server);
  expect(server.bugs).toEqual([]);
});

test('whoever shows nothing and may invoke takes no room from those with a token', async () => {
  const server = await started({ ...small, anonymousRole: 'invoke', receiveIdleMs: '60000' });
  await server.register('cat', 'misbehaving/cat.wasm');
  // Small ones may use all of their room.
  const part = Buffer.alloc(60_000, ' ');
  const bodies = Array.from({ length: 20 }, () => unfinishedBody(server.httpAddress, invoke, mebibyte, part));
  const refused = await Promise.race(bodies.map(({ answer }) => answer));
  expect(refused).toContain('REQUEST_BYTES_IN_FLIGHT');
  await answersAll(server);
  for (const { leave } of bodies) leave();
});

test('what is for everybody takes no room from those with a token either', async () => {
  const server = await started({ ...small, anonymousRole: 'none', receiveIdleMs: '60000' });
  await server.register('cat', 'misbehaving/cat.wasm');
  const part = Buffer.alloc(60_000);
  const calls = Array.from({ length: 20 }, () =>
    unfinishedCall(rawSession(server.grpcAddress), '/grpc.health.v1.Health/Check', mebibyte, part),
  );
  expect(await Promise.race(calls.map(({ refusal: refused }) => refused))).toMatchObject({
    reason: 'REQUEST_BYTES_IN_FLIGHT',
  });
  await answersAll(server);
});

test.each([
  ['maxCallsPerPrincipal', 'max-calls-per-principal', true],
  ['maxCallsPerAddress', 'max-calls-per-address', false],
])('calls beyond %s are refused until there is room again', async (flag, quota, othersMay) => {
  const server = await started({ [flag]: '2', slots: '2' });
  await server.register('loop', 'misbehaving/loop.wasm');
  const executionId = await begin(server, { task: 'loop' });
  await untilIn(server, executionId, 'running.attempting');
  const one = connected(server, await tokenFor(server, 'one'));
  const functions = one.service(FunctionService);
  const waits = [1, 2].map(() => functions.waitExecution({ executionId }));
  const third = () =>
    one
      .service(NodeService)
      .getNode({})
      .then(() => 'answered', String);
  await expect.poll(third).toContain('which is as many as are allowed');
  expect(await refusal(one.service(NodeService).getNode({}))).toMatchObject({
    ...{ code: 'RESOURCE_EXHAUSTED', reason: 'TOO_MANY_CALLS', quota, retryAfterMs: 1000 },
  });
  const other = connect(server.grpcAddress, { token: adminToken(server.dataDir) });
  onTestFinished(() => other.close());
  const outcome = await other
    .service(FunctionService)
    .cancelExecution({ executionId })
    .then(
      () => true,
      () => false,
    );
  expect(outcome).toBe(othersMay);
  // The socket of the node is nobody's address.
  if (!othersMay) {
    const local = connect(`unix:${server.dataDir}/run/node.sock`);
    onTestFinished(() => local.close());
    await local.service(FunctionService).cancelExecution({ executionId });
  }
  await Promise.all(waits);
  expect(await third()).toBe('answered');
});

test('one principal does not have all the streams that follow something', async () => {
  const server = await started({ maxWatchersPerPrincipal: '2' });
  const token = await tokenFor(server, 'one', Role.OBSERVE);
  const watches = [1, 2].map(() => connected(server, token).service(NodeService).watchNode({}));
  const open = watches.map((watch) => watch[Symbol.asyncIterator]());
  for (const watch of open) await watch.next();
  expect(await refusal(connected(server, token).service(NodeService).watchNode({}))).toMatchObject({
    ...{ code: 'RESOURCE_EXHAUSTED', reason: 'TOO_MANY_WATCHES', quota: 'max-watchers-per-principal' },
  });
  const events = await fetch(`http://${server.httpAddress}/api/events`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(events.status).toBe(429);
  await server.nodes.watchNode({})[Symbol.asyncIterator]().next();
});

test('watches of the health of a node do not keep others from what they ask', async () => {
  const server = await started({ anonymousRole: 'none', maxWatchersPerConnection: '3' });
  const session = () => rawSession(server.grpcAddress);
  const watch = (over: ReturnType<typeof session>) => {
    const call = unfinishedCall(over, '/grpc.health.v1.Health/Watch', 0, Buffer.alloc(0));
    call.stream.end();
    return call;
  };
  const first = session();
  const open = [1, 2, 3].map(() => watch(first));
  await Promise.all(open.map(({ stream }) => new Promise((resolve) => stream.once('response', resolve))));
  expect(await watch(session()).refusal).toMatchObject({
    ...{ code: 'RESOURCE_EXHAUSTED', reason: 'TOO_MANY_WATCHES', quota: 'max-watchers-per-connection' },
  });
  await server.nodes.watchNode({})[Symbol.asyncIterator]().next();
  first.destroy();
  const again = async (): Promise<string> => {
    const { stream, refusal: refused } = watch(session());
    const heard = new Promise<string>((resolve) => stream.once('data', () => resolve('heard')));
    return Promise.race([heard, refused.then(({ code }) => code)]);
  };
  await expect.poll(again).toBe('heard');
});
