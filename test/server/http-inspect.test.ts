import { timestampMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { createMachine } from 'xstate';
import { AccessService, Role } from '../../src/server/gen/spearlet/access_pb.js';
import { ExecutionMode } from '../../src/server/gen/spearlet/function_pb.js';
import { adminToken, type LocalServer, startServer } from '../support/server.ts';
import { withHttp } from './http.ts';
import { server } from './local.ts';

withHttp();

/** The machine may have much else to do. */

interface InspectionRecord {
  readonly type: string;
  readonly createdAt: string;
  readonly sessionId: string;
  readonly rootId: string;
  readonly parentId?: string;
  readonly definition?: string;
  readonly event?: { readonly type: string };
  readonly snapshot?: { readonly status: string; readonly value: unknown; readonly context: object };
}

function inspect(address: string, options: { origin?: string; path?: string; host?: string } = {}) {
  const { path = '/api/inspect', origin, host } = options;
  const socket = new WebSocket(`ws://${address}${path}`, {
    ...(origin !== undefined && { origin }),
    ...(host !== undefined && { headers: { host } }),
  });
  onTestFinished(() => socket.terminate());
  const records: InspectionRecord[] = [];
  socket.on('message', (data: Buffer) => records.push(JSON.parse(data.toString()) as InspectionRecord));
  const opened = new Promise<void>((resolve, reject) => {
    socket.on('open', resolve);
    socket.on('error', reject);
  });
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  return { socket, records, opened, closed };
}

async function run(task: string): Promise<string> {
  const { executionId } = await server.functions.invokeFunction({ task, executionMode: ExecutionMode.ASYNC });
  return executionId;
}

describe('an inspector', () => {
  test('hears of the node, and of each execution from its admission to its end', async () => {
    const { records, opened } = inspect(server.httpAddress);
    await opened;
    await expect.poll(() => records.length).toBeGreaterThan(0);
    expect(records[0]).toMatchObject({ type: '@xstate.actor', snapshot: { value: 'serving' } });
    const { node } = await server.nodes.getNode({});
    expect(records[0]?.createdAt).toBe(String(node?.startedAt && timestampMs(node.startedAt)));
    const executionId = await run('count');
    const of = () => records.filter(({ sessionId }) => sessionId === executionId);
    await expect.poll(() => of().at(-1)?.snapshot?.status).toBe('done');
    const [actor, ...rest] = of();
    expect(actor).toMatchObject({
      type: '@xstate.actor',
      name: `count ${executionId}`,
      rootId: records[0]?.sessionId,
      parentId: records[0]?.sessionId,
      snapshot: { status: 'active', value: { pending: 'queued' }, context: { executionId } },
    });
    // What a tool that draws it does first.
    expect(createMachine(JSON.parse(actor?.definition ?? '') as never).id).toBe('execution');
    expect(rest.map(({ type, event }) => `${type} ${event?.type}`)).toEqual([
      '@xstate.event dispatch',
      '@xstate.snapshot dispatch',
      '@xstate.event result',
      '@xstate.snapshot result',
    ]);
    expect(rest[1]?.snapshot).toMatchObject({
      value: { running: 'attempting' },
      context: { attempt: 1, executionId },
    });
    expect(rest[3]?.snapshot).toMatchObject({ value: 'completed', output: { status: 'completed' } });
  });

  test('that comes later is told of what is under way, with its context', async () => {
    const executionId = await run('loop');
    await expect
      .poll(async () => (await server.functions.getExecutionStatus({ executionId })).result?.state)
      .toBe('running.attempting');
    const { records } = inspect(server.httpAddress);
    await expect
      .poll(() => records.find(({ sessionId }) => sessionId === executionId))
      .toMatchObject({
        type: '@xstate.actor',
        snapshot: { value: { running: 'attempting' }, context: { attempt: 1 } },
      });
    await server.functions.cancelExecution({ executionId });
  });

  test('that sends something is not heard, and one that sends much is hung up on', async () => {
    const { socket, opened, closed, records } = inspect(server.httpAddress);
    await opened;
    socket.send('{"type":"@xstate.event"}');
    await run('count');
    await expect.poll(() => records.length).toBeGreaterThan(3);
    socket.send('x'.repeat(5000));
    expect(await closed).toBe(1009);
    expect(server.bugs).toEqual([]);
  });

  test.each([
    ['a page of another site', { origin: 'http://evil.example' }, '403'],
    ['another host', { host: 'evil.example' }, '421'],
    ['another path', { path: '/api/other' }, '404'],
  ])('is not let in from %s', async (_name, options, code) => {
    const { opened } = inspect(server.httpAddress, options);
    await expect(opened).rejects.toThrow(code);
  });

  test('does not keep a node from stopping', async () => {
    const other = await startServer();
    const { opened, closed } = inspect(other.httpAddress);
    await opened;
    await other.stop();
    expect(await closed).toBe(1001);
  });
});

describe('an inspector in a browser, which can have no header of its own,', () => {
  const token = async (other: LocalServer) => {
    const { secret } = await other.connection
      .service(AccessService)
      .createToken({ name: 'reader', role: Role.OBSERVE });
    return secret;
  };
  const opening = (address: string, protocols: string[], origin?: string) => {
    const socket = new WebSocket(
      `ws://${address}/api/inspect`,
      protocols,
      origin === undefined ? {} : { origin },
    );
    onTestFinished(() => socket.terminate());
    return new Promise<string>((resolve, reject) => {
      socket.on('open', () => resolve(socket.protocol));
      socket.on('error', reject);
    });
  };

  test('shows its token as a protocol, and is answered with another one', async () => {
    const other = await startServer({ anonymousRole: 'none' });
    onTestFinished(() => other.stop());
    const own = `http://${other.httpAddress}`;
    const shown = `spear.token.${await token(other)}`;
    for (const protocols of [
      ['spear', shown],
      [shown, 'spear'],
    ]) {
      expect(await opening(other.httpAddress, protocols, own)).toBe('spear');
    }
    await expect(opening(other.httpAddress, ['spear'], own)).rejects.toThrow('401');
    await expect(opening(other.httpAddress, ['spear', 'spear.token.wrong'], own)).rejects.toThrow('401');
    await expect(opening(other.httpAddress, ['spear', 'spear.token.'], own)).rejects.toThrow('401');
    await expect(opening(other.httpAddress, ['spear', shown], 'http://evil.example')).rejects.toThrow('403');
    // Without the plain one nothing is answered, and least of all the token.
    await expect(opening(other.httpAddress, [shown], own)).rejects.toThrow('no subprotocol');
  });

  test('may be one of four with the same token, and leaves others theirs', async () => {
    const other = await startServer({ anonymousRole: 'none' });
    onTestFinished(() => other.stop());
    const protocols = ['spear', `spear.token.${await token(other)}`];
    for (let count = 0; count < 4; count += 1) await opening(other.httpAddress, protocols);
    await expect(opening(other.httpAddress, protocols)).rejects.toThrow('429');
    await opening(other.httpAddress, ['spear', `spear.token.${adminToken(other.dataDir)}`]);
  });
});
