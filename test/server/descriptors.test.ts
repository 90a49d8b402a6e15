/** A node that runs out of descriptors goes on when there are some again. */
import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { inheritedEnvironment } from '../support/environment.ts';
import { serverMain } from '../support/program-files.ts';
import { ChildServer, example, temporaryDataDir } from '../support/server.ts';

async function startWith(descriptors: number): Promise<ChildServer> {
  const dataDir = await temporaryDataDir();
  const command = `ulimit -n ${descriptors} && exec "$0" --no-warnings "$1"`;
  const child = spawn('/bin/sh', ['-c', command, process.execPath, serverMain], {
    env: {
      ...inheritedEnvironment(),
      SPEAR_DATA_DIR: dataDir,
      SPEAR_GRPC_ADDRESS: '127.0.0.1:0',
      SPEAR_HTTP_ADDRESS: '127.0.0.1:0',
      SPEAR_DOCKER_HOST: 'unix:///nonexistent/docker.sock',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const output: string[] = [];
  const ready = Promise.withResolvers<Record<string, unknown>>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    output.push(line);
    if (line.includes('"msg":"ready"')) ready.resolve(JSON.parse(line) as Record<string, unknown>);
  });
  void exited.then(() => ready.reject(new Error(output.join('\n'))));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
    await rm(dataDir, { recursive: true, force: true });
  });
  return new ChildServer(child, exited, output, await ready.promise);
}

test('more connections than there are descriptors leave a node that answers, and its store that works', async () => {
  const server = await startWith(160);
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (const address of [server.grpcAddress, server.httpAddress]) {
    const [host, port] = address.split(':');
    for (let n = 0; n < 200; n++) sockets.push(connect(Number(port), host).on('error', () => {}));
  }
  const refused = async () =>
    (await fetch(`http://${server.httpAddress}/healthz`).catch(() => undefined))?.status;
  await expect.poll(refused).not.toBe(200);
  for (const socket of sockets) socket.destroy();
  await expect.poll(refused).toBe(200);
  const register = async () => {
    const value = await example('wordcount/wordcount.wasm');
    const definition = { name: 'count', runtime: 1, artifact: { source: { case: 'content', value } } };
    await server.tasks.registerTask({ definition } as never);
    const { result } = await server.functions.invokeFunction({ task: 'count', input: Buffer.from('a\n') });
    return result?.state;
  };
  await expect.poll(() => register().catch(String)).toBe('completed');
  expect(server.process.exitCode).toBeNull();
});

test('guest hosts that wait for work leave descriptors to callers', async () => {
  const server = await startWith(110);
  const value = await example('ticker/ticker.wasm');
  const definition = {
    name: 'tick',
    runtime: 1,
    args: ['3', '50'],
    artifact: { source: { case: 'content', value } },
  };
  const register = () => server.tasks.registerTask({ definition } as never).then(() => 'registered', String);
  await expect.poll(register).toBe('registered');
  const invoke = async () => {
    const { result } = await server.functions.invokeFunction({ task: 'tick' });
    return result?.state;
  };
  for (let round = 0; round < 8; round += 1)
    await expect.poll(() => invoke().catch(String)).toBe('completed');
  const answer = async () =>
    (await fetch(`http://${server.httpAddress}/healthz`).catch(() => undefined))?.status;
  await expect.poll(answer).toBe(200);
});
