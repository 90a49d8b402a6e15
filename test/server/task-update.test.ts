/** What can be changed of a task while the node runs, without its artifact. */
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import { ExecutionMode, Priority } from '../../src/server/gen/spearlet/function_pb.js';
import type { LocalServer } from '../support/server.ts';
import { api, errorOf } from './http.ts';
import { server, withServer } from './local.ts';
import { refusal } from './refusal.ts';

withServer({ slots: '4', maxTimeout: '3600000' });

type Definition = Parameters<LocalServer['register']>[2];
type Update = Parameters<LocalServer['tasks']['updateTask']>[0];

const loop = (name: string, definition: object = {}) =>
  server.register(name, 'misbehaving/loop.wasm', definition as Definition);

const update = (task: string, paths: string[], definition: object = {}, more: object = {}) =>
  server.tasks.updateTask({ task, definition, updateMask: { paths }, ...more } as Update);

async function queue(task: string): Promise<string> {
  const { functions } = server;
  return (await functions.invokeFunction({ task, executionMode: ExecutionMode.ASYNC })).executionId;
}

async function stateOf(executionId: string): Promise<string | undefined> {
  return (await server.functions.getExecutionStatus({ executionId })).result?.state;
}

describe('an update of a task', () => {
  it('changes what the mask names and nothing else, as a registration that says the same', async () => {
    const before = {
      args: ['x'],
      timeouts: { total: durationFromMs(60_000), attempt: durationFromMs(5000) },
      retry: { maxAttempts: 3, budget: 0.5 },
      labels: { team: 'a' },
      fairnessKey: 'k',
    };
    await loop('changed', before);
    const changed = {
      priority: Priority.HIGH,
      concurrency: [{ key: 'task', limit: 2 }],
      timeouts: { total: durationFromMs(30_000) },
    };
    // What is said and not named is not read.
    const said = { ...changed, fairnessKey: 'other', retry: { maxAttempts: 9 } };
    const paths = ['priority', 'concurrency', 'timeouts.total', 'labels', 'retry.budget'];
    const answer = await update('changed', paths, said);
    expect(answer).toMatchObject({ changed: true, task: { revision: 2 } });
    const retry = { maxAttempts: 3 };
    const { attempt } = before.timeouts;
    const again = await loop('changed', {
      ...{ args: ['x'], fairnessKey: 'k', retry, ...changed },
      timeouts: { ...changed.timeouts, attempt },
    });
    expect(again.revision).toBe(2);
    expect(answer.task).toEqual(again);
    expect(await update('changed', paths, said)).toMatchObject({ changed: false, task: { revision: 2 } });
  });

  it.each([
    [[], 'names nothing; allowed are timeouts, retry, '],
    [['artifact'], '"artifact" cannot be changed; allowed are timeouts, retry, '],
    [['limits.memory'], '"limits.memory" cannot be changed'],
    [['nothing'], '"nothing" cannot be changed'],
    [['retry.nothing'], '"retry.nothing" is not known; allowed are retry, retry.max_attempts'],
    [['labels.team'], '"labels.team" is not known; allowed are labels'],
    [['retry.on.x'], '"retry.on.x" is not known'],
  ])('whose mask is %j is refused, naming what is allowed', async (paths, words) => {
    await loop('refused');
    const refused = await refusal(update('refused', paths));
    expect(refused).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(refused.message).toContain('update_mask');
    expect(refused.message).toContain(words);
  });

  it.each([
    ['definition.concurrency[1].key', ['concurrency'], { concurrency: [one('task'), one('task')] }],
    ['definition.rate[0].per', ['rate'], { rate: [{ key: 'task', units: 1 }] }],
    ['definition.retry.max_attempts', ['retry.max_attempts'], { retry: { maxAttempts: 5000 } }],
    ['definition.timeouts.total', ['timeouts'], { timeouts: { total: durationFromMs(7_200_000) } }],
    ['definition.warm.start_ahead', ['warm'], { warm: { startAhead: true } }],
    ['definition.warm.max', ['warm.min', 'warm.max'], { warm: { min: 3, max: 2 } }],
  ])('with a bad %s is refused as a registration is, and changes nothing', async (field, paths, said) => {
    const { revision } = await loop('bad');
    const refused = await refusal(update('bad', paths, said));
    expect(refused).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(refused.message).toContain(field);
    expect((await server.tasks.getTask({ task: 'bad' })).task?.revision).toBe(revision);
  });

  it('that expects another revision than there is is refused with ABORTED', async () => {
    const { revision } = await loop('two-at-once');
    const high = { priority: Priority.HIGH };
    await update('two-at-once', ['priority'], high, { expectedRevision: revision });
    const refused = await refusal(
      update('two-at-once', ['priority'], { priority: Priority.LOW }, { expectedRevision: revision }),
    );
    expect(refused).toMatchObject({ code: 'ABORTED', reason: 'TASK_CHANGED' });
    expect((await server.tasks.getTask({ task: 'two-at-once' })).task?.definition).toMatchObject(high);
  });

  it('loses nothing of others that come at the same time', async () => {
    await loop('crowded');
    const all = {
      priority: Priority.LOW,
      fairnessKey: 'f',
      concurrency: [{ key: 'task', limit: 7 }],
      retry: { maxAttempts: 4, budget: 0.25 },
      labels: { a: 'b' },
    };
    const paths = ['priority', 'fairness_key', 'concurrency', 'retry.max_attempts', 'retry.budget', 'labels'];
    await Promise.all(paths.map((path) => update('crowded', [path], all)));
    const { task } = await server.tasks.getTask({ task: 'crowded' });
    expect(task?.definition).toMatchObject(all);
    expect(task?.revision).toBe(1 + paths.length);
  });

  it('counts at once for what waits: a limit that is raised, lowered and taken away', async () => {
    await loop('live', { concurrency: [{ key: 'task', limit: 1 }] });
    const [first = '', second = '', third = ''] = [
      await queue('live'),
      await queue('live'),
      await queue('live'),
    ];
    expect(await stateOf(second)).toBe('pending.queued');
    await update('live', ['concurrency'], { concurrency: [{ key: 'task', limit: 2 }] });
    await expect.poll(() => stateOf(second)).toBe('running.attempting');
    expect(await stateOf(third)).toBe('pending.queued');
    await update('live', ['concurrency']);
    await expect.poll(() => stateOf(third)).toBe('running.attempting');
    await Promise.all(
      [first, second, third].map((executionId) => server.functions.cancelExecution({ executionId })),
    );
  });

  it('over HTTP takes names as in messages and as in JSON, and says what a mask is', async () => {
    await loop('by-http');
    for (const updateMask of ['fairness_key,priority', 'fairnessKey,priority']) {
      const definition = { fairnessKey: updateMask, priority: 'HIGH' };
      const answer = await api('TaskService/UpdateTask', { task: 'by-http', definition, updateMask });
      expect(JSON.parse(answer.text)).toMatchObject({
        changed: true,
        task: { definition: { fairnessKey: updateMask, priority: 'PRIORITY_HIGH' } },
      });
    }
    const refused = await api('TaskService/UpdateTask', { task: 'by-http', updateMask: { paths: ['rate'] } });
    expect(refused.code).toBe(400);
    expect(errorOf(refused).message).toContain('update_mask: is an object; allowed is a text of names');
  });
});

function one(key: string) {
  return { key, limit: 1 };
}
