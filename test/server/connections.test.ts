/** How many may be connected and follow something, and for how long nobody says anything. */

import { once } from 'node:events';
import type { ClientHttp2Session } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { create, toBinary } from '@bufbuild/protobuf';
import { expect, onTestFinished, test } from 'vitest';
import { connect as connectClient } from '../../src/client/channel.ts';
import { FunctionService, WatchExecutionRequestSchema } from '../../src/server/gen/spearlet/function_pb.js';
import { refusal } from './refusal.ts';
import { another, begin, untilIn } from './snapshots.ts';
import { rawSession, unfinishedCall } from './unfinished.ts';

const watchPath = '/spearlet.FunctionService/WatchExecution';

async function open(address: string): Promise<Socket> {
  const [host, port] = address.split(':');
  const socket = connect(Number(port), host);
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  socket.resume();
  return socket;
}

function client(address: string) {
  const connection = connectClient(address);
  onTestFinished(() => connection.close());
  return connection.service(FunctionService);
}

test('a connection over gRPC that is one too many hears so, and is served when there is room again', async () => {
  const server = await another({ maxConnectionsPerAddress: '3' });
  const others = [
    await open(server.grpcAddress),
    await open(server.grpcAddress),
    await open(server.httpAddress),
  ];
  const functions = client(server.grpcAddress);
  expect(await refusal(functions.listExecutions({}))).toMatchObject({
    code: 'RESOURCE_EXHAUSTED',
    reason: 'TOO_MANY_CONNECTIONS',
    quota: 'max-connections-per-address',
    retryAfterMs: 1000,
  });
  for (const socket of others) socket.destroy();
  const listed = () => functions.listExecutions({}).then(({ executions }) => executions.length, String);
  await expect.poll(listed).toBe(0);
});

test('a connection over HTTP that is one too many hears so', async () => {
  const server = await another({ maxConnectionsPerAddress: '2' });
  await open(server.grpcAddress);
  const [first] = [await open(server.grpcAddress)];
  const refused = await fetch(`http://${server.httpAddress}/healthz`);
  expect(refused.status).toBe(429);
  expect(refused.headers.get('retry-after')).toBe('1');
  expect(await refused.json()).toMatchObject({ error: { reason: 'TOO_MANY_CONNECTIONS' } });
  first?.destroy();
  const status = async () => (await fetch(`http://${server.httpAddress}/healthz`)).status;
  await expect.poll(status).toBe(200);
});

test('a connection is not taken for a refused one from its address and port at another address of the node', async () => {
  const server = await another({
    maxConnectionsPerAddress: '1',
    httpAddress: '0.0.0.0:0',
    insecureListen: true,
  });
  const port = Number(server.httpAddress.split(':').at(-1));
  const from = async (host: string, localPort?: number): Promise<Socket> => {
    const socket = connect({
      ...{ host, port, localAddress: '127.0.0.1' },
      ...(localPort !== undefined && { localPort }),
    });
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    return socket;
  };
  const answer = async (socket: Socket): Promise<string> => {
    socket.write('GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n');
    const [head] = (await once(socket, 'data')) as [Buffer];
    return head.toString().split('\r\n', 1)[0] ?? '';
  };
  const first = await from('127.0.0.1');
  const refused = await from('127.0.0.2', first.localPort);
  expect(await answer(first)).toMatch('200');
  expect(await answer(refused)).toMatch('429');
});

test('connections that nobody uses end, over gRPC and HTTP, and one that follows something does not', async () => {
  const server = await another({ idleConnectionMs: '500', slots: '2' });
  await server.register('loop', 'misbehaving/loop.wasm');
  const executionId = await begin(server, { task: 'loop' });
  const watch = client(server.grpcAddress).watchExecution({ executionId })[Symbol.asyncIterator]();
  await watch.next();
  const idle = await open(server.grpcAddress);
  await once(idle, 'close');
  // Node gives an idle HTTP connection its own, longer time.
  await untilIn(server, executionId, 'running.attempting');
  await server.functions.cancelExecution({ executionId });
  let last: unknown;
  for (let next = await watch.next(); next.done !== true; next = await watch.next()) last = next.value;
  expect(last).toMatchObject({ isFinal: true });
});

/** Watches over a connection of its own choice: resolves with what comes first, an event or a refusal. */
function follow(session: ClientHttp2Session, executionId: string) {
  const message = toBinary(WatchExecutionRequestSchema, create(WatchExecutionRequestSchema, { executionId }));
  const call = unfinishedCall(session, watchPath, message.byteLength, message);
  call.stream.end();
  const event = once(call.stream, 'data').then(() => 'follows');
  const heard = Promise.race([event, call.refusal]);
  return { heard, leave: () => call.stream.close() };
}

test('streams are counted, of one connection and in all, and what ends makes room', async () => {
  const server = await another({ maxWatchers: '3', maxWatchersPerConnection: '2', slots: '2' });
  await server.register('loop', 'misbehaving/loop.wasm');
  const executionId = await begin(server, { task: 'loop' });
  const [one, two] = [rawSession(server.grpcAddress), rawSession(server.grpcAddress)];
  const first = follow(one, executionId);
  expect(await first.heard).toBe('follows');
  expect(await follow(one, executionId).heard).toBe('follows');
  expect(await follow(one, executionId).heard).toMatchObject({
    code: 'RESOURCE_EXHAUSTED',
    reason: 'TOO_MANY_WATCHES',
    quota: 'max-watchers-per-connection',
    retryAfterMs: 1000,
  });
  expect(await follow(two, executionId).heard).toBe('follows');
  expect(await follow(two, executionId).heard).toMatchObject({ quota: 'max-watchers' });
  const events = await fetch(`http://${server.httpAddress}/api/events`);
  expect(events.status).toBe(429);
  first.leave();
  await expect.poll(() => follow(two, executionId).heard).toBe('follows');
  await server.functions.cancelExecution({ executionId });
});
