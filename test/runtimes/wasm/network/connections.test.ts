import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TaskDefinition } from '../../../../src/domain/task.ts';
import { attemptOf, Collected, run } from '../../attempt.ts';
import { WasmBench, type WasmRuntime } from '../fixture.ts';
import { keepAliveServer, type Served, silentServer, unfinishedServer } from './servers.ts';

const bench = new WasmBench();
const servers: Served[] = [];
let runtime: WasmRuntime;
beforeAll(async () => {
  const networkRules = () => ({ loopback: true, ownPorts: [] });
  runtime = await bench.runtime(1, 1, { networkRules });
});
afterAll(async () => {
  await bench.close();
  await Promise.all(servers.map((server) => server.close()));
});

async function started(starting: Promise<Served>): Promise<Served> {
  const server = await starting;
  servers.push(server);
  return server;
}

/** A host without work ends after 10 s, and then nothing can be left of it. */
const whileHostLives = { timeout: 5000 };

const fetched = (functionName: string, authority: string) => ({
  functionName,
  parameters: { authority, path: '/' },
});

function guest(name: string, instancePolicy: TaskDefinition['instancePolicy']): Promise<TaskDefinition> {
  return bench.example(`misbehaving/${name}`, { name, allowNetwork: true, instancePolicy });
}

describe.each(['fresh', 'reused'] as const)('of an execution in a %s instance', (policy) => {
  it('no connection is left where its server keeps connections alive', async () => {
    const server = await started(keepAliveServer());
    const task = await guest('fetch', policy);
    for (let call = 1; call <= 3; call += 1) {
      const { outcome } = await run(runtime, task, fetched('get', `127.0.0.1:${server.port}`));
      expect(outcome).toMatchObject({ kind: 'completed', output: '"hello"' });
      expect(server.accepted()).toBe(call);
      await expect.poll(server.open, whileHostLives).toBe(0);
    }
  });

  it('no connection is left where it leaves an answer unread', async () => {
    const server = await started(unfinishedServer());
    const task = await guest('fetch', policy);
    for (let call = 1; call <= 3; call += 1) {
      const { outcome } = await run(runtime, task, fetched('leave', `127.0.0.1:${server.port}`));
      expect(outcome).toMatchObject({ kind: 'completed' });
      await expect.poll(server.open, whileHostLives).toBe(0);
    }
    // What the guest has opened may come to the server after its end.
    await expect.poll(server.accepted).toBe(3);
  });

  it('no socket is left that it leaves open, and the next call can open others', async () => {
    const server = await started(silentServer());
    const task = await guest('net', policy);
    const instances = new Set<string>();
    for (let call = 1; call <= 3; call += 1) {
      const left = await run(runtime, task, { functionName: 'leave', parameters: { port: server.port } });
      expect(left.outcome).toMatchObject({ kind: 'completed' });
      instances.add(left.outcome.instanceId);
      await expect.poll(server.open, whileHostLives).toBe(0);
    }
    // What the guest has opened may come to the server after its end.
    await expect.poll(server.accepted).toBe(3);
    expect(instances.size).toBe(policy === 'reused' ? 1 : 3);
  });
});

describe('an execution', () => {
  it('that is stopped while it waits for an answer leaves no connection', async () => {
    const server = await started(silentServer());
    const stop = new AbortController();
    const task = await guest('fetch', 'fresh');
    const attempt = attemptOf(task, fetched('get', `127.0.0.1:${server.port}`));
    const running = runtime.run(attempt, new Collected(), stop.signal);
    await expect.poll(server.open).toBe(1);
    stop.abort();
    expect(await running).toMatchObject({ kind: 'stopped' });
    await expect.poll(server.open, whileHostLives).toBe(0);
  });

  it('reaches an IPv6 address that stands in brackets', async () => {
    const server = await started(keepAliveServer('::1'));
    const { outcome } = await run(
      runtime,
      await guest('fetch', 'fresh'),
      fetched('get', `[::1]:${server.port}`),
    );
    expect(outcome).toMatchObject({ kind: 'completed', output: '"hello"' });
  });

  it('is told that nobody listens, and that there is no such name', async () => {
    const server = await keepAliveServer();
    await server.close();
    const task = await guest('fetch', 'fresh');
    const ends = [`127.0.0.1:${server.port}`, 'no\u0020name', '[::1', '1.2.3.4.5', 'user@host'].map(
      (authority) => run(runtime, task, fetched('get', authority)),
    );
    const outputs = (await Promise.all(ends)).map(({ outcome }) => 'output' in outcome && outcome.output);
    const invalid = '"HTTP-request-URI-invalid"';
    expect(outputs).toEqual(['"connection-refused"', invalid, invalid, invalid, invalid]);
  });
});
