/** What an operator allows holds however a definition comes in. */
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { expect, test } from 'vitest';
import { resolveConfig } from '../../src/config.ts';
import type { LocalServer } from '../support/server.ts';
import { startServer, temporaryDataDir } from '../support/server.ts';
import { expectField } from './bad-input.ts';
import { refusal } from './refusal.ts';
import { another, begin, resealed, restore, take } from './snapshots.ts';

const mebibyte = 1024 * 1024;
const cat = 'misbehaving/cat.wasm';
const hour = { seconds: 3600n };
const caps = {
  maxMemory: String(64 * mebibyte),
  maxOutputBytes: String(mebibyte),
  maxTimeout: '60000',
  maxWarm: '2',
};

/** The document of an execution that waits for its start, taken from a node without caps and moved. */
async function document(definition: Parameters<LocalServer['register']>[2]): Promise<Buffer> {
  const source = await another({ maxMemory: String(2 ** 40) });
  await source.register('cat', cat, definition);
  const executionId = await begin(source, { task: 'cat', startAfter: { seconds: 1n } });
  return (await take(source, executionId, { detach: true, includeArtifact: true })).document;
}

test.each([
  ['memory', { limits: { memory: BigInt(65 * mebibyte) } }, 'definition.limits.memory', '--max-memory'],
  [
    'output',
    { limits: { maxOutputBytes: 2_000_000n } },
    'definition.limits.max_output_bytes',
    '--max-output-bytes',
  ],
  ['time', { timeouts: { total: hour } }, 'definition.timeouts.total', '--max-timeout'],
  ['time of an attempt', { timeouts: { attempt: hour } }, 'definition.timeouts.attempt', '--max-timeout'],
  ['kept ready', { warm: { min: 3 } }, 'definition.warm.min', '--max-warm'],
] as const)(
  'a task that asks for more %s than the node gives is refused, and the flag named',
  async (_what, definition, field, flag) => {
    const server = await another(caps);
    expectField(await refusal(server.register('cat', cat, definition)), field, flag);
  },
);

test('what all that runs may reserve is a cap of each task, and "auto" is some of the machine', async () => {
  const server = await another({ guestMemory: String(64 * mebibyte), guestProcessors: '0.5' });
  expectField(
    await refusal(server.register('cat', cat, { limits: { memory: BigInt(65 * mebibyte) } })),
    'definition.limits.memory',
    '--guest-memory',
  );
  expect((await server.register('cat', cat)).definition?.limits?.memory).toBe(BigInt(64 * mebibyte));
  const { guestMemory, guestProcessors } = resolveConfig(
    { guestMemory: 'auto', guestProcessors: 'auto' },
    {},
  );
  expect(guestMemory).toBeLessThan(totalmem());
  expect(guestMemory).toBeGreaterThanOrEqual(Math.floor(totalmem() / 64));
  expect(guestProcessors).toBeGreaterThanOrEqual(1);
  expect(resolveConfig({}, {})).toMatchObject({
    guestMemory: Number.POSITIVE_INFINITY,
    guestProcessors: Number.POSITIVE_INFINITY,
  });
});

test.each([
  [
    { guestMemory: 'much' },
    /--guest-memory.* is "much"; allowed is a whole number from 1048576 to .*, or "auto"/,
  ],
  [
    { guestProcessors: '0' },
    /--guest-processors.* is "0"; allowed is a number from 0.01 to 10000, or "auto"/,
  ],
])('%j is refused', (flags, words) => {
  expect(() => resolveConfig(flags, {})).toThrow(words);
});

test('a task that says nothing gets defaults that are within the caps', async () => {
  const server = await another(caps);
  const { definition } = await server.register('cat', cat);
  expect(definition?.limits).toMatchObject({
    memory: BigInt(64 * mebibyte),
    maxOutputBytes: BigInt(mebibyte),
  });
  const again = await server.register('cat', cat);
  expect(again.revision).toBe(1);
});

test('a container may have no more memory in its /tmp than in all', async () => {
  const server = await another(caps);
  const container = {
    runtime: 2,
    artifact: { source: { case: 'image', value: 'x' } },
    container: { tmpfsSize: 2n ** 39n },
  };
  const refused = await refusal(
    server.tasks.registerTask({ definition: { name: 'c', ...container } as never }),
  );
  expectField(refused, 'definition.container.tmpfs_size', '--max-memory');
});

test('a task that an earlier run stored runs with no more than the caps of this one', async () => {
  const dataDir = await temporaryDataDir();
  try {
    const before = await startServer({ dataDir });
    const { definition } = await before.register('cat', cat, {
      limits: { memory: BigInt(256 * mebibyte), maxOutputBytes: BigInt(8 * mebibyte) },
      timeouts: { total: hour },
    });
    expect(definition?.limits?.memory).toBe(BigInt(256 * mebibyte));
    before.connection.close();
    await before.node.drain();
    const after = await another({ dataDir, ...caps });
    const { task } = await after.tasks.getTask({ task: 'cat' });
    expect(task?.definition).toMatchObject({
      limits: { memory: BigInt(64 * mebibyte), maxOutputBytes: BigInt(mebibyte) },
      timeouts: { total: { seconds: 60n } },
    });
    const input = randomBytes(2 * mebibyte);
    const { result } = await after.functions.invokeFunction({ task: 'cat', input });
    expect(result).toMatchObject({ status: 4, outputBytes: BigInt(mebibyte) });
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});

test('a snapshot whose task names no limits gets those that registration gives', async () => {
  const bare = resealed(await document({}), (text) => text.replace(/,"memory":\d+|"memory":\d+,/, ''));
  expect(bare.toString()).not.toContain('"memory":');
  const target = await another({ maxMemory: caps.maxMemory });
  const { executionId = '', taskId } = (await restore(target, bare)).result ?? {};
  const { document: again } = await take(target, executionId);
  expect(taskId).toMatch(/^task_/);
  expect(again.toString()).toContain(`"memory":${64 * mebibyte}`);
});

test('a snapshot whose task asks for more than the node gives is refused, and leaves nothing', async () => {
  const target = await another(caps);
  const greedy = await document({ limits: { memory: BigInt(256 * mebibyte) } });
  expectField(await refusal(restore(target, greedy)), 'definition.limits.memory', '--max-memory');
  expect((await target.functions.listExecutions({})).executions).toEqual([]);
});
