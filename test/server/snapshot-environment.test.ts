import { expect, test } from 'vitest';
import { ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { server, withServer } from './local.ts';
import { refusal } from './refusal.ts';
import { another, begin, restore, take } from './snapshots.ts';

const definition = { environment: { OF_TASK: 'deep secret' } };
const request = { task: 'env', environment: { OF_CALL: 'dark secret' } };

// Its one slot is taken: all else stays in the queue.
withServer({ slots: '1' }, async () => {
  await server.register('env', 'misbehaving/env.wasm', definition);
  await server.register('loop', 'misbehaving/loop.wasm');
  // The slot is given in the order of arrival.
  await begin(server, { task: 'loop' });
});

/** What an execution that was restored with its values prints of them, as soon as there is a slot. */
async function restored(values: Readonly<Record<string, string>>, more: { includeEnvironment?: boolean }) {
  const executionId = await begin(server, request);
  const { document } = await take(server, executionId, { ...more, detach: true, includeArtifact: true });
  const target = await another();
  await restore(target, document, { environment: values });
  const { result } = await target.functions.waitExecution({ executionId });
  expect(result?.status).toBe(ExecutionStatus.COMPLETED);
  return Buffer.from(result?.output ?? [])
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('env'));
}

test('values are left out of a snapshot unless they are asked for', async () => {
  const executionId = await begin(server, request);
  const plain = await take(server, executionId);
  expect(plain.document.toString()).not.toContain('secret');
  expect(plain.summary.notCarried).toContainEqual(expect.stringContaining('OF_CALL, OF_TASK'));
  const all = await take(server, executionId, { includeEnvironment: true });
  expect(all.document.toString()).toContain('dark secret');
  expect(all.document.toString()).toContain('deep secret');
  expect(all.summary.notCarried).not.toContainEqual(expect.stringContaining('OF_CALL'));
});

test('values that were left out have to be given, each by its name', async () => {
  const executionId = await begin(server, request);
  const { document } = await take(server, executionId, { detach: true, includeArtifact: true });
  const target = await another();
  const missing = await refusal(restore(target, document, { environment: { OF_CALL: 'x' } }));
  expect(missing).toMatchObject({
    code: 'FAILED_PRECONDITION',
    reason: 'ENVIRONMENT_REDACTED',
    metadata: { variables: 'OF_TASK' },
  });
  const unknown = await refusal(restore(target, document, { environment: { PATH: '/' } }));
  expect(unknown.code).toBe('INVALID_ARGUMENT');
  expect(unknown.fields).toEqual({ 'options.environment.PATH': expect.stringContaining('not left out') });
  expect((await target.functions.listExecutions({})).executions).toEqual([]);
});

test('values that are given, and values that came along, are those that the function sees', async () => {
  expect(await restored({ OF_CALL: 'new', OF_TASK: 'newer' }, {})).toEqual([
    'env OF_TASK=newer',
    'env OF_CALL=new',
  ]);
  expect(await restored({}, { includeEnvironment: true })).toEqual([
    'env OF_TASK=deep secret',
    'env OF_CALL=dark secret',
  ]);
});

test('a task that the node knows has its own values', async () => {
  const executionId = await begin(server, request);
  const { document } = await take(server, executionId, { detach: true });
  const target = await another();
  await target.register('env', 'misbehaving/env.wasm', { environment: { OF_TASK: 'of the target' } });
  const other = await refusal(
    restore(target, document, { environment: { OF_CALL: 'x', OF_TASK: 'of somebody' } }),
  );
  expect(other.fields).toEqual({
    'options.environment.OF_TASK': expect.stringMatching(/not the value that task env has on this node/),
  });
  const { result } = await restore(target, document, {
    environment: { OF_CALL: 'x', OF_TASK: 'of the target' },
  });
  expect(result?.state).toMatch(/^(pending|running)/);
  await target.functions.waitExecution({ executionId });
});

test('what has ended is restored without values, and says so', async () => {
  const source = await another();
  await source.register('env', 'misbehaving/env.wasm', definition);
  const { executionId } = await source.functions.invokeFunction(request);
  const { document } = await take(source, executionId);
  const { notes } = await restore(await another(), document);
  expect(notes).toEqual(['the values of its environment variables are not in the snapshot']);
});
