import { createHash } from 'node:crypto';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { InstanceRuntime } from '../../../src/runtimes/runtime.ts';
import { until } from '../../support/docker-engine.ts';
import type { Collected } from '../attempt.ts';
import { follow, found, Gate, leave, nextRun, waitForGate } from './left.ts';
import { containersOf, docker, taskOf, testImageId } from './tasks.ts';
import { describeDocker } from './where.ts';

const longMs = 60_000;
/** What the engine's buffer of a line holds. */
const full = 16 * 1024;
let imageId: string;
let gate: Gate;
let runtime: InstanceRuntime | undefined;

beforeAll(async () => {
  imageId = await testImageId();
});

beforeEach(async () => {
  gate = await Gate.make();
});

afterEach(async () => {
  await runtime?.close();
  runtime = undefined;
  await gate.remove();
});

const letters = (count: number, letter: string) => `head -c ${count} /dev/zero | tr '\\0' ${letter}`;
const before = [
  'printf first',
  letters(full, 'a'),
  'echo',
  letters(full, 'b'),
  'echo',
  'echo',
  letters(3 * full, 'c'),
  'echo',
];
const expectedBefore = `first${'a'.repeat(full)}\n${'b'.repeat(full)}\n\n${'c'.repeat(3 * full)}\n`;
const random =
  'head -c 300000 /dev/urandom > /tmp/bytes; cat /tmp/bytes >&2; sha256sum < /tmp/bytes | head -c 64';

/** How a program's output may end, and what is expected of it. */
const ends: readonly (readonly [string, string, string])[] = [
  ['a long line', `${letters(20_000, 'd')}; echo`, `${'d'.repeat(20_000)}\n`],
  ['a long line without an end', letters(20_000, 'd'), 'd'.repeat(20_000)],
  ['a line that fills the engine’s buffer', `${letters(full, 'd')}; echo`, `${'d'.repeat(full)}\n`],
  ['as much without an end', letters(full, 'd'), 'd'.repeat(full)],
  ['a short line without an end', 'printf end', 'end'],
];

describeDocker('the output of a container that another run of the node left', () => {
  const wholeOf = (text: string) => (io: Collected) =>
    until(longMs, async () => io.of('stdout').length === text.length);

  it.each(ends)(
    'is exact where it ends with %s',
    async (_what, end, expected) => {
      const task = taskOf(imageId, ['sh', '-c', [...before, waitForGate, end].join('\n')], gate);
      const left = await leave(task, undefined, wholeOf(expectedBefore));
      runtime = await nextRun(left);
      const instance = await found(runtime, left, { position: { stdout: 3, stderr: 0 } });
      const following = follow(instance, left);
      await gate.open();
      const { outcome, io } = await following;
      expect(outcome).toMatchObject({ kind: 'completed', exitCode: 0 });
      expect(io.of('stdout').toString()).toBe((expectedBefore + expected).slice(3));
    },
    longMs,
  );

  it.each(ends)(
    'is exact where all of it was there before, and it ended with %s',
    async (_what, end, expected) => {
      const task = taskOf(imageId, ['sh', '-c', [end, waitForGate].join('\n')], gate);
      const left = await leave(task, undefined, wholeOf(expected));
      await gate.open();
      const [id = ''] = await containersOf(left.nodeId);
      await docker.getContainer(id).wait();
      runtime = await nextRun(left);
      const { outcome, io } = await follow(await found(runtime, left), left);
      expect(outcome).toMatchObject({ kind: 'completed', exitCode: 0 });
      expect(io.of('stdout').toString()).toBe('');
    },
    longMs,
  );

  it(
    'is exact where it is a long line that was whole before the node came back',
    async () => {
      const task = taskOf(imageId, ['sh', '-c', `${letters(20_000, 'd')}; echo; ${waitForGate}`], gate);
      const left = await leave(task, undefined, wholeOf(`${'d'.repeat(20_000)}\n`));
      runtime = await nextRun(left);
      const instance = await found(runtime, left, { position: { stdout: 0, stderr: 0 } });
      const following = follow(instance, left);
      await gate.open();
      expect((await following).io.of('stdout').toString()).toBe(`${'d'.repeat(20_000)}\n`);
    },
    longMs,
  );

  it.each([
    ['it was there before the node came back', letters(20_000, 'd'), 'd'.repeat(20_000)],
    ['there was nothing', 'true', ''],
  ])(
    'is exact where the program is stopped in the middle of a long line, of which %s',
    async (_what, end, expected) => {
      const task = taskOf(imageId, ['sh', '-c', `printf first; ${end}; exec sleep 60`], gate);
      const left = await leave(task, undefined, wholeOf(`first${expected}`));
      runtime = await nextRun(left);
      const instance = await found(runtime, left, { position: { stdout: 0, stderr: 0 } });
      const { outcome, io } = await follow(instance, left, AbortSignal.abort());
      expect(outcome.kind).toBe('stopped');
      expect(io.of('stdout').toString()).toBe(`first${expected}`);
    },
    longMs,
  );

  it(
    'is exact where it is binary',
    async () => {
      const task = taskOf(imageId, ['sh', '-c', `echo go; ${waitForGate}; ${random}`], gate);
      const left = await leave(task);
      await gate.open();
      const [id = ''] = await containersOf(left.nodeId);
      await docker.getContainer(id).wait();
      runtime = await nextRun(left);
      const { io } = await follow(await found(runtime, left), left);
      expect(io.of('stderr').length).toBe(300_000);
      expect(io.of('stdout').toString()).toBe(createHash('sha256').update(io.of('stderr')).digest('hex'));
    },
    longMs,
  );
});
