/** An artifact has a bound of its own, and what has many values none of its bytes. */
import { expect, test } from 'vitest';
import { RuntimeKind } from '../../src/server/gen/spearlet/task_pb.js';
import { example } from '../support/server.ts';
import { expectField } from './bad-input.ts';
import { server, withServer } from './local.ts';
import { refusal } from './refusal.ts';

const mebibyte = 1024 * 1024;

withServer(
  { maxRequestBytes: String(mebibyte), maxArtifactBytes: String(4 * mebibyte), maxRequestValues: '5000' },
  async () => {
    await server.register('count', 'wordcount/wordcount.wasm');
  },
);

/** A module with a custom section that makes it `bytes` larger. */
async function padded(bytes: number): Promise<Buffer> {
  const module = await example('wordcount/wordcount.wasm');
  const content = Buffer.concat([Buffer.from([1, 0x70]), Buffer.alloc(bytes)]);
  return Buffer.concat([module, Buffer.from([0, ...leb(content.byteLength)]), content]);
}

function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)];
}

test('an artifact larger than any other request registers, over gRPC and HTTP', async () => {
  const value = await padded(3 * mebibyte);
  const artifact = { source: { case: 'content' as const, value } };
  const { task } = await server.tasks.registerTask({
    definition: { name: 'large', runtime: RuntimeKind.WASM, artifact } as never,
  });
  expect(task?.definition?.artifact?.sizeBytes).toBe(BigInt(value.byteLength));
  const answer = await fetch(`http://${server.httpAddress}/api/TaskService/RegisterTask`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      definition: { name: 'large-too', runtime: 'WASM', artifact: { content: value.toString('base64') } },
    }),
  });
  expect(answer.status).toBe(200);
  const input = Buffer.alloc(2 * mebibyte);
  expect(await refusal(server.functions.invokeFunction({ task: 'large', input }))).toMatchObject({
    reason: 'REQUEST_TOO_LARGE',
    quota: 'max-request-bytes',
  });
});

test('an artifact over its own bound is refused, and the bound named', async () => {
  const artifact = { source: { case: 'content' as const, value: await padded(6 * mebibyte) } };
  const definition = { name: 'larger', runtime: RuntimeKind.WASM, artifact } as never;
  expect(await refusal(server.tasks.registerTask({ definition }))).toMatchObject({
    code: 'RESOURCE_EXHAUSTED',
    quota: 'max-artifact-bytes',
  });
});

test('names in a definition have a bound', async () => {
  const register = (more: object) =>
    refusal(
      server.tasks.registerTask({ definition: { name: 'x', runtime: RuntimeKind.WASM, ...more } as never }),
    );
  const wasm = {
    artifact: { source: { case: 'content', value: await example('wordcount/wordcount.wasm') } },
  };
  const preopens = Object.fromEntries(Array.from({ length: 1025 }, (_, n) => [`/${n}`, '/srv']));
  expectField(await register({ ...wasm, preopens }), 'definition.preopens', '1024');
  const on = Array.from({ length: 65 }, () => 1);
  expectField(await register({ ...wasm, retry: { on } }), 'definition.retry.on', '64');
  const container = { capabilities: Array.from({ length: 65 }, (_, n) => `X${'Y'.repeat(n % 30)}`) };
  const image = { runtime: RuntimeKind.DOCKER, artifact: { source: { case: 'image', value: 'x' } } };
  expectField(await register({ ...image, container }), 'definition.container.capabilities', '64');
});

test('a request with more values than are allowed is refused before it is decoded, in JSON and protobuf', async () => {
  const parameters = Object.fromEntries(Array.from({ length: 6000 }, (_, n) => [`k${n}`, n]));
  const answer = await fetch(`http://${server.httpAddress}/api/FunctionService/InvokeFunction`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ task: 'count', parameters }),
  });
  expect(answer.status).toBe(429);
  expect(await answer.json()).toMatchObject({
    error: { reason: 'TOO_MANY_VALUES', quota: 'max-request-values' },
  });
  const args = Array.from({ length: 6000 }, () => '');
  expect(await refusal(server.functions.invokeFunction({ task: 'count', args }))).toMatchObject({
    code: 'RESOURCE_EXHAUSTED',
    reason: 'TOO_MANY_VALUES',
    quota: 'max-request-values',
  });
  const metadata = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`k${n}`, '']));
  await server.functions.invokeFunction({ task: 'count', input: Buffer.alloc(500_000), metadata });
});
