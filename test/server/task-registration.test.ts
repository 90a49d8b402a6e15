import { durationMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, test } from 'vitest';
import {
  InstancePolicy,
  InterruptPolicy,
  RuntimeKind,
  TimerPolicy,
} from '../../src/server/gen/spearlet/task_pb.js';
import { example } from '../support/server.ts';
import { server, withServer } from './local.ts';
import { refusal } from './refusal.ts';
import { cat } from './tasks.ts';

withServer({ slots: '2' });

describe('a registration', () => {
  test('answers with the task: an id, revision 1 and the definition with its defaults', async () => {
    const content = await example(cat);
    const { task, changed } = await server.tasks.registerTask({
      definition: {
        name: 'cat',
        runtime: RuntimeKind.WASM,
        artifact: { source: { case: 'content', value: content } },
        description: 'copies',
        args: ['a'],
        environment: { B: '2', A: '1' },
        timeouts: { total: { seconds: 9n } },
      },
    });
    expect(changed).toBe(true);
    expect(task).toMatchObject({
      taskId: expect.stringMatching(/^task_[0-9a-z]{26}$/),
      revision: 1,
      wit: '',
      functions: [{ name: '', callable: true, reason: '', parameters: [], result: '' }],
      definition: {
        name: 'cat',
        runtime: RuntimeKind.WASM,
        description: 'copies',
        args: ['a'],
        environment: { A: '1', B: '2' },
        allowNetwork: false,
        instancePolicy: InstancePolicy.FRESH,
        artifact: {
          source: { case: undefined },
          sizeBytes: BigInt(content.byteLength),
          sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        },
        limits: { memory: 134_217_728n, maxOutputBytes: 67_108_864n, maxOutputEvents: 100_000n },
        retry: { maxAttempts: 1, factor: 2, jitter: 0.1, on: [] },
        onInterrupt: InterruptPolicy.RERUN,
        maxRecoveries: 3,
        timers: {
          start: TimerPolicy.REMAINING,
          queue: TimerPolicy.REMAINING,
          attempt: TimerPolicy.ANEW,
          total: TimerPolicy.ABSOLUTE,
        },
      },
    });
    const { grace, retry, timeouts } = task?.definition ?? {};
    expect(grace && durationMs(grace)).toBe(5000);
    expect(retry?.initial && durationMs(retry.initial)).toBe(200);
    expect(retry?.max && durationMs(retry.max)).toBe(30_000);
    expect(timeouts?.total && durationMs(timeouts.total)).toBe(9000);
    expect(timeouts?.queue).toBeUndefined();
    expect(task?.createdAt).toEqual(task?.updatedAt);
  });

  test('of an equal definition is the same task and revision', async () => {
    const request = async (environment: Record<string, string>) => ({
      definition: {
        name: 'equal',
        runtime: RuntimeKind.WASM,
        artifact: { source: { case: 'content' as const, value: await example(cat) } },
        environment,
      },
    });
    const first = await server.tasks.registerTask(await request({ A: '1', B: '2' }));
    const second = await server.tasks.registerTask(await request({ B: '2', A: '1' }));
    expect(second.changed).toBe(false);
    expect(second.task).toEqual(first.task);
  });

  test('that names what is the default anyway is the same task and revision', async () => {
    const first = await server.register('default', cat);
    const again = await server.register('default', cat, {
      onInterrupt: InterruptPolicy.RERUN,
      maxRecoveries: 3,
      timers: { start: TimerPolicy.REMAINING, total: TimerPolicy.ABSOLUTE },
    });
    expect(again).toEqual(first);
    const changed = await server.register('default', cat, { timers: { total: TimerPolicy.REMAINING } });
    expect(changed).toMatchObject({
      revision: 2,
      definition: { timers: { attempt: TimerPolicy.ANEW, total: TimerPolicy.REMAINING } },
    });
  });

  test('of a changed definition is the next revision under the same id', async () => {
    const first = await server.register('changing', cat);
    const second = await server.register('changing', cat, { args: ['new'] });
    const third = await server.register('changing', 'misbehaving/exit.wasm', { args: ['new'] });
    expect([first.revision, second.revision, third.revision]).toEqual([1, 2, 3]);
    expect(new Set([first.taskId, second.taskId, third.taskId]).size).toBe(1);
    expect(third.createdAt).toEqual(first.createdAt);
    const times = [first, second, third].map(({ updatedAt }) => (updatedAt ? timestampMs(updatedAt) : 0));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    const { task } = await server.tasks.getTask({ task: 'changing' });
    expect(task).toEqual(third);
  });

  test('with if_absent is ALREADY_EXISTS where the name is taken, and changes nothing', async () => {
    const before = await server.register('taken', cat);
    const refused = await refusal(
      server.tasks.registerTask({
        ifAbsent: true,
        definition: {
          name: 'taken',
          runtime: RuntimeKind.WASM,
          artifact: { source: { case: 'content', value: await example(cat) } },
          args: ['other'],
        },
      }),
    );
    expect(refused).toMatchObject({
      code: 'ALREADY_EXISTS',
      reason: 'TASK_EXISTS',
      metadata: { task_id: before.taskId },
    });
    expect(refused.message).toContain('taken');
    expect((await server.tasks.getTask({ task: 'taken' })).task).toEqual(before);
  });

  test('of one new name many times at once makes one task', async () => {
    const tasks = await Promise.all(
      Array.from({ length: 8 }, (_, i) => server.register('race', cat, { args: [String(i)] })),
    );
    expect(new Set(tasks.map((task) => task.taskId)).size).toBe(1);
    expect(Math.max(...tasks.map((task) => task.revision))).toBe(8);
  });
});
