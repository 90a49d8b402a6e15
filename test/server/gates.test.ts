/** Limits of a task on what runs at a time and starts in a time, as callers say and see them. */
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExecutionMode } from '../../src/server/gen/spearlet/function_pb.js';
import { type TaskDefinition, WhenFull } from '../../src/server/gen/spearlet/task_pb.js';
import { type LocalServer, startServer } from '../support/server.ts';
import { refusal } from './refusal.ts';

let server: LocalServer;

beforeAll(async () => {
  server = await startServer({ slots: '4' });
});

afterAll(() => server.stop());

type Definition = Parameters<LocalServer['register']>[2];
type Request = Parameters<LocalServer['functions']['invokeFunction']>[0];

async function queue(request: Request): Promise<string> {
  const asked = { ...request, executionMode: ExecutionMode.ASYNC } as Request;
  return (await server.functions.invokeFunction(asked)).executionId;
}

const loop = (name: string, definition: object) =>
  server.register(name, 'misbehaving/loop.wasm', definition as Definition);

describe('a concurrency key', () => {
  it('holds those that have the value of one that runs, and says what holds them and who', async () => {
    await loop('by-user', { concurrency: [{ key: 'metadata.user', limit: 1 }] });
    const first = await queue({ task: 'by-user', metadata: { user: 'a' } });
    const second = await queue({ task: 'by-user', metadata: { user: 'a' } });
    const answer = await server.nodes.explainExecution({ executionId: second });
    expect(answer.gate).toMatchObject({ kind: 'concurrency', key: 'metadata.user', value: 'a', limit: 1n });
    expect(answer.heldBy).toEqual([first]);
    expect(answer.summary).toContain('concurrency key metadata.user "a" do: the limit is 1');
    await server.functions.cancelExecution({ executionId: first });
    await expect
      .poll(async () => (await server.functions.getExecutionStatus({ executionId: second })).result?.state)
      .toBe('running.attempting');
    await server.functions.cancelExecution({ executionId: second });
  });

  it('that refuses answers RESOURCE_EXHAUSTED with the quota', async () => {
    await loop('one', { concurrency: [{ key: 'task', limit: 1, whenFull: WhenFull.REFUSE }] });
    const executionId = await queue({ task: 'one' });
    const refused = await refusal(server.functions.invokeFunction({ task: 'one' } as Request));
    expect(refused).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      reason: 'CONCURRENCY_FULL',
      quota: 'concurrency task',
      retryAfterMs: 1000,
    });
    await server.functions.cancelExecution({ executionId });
  });

  it('is in the task as it was said, and one that says it anew is a new revision', async () => {
    const limits = {
      concurrency: [{ key: 'task', limit: 2 }],
      rate: [{ key: 'tenant', units: 5, per: durationFromMs(1000), burst: 2 }],
    };
    const { definition, revision } = await loop('said', limits);
    expect(definition).toMatchObject(limits as Partial<TaskDefinition>);
    expect((await loop('said', limits)).revision).toBe(revision);
    expect((await loop('said', { concurrency: [{ key: 'task', limit: 3 }] })).revision).toBe(revision + 1);
  });
});

it.each([
  [
    'concurrency[0].key',
    { concurrency: [{ key: 'metdata.user', limit: 1 }] },
    '"metdata.user" is not a key; allowed is task, tenant',
  ],
  ['concurrency[0].key', { concurrency: [{ limit: 1 }] }, '"" is not a key'],
  ['concurrency[0].limit', { concurrency: [{ key: 'task' }] }, '1 to'],
  [
    'concurrency[0].when_full',
    { concurrency: [{ key: 'task', limit: 1, whenFull: 9 }] },
    '9 is not known; allowed are QUEUE, REFUSE, REPLACE_PENDING, CANCEL_RUNNING',
  ],
  [
    'concurrency[1].key',
    {
      concurrency: [
        { key: 'task', limit: 1 },
        { key: 'task', limit: 2 },
      ],
    },
    '"task" again',
  ],
  [
    'concurrency',
    { concurrency: Array.from({ length: 9 }, (_, index) => ({ key: `k${index}`, limit: 1 })) },
    '8',
  ],
  ['rate[0].per', { rate: [{ key: 'task', units: 1 }] }, ''],
  ['rate[0].burst', { rate: [{ key: 'task', units: 1, per: durationFromMs(1), burst: 0 }] }, '1 to'],
])('a definition whose %s is none is refused, and named', async (field, definition, words) => {
  const refused = await refusal(loop('bad', definition));
  expect(refused.code).toBe('INVALID_ARGUMENT');
  expect(refused.message).toContain(`definition.${field}`);
  expect(refused.message).toContain(words);
});
