import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ExecutionMode, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { RuntimeKind } from '../../src/server/gen/spearlet/task_pb.js';
import { makeTestImage, testImage } from '../support/docker-image.ts';
import { describeWhere, dockerEngine, root } from '../support/needs.ts';
import { example, type LocalServer, startServer } from '../support/server.ts';

const size = 64 * 1024 * 1024;

/** Every byte value in every place of a word, and no period that a buffer size divides. */
function binary(): Buffer {
  const bytes = Buffer.alloc(size);
  for (let index = 0; index < size; index += 4)
    bytes.writeUInt32LE(Math.imul(index, 2_654_435_761) >>> 0, index);
  return bytes;
}

describeWhere([await dockerEngine(), root()], '64 MB of binary input', () => {
  let server: LocalServer;
  const input = binary();

  beforeAll(async () => {
    await makeTestImage();
    server = await startServer({
      allowHostAccess: true,
      dockerHost: 'unix:///var/run/docker.sock',
      maxRequestBytes: String(128 * 1024 * 1024),
    });
  });

  afterAll(() => server?.stop());

  test.each([
    [
      'a component',
      RuntimeKind.WASM,
      async () => ({ case: 'content' as const, value: await example('misbehaving/cat.wasm') }),
      [],
    ],
    ['a process', RuntimeKind.PROCESS, async () => ({ case: 'path' as const, value: '/bin/cat' }), []],
    [
      'a container',
      RuntimeKind.DOCKER,
      async () => ({ case: 'image' as const, value: testImage }),
      ['/bin/cat'],
    ],
  ])('goes through %s and comes back whole, by watch', async (_what, runtime, source, args) => {
    const task = `cat-${runtime}`;
    await server.tasks.registerTask({
      definition: {
        name: task,
        runtime,
        artifact: { source: await source() },
        args,
        limits: { maxOutputBytes: BigInt(size), maxOutputEvents: 1_000_000n },
      },
    });
    const { executionId } = await server.functions.invokeFunction({
      task,
      input,
      executionMode: ExecutionMode.ASYNC,
    });
    const hash = createHash('sha256');
    let bytes = 0;
    let status: ExecutionStatus | undefined;
    for await (const { event } of server.functions.watchExecution({ executionId })) {
      if (event.case === 'chunk') {
        hash.update(event.value.data);
        bytes += event.value.data.byteLength;
      } else if (event.case === 'result') status = event.value.status;
    }
    expect(status).toBe(ExecutionStatus.COMPLETED);
    expect(bytes).toBe(size);
    expect(hash.digest('hex')).toBe(createHash('sha256').update(input).digest('hex'));
  });
});
