/** What a task may reach: who may say it, what is refused of it, and where each refusal is seen. */

import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/client/channel.ts';
import { AccessService, Role } from '../../src/server/gen/spearlet/access_pb.js';
import { RuntimeKind, TaskService } from '../../src/server/gen/spearlet/task_pb.js';
import { run, temporaryFolder } from '../cli/spear.ts';
import { example, type LocalServer, startServer } from '../support/server.ts';
import { collect } from './collect.ts';
import { openEvents } from './event-source.ts';
import { refusal } from './refusal.ts';
import { another, restore, take } from './snapshots.ts';

let server: LocalServer;
let listener: Server;
let port: number;
let asked: string[] = [];
beforeAll(async () => {
  server = await startServer();
  listener = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(302, { location: `http://127.0.0.1:${server.httpAddress.split(':').at(-1)}/api` });
    response.end('elsewhere');
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  ({ port } = listener.address() as AddressInfo);
});
afterAll(async () => {
  listener.close();
  await server.stop();
});

const text = (value: string) => ({ kind: { case: 'stringValue' as const, value } });

async function get(task: string, authority: string): Promise<{ executionId: string; output: string }> {
  const { result } = await server.functions.invokeFunction({
    task,
    functionName: 'get',
    parameters: { authority: text(authority), path: text('/') },
  });
  const { executionId = '', output = new Uint8Array() } = result ?? {};
  return { executionId, output: Buffer.from(output).toString() };
}

async function refusalsOf(executionId: string) {
  const events = await collect(server.functions.watchExecution({ executionId }));
  return events.flatMap(({ event }) => (event.case === 'refusal' ? [event.value] : []));
}

describe('a definition', () => {
  const definition = async (network: string[], more: object = {}) => ({
    name: 'list',
    runtime: RuntimeKind.WASM,
    artifact: { source: { case: 'content' as const, value: await example('misbehaving/fetch.wasm') } },
    network,
    ...more,
  });

  test.each([
    ['http://example.com', 'definition.network[0]'],
    ['300.0.0.0/8', 'definition.network[0]'],
    ['127.1', 'definition.network[0]'],
    ['::ffff:127.0.0.1', 'definition.network[0]'],
  ])('with %s is refused by name', async (entry, field) => {
    const refused = await refusal(server.tasks.registerTask({ definition: await definition([entry]) }));
    expect([refused.code, Object.keys(refused.fields)]).toEqual(['INVALID_ARGUMENT', [field]]);
  });

  test('of a process has no list, as nothing would hold it to one', async () => {
    const process = {
      runtime: RuntimeKind.PROCESS,
      artifact: { source: { case: 'path', value: '/bin/true' } },
    };
    const refused = await refusal(
      server.tasks.registerTask({ definition: await definition(['public'], process) }),
    );
    expect(Object.keys(refused.fields)).toEqual(['definition.network']);
  });

  test.each([
    [['public', 'db.example:5432', '8.8.8.0/24'], 'registered'],
    [['127.0.0.0/8'], 'ROLE_MISSING'],
    [['public', '10.0.0.0/8:443'], 'ROLE_MISSING'],
    [['169.254.169.254'], 'ROLE_MISSING'],
    [['0.0.0.0/0'], 'ROLE_MISSING'],
    [['fd00::/8'], 'ROLE_MISSING'],
  ])('with %s is for a developer: %s', async (network, answer) => {
    const access = server.connection.service(AccessService);
    const { secret } = await access.createToken({
      name: `dev-${network}`.slice(0, 60).replaceAll(/[^a-z0-9-]/g, '-'),
      role: Role.DEVELOP,
    });
    const developer = connect(server.grpcAddress, { token: secret });
    onTestFinished(() => developer.close());
    const registering = developer
      .service(TaskService)
      .registerTask({ definition: await definition(network, { name: 'developed' }) });
    if (answer === 'registered') await registering;
    else expect(await refusal(registering)).toMatchObject({ code: 'PERMISSION_DENIED', reason: answer });
  });

  test('says what it allows, and an equal one is the same revision', async () => {
    const network = ['public', '127.0.0.1:5432'];
    const first = await server.tasks.registerTask({
      definition: await definition(network, { name: 'said' }),
    });
    const again = await server.tasks.registerTask({
      definition: await definition(network, { name: 'said' }),
    });
    expect([first.changed, again.changed]).toEqual([true, false]);
    expect(again.task?.loosened).toEqual(['network: public, 127.0.0.1:5432']);
    expect(again.task?.definition?.network).toEqual(network);
  });
});

describe('a refusal', () => {
  test('is an event of the log, over gRPC, HTTP and on the command line', async () => {
    await server.register('out', 'misbehaving/fetch.wasm', { network: ['api.example.com'] });
    const { executionId, output } = await get('out', `127.0.0.1:${port}`);
    expect(output).toBe('"HTTP-request-denied"');
    expect(await refusalsOf(executionId)).toMatchObject([
      { host: '127.0.0.1', port, address: '', rule: 'loopback', more: 0n },
    ]);
    const events = await openEvents(server.httpAddress, `?execution=${executionId}`);
    await events.until(({ data }) => JSON.stringify(data).includes('"isFinal":true'));
    expect(events.text).toContain(`"refusal":{"host":"127.0.0.1","port":${port}`);
    const { stderr } = await run(['watch', executionId], { address: server.grpcAddress });
    expect(stderr).toContain(
      `network: 127.0.0.1:${port} refused: loopback, which the network list does not have`,
    );
  });

  test('goes along in a snapshot, and its machine is made again without it', async () => {
    const { executionId } = await get('out', `127.0.0.1:${port}`);
    const { document } = await take(server, executionId);
    const other = await another();
    await restore(other, document);
    const restored = await collect(other.functions.watchExecution({ executionId }));
    expect(restored.map(({ event }) => event.case)).toContain('refusal');
    const path = join(await temporaryFolder(), 'document');
    await writeFile(path, document);
    expect(await run(['replay', path])).toMatchObject({ code: 0 });
  });

  test('meets each new place that a redirect names', async () => {
    asked = [];
    await server.register('redirected', 'misbehaving/fetch.wasm', { network: [`127.0.0.1:${port}`] });
    expect((await get('redirected', `127.0.0.1:${port}`)).output).toBe('"elsewhere"');
    expect(asked).toEqual(['/']);
    const { executionId, output } = await get('redirected', server.httpAddress);
    expect(output).toBe('"HTTP-request-denied"');
    expect(await refusalsOf(executionId)).toMatchObject([{ rule: 'node' }]);
  });
});

test('a task of before with allow_network is held to what is public', async () => {
  await server.register('before', 'misbehaving/fetch.wasm', { allowNetwork: true });
  const { task } = await server.tasks.getTask({ task: 'before' });
  expect([task?.definition?.allowNetwork, task?.definition?.network]).toEqual([true, []]);
  const { executionId } = await get('before', `10.255.255.1:${port}`);
  expect(await refusalsOf(executionId)).toMatchObject([{ host: '10.255.255.1', rule: 'private' }]);
});
