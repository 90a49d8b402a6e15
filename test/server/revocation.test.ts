/** Whoever may hear no more hears no more, also over what is open; what it has begun goes on. */
import { get } from 'node:http';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { connect } from '../../src/client/channel.ts';
import { AccessService, Role } from '../../src/server/gen/spearlet/access_pb.js';
import { ExecutionMode, FunctionService } from '../../src/server/gen/spearlet/function_pb.js';
import { NodeService } from '../../src/server/gen/spearlet/node_pb.js';
import { type LocalServer, startServer } from '../support/server.ts';
import { collect } from './collect.ts';
import { refusal } from './refusal.ts';
import { begin, untilIn } from './snapshots.ts';

async function withLoop(): Promise<LocalServer> {
  const server = await startServer({ slots: '2', anonymousRole: 'none' });
  onTestFinished(() => server.stop());
  await server.register('loop', 'misbehaving/loop.wasm');
  return server;
}

async function tokenOf(server: LocalServer, role: Role, expiresAfterMs?: number): Promise<string> {
  const access = server.connection.service(AccessService);
  const expires = expiresAfterMs !== undefined && { expiresAt: timestampFromMs(Date.now() + expiresAfterMs) };
  return (await access.createToken({ name: 'ci', role, ...expires })).secret;
}

function connected(server: LocalServer, token: string) {
  const connection = connect(server.grpcAddress, { token });
  onTestFinished(() => connection.close());
  return connection;
}

/** How a stream over HTTP ends; resolves when it has begun. */
function streamed(server: LocalServer, path: string, token: string): Promise<Open> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    const call = get(`http://${server.httpAddress}${path}`, { headers, agent: false }, (response) => {
      const ended = new Promise<string>((settle) => {
        response.resume();
        response.once('end', () => settle('ended'));
        response.once('error', () => settle('cut'));
      });
      resolve({ ended });
    });
    call.once('error', reject);
  });
}

interface Open {
  /** How. */
  readonly ended: Promise<string>;
}

/** Each thing that somebody with a token may have open; resolves with how it ends, once it is open. */
const streams: readonly [string, (server: LocalServer, token: string) => Promise<Open>][] = [
  [
    'a watch of an execution',
    async (server, token) => {
      const executionId = await begin(server, { task: 'loop' });
      await untilIn(server, executionId, 'running.attempting');
      const functions = connected(server, token).service(FunctionService);
      const watch = functions.watchExecution({ executionId });
      const first = Promise.withResolvers<void>();
      const ended = refusal(
        (async () => {
          for await (const _event of watch) first.resolve();
        })(),
      ).then(({ code }) => code);
      await first.promise;
      return { ended };
    },
  ],
  [
    'a wait for an execution',
    async (server, token) => {
      const executionId = await begin(server, { task: 'loop' });
      const functions = connected(server, token).service(FunctionService);
      await functions.getExecutionStatus({ executionId });
      return { ended: refusal(functions.waitExecution({ executionId })).then(({ code }) => code) };
    },
  ],
  [
    'a watch of the node',
    async (server, token) => {
      const watch = connected(server, token).service(NodeService).watchNode({})[Symbol.asyncIterator]();
      await watch.next();
      return { ended: refusal(collect({ [Symbol.asyncIterator]: () => watch })).then(({ code }) => code) };
    },
  ],
  ['the event stream', (server, token) => streamed(server, '/api/events', token)],
  [
    'an inspector',
    async (server, token) => {
      const socket = new WebSocket(`ws://${server.httpAddress}/api/inspect`, {
        headers: { authorization: `Bearer ${token}` },
      });
      onTestFinished(() => socket.terminate());
      const ended = new Promise<string>((resolve) => socket.once('close', (code) => resolve(String(code))));
      await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
      return { ended };
    },
  ],
];

const ends: Readonly<Record<string, string>> = { 'the event stream': 'cut', 'an inspector': '1008' };

test.each(streams)('%s ends when its token is revoked', async (name, open) => {
  const server = await withLoop();
  const { ended } = await open(server, await tokenOf(server, Role.OBSERVE));
  await server.connection.service(AccessService).revokeToken({ name: 'ci' });
  expect(await ended).toBe(ends[name] ?? 'UNAUTHENTICATED');
  expect(server.bugs).toEqual([]);
});

test.each(streams)('%s ends when its token expires', async (name, open) => {
  const server = await withLoop();
  const { ended } = await open(server, await tokenOf(server, Role.OBSERVE, 3000));
  expect(await ended).toBe(ends[name] ?? 'UNAUTHENTICATED');
  expect(server.bugs).toEqual([]);
});

test('an execution goes on whose caller may hear no more, also where it was to end with its connection', async () => {
  const server = await withLoop();
  const functions = connected(server, await tokenOf(server, Role.INVOKE)).service(FunctionService);
  const first = Promise.withResolvers<string>();
  const streaming = refusal(
    (async () => {
      for await (const event of functions.streamFunction({ task: 'loop', cancelOnDisconnect: true })) {
        first.resolve(event.executionId);
      }
    })(),
  );
  const streamedId = await first.promise;
  await untilIn(server, streamedId, 'running.attempting');
  const sync = refusal(
    functions.invokeFunction({
      ...{ task: 'loop', executionMode: ExecutionMode.SYNC, cancelOnDisconnect: true },
    }),
  );
  const running = async () =>
    (await server.functions.listExecutions({ task: 'loop' })).executions.filter(
      ({ state }) => state === 'running.attempting',
    ).length;
  await expect.poll(running).toBe(2);
  await server.connection.service(AccessService).revokeToken({ name: 'ci' });
  expect(await streaming).toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(await sync).toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(await running()).toBe(2);
  expect(server.bugs).toEqual([]);
});
