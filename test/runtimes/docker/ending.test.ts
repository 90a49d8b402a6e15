import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Limits } from '../../../src/domain/task.ts';
import type { Runtime } from '../../../src/runtimes/runtime.ts';
import { attemptOf, Collected, firstOutput, run } from '../attempt.ts';
import { coldRuntime, containersOf, docker, newNodeId, openRuntime, taskOf, testImageId } from './tasks.ts';
import { describeDocker } from './where.ts';

const MiB = 1024 * 1024;
const nodeId = newNodeId();
let runtime: Runtime;
let imageId: string;

beforeAll(async () => {
  imageId = await testImageId();
  runtime = coldRuntime(await openRuntime({ nodeId }));
});

afterAll(async () => {
  expect(await containersOf(nodeId)).toEqual([]);
  await runtime.close();
});

const limited = (limits: Partial<Limits>): { limits: Limits } => ({
  limits: { memory: 64 * MiB, processes: 32, maxOutputBytes: MiB, maxOutputEvents: 1000, ...limits },
});

describeDocker('a program that is killed', () => {
  it('for want of memory has met its memory limit', async () => {
    const task = taskOf(imageId, ['eat'], limited({ memory: 16 * MiB }));
    for (let round = 0; round < 5; round += 1) {
      const { outcome, stdout } = await run(runtime, task);
      expect(outcome).toMatchObject({
        kind: 'failed',
        code: 'MEMORY_LIMIT',
        exitCode: 137,
        message: expect.stringContaining(String(16 * MiB)),
      });
      expect(stdout.toString()).toBe('eating\n');
    }
  });

  it('by itself was signalled', async () => {
    const { outcome, stdout } = await run(runtime, taskOf(imageId, ['kill-self']));
    expect(outcome).toMatchObject({
      kind: 'failed',
      code: 'SIGNALED',
      exitCode: 137,
      message: 'the program was ended by SIGKILL',
    });
    expect(stdout.toString()).toBe('dying\n');
  });

  it('by someone else at the engine was signalled', async () => {
    const io = new Collected();
    const running = runtime.run(attemptOf(taskOf(imageId, ['loop'])), io, new AbortController().signal);
    await firstOutput(io, running);
    for (const id of await containersOf(nodeId)) await docker.getContainer(id).kill({ signal: 'SIGUSR1' });
    expect(await running).toMatchObject({ code: 'SIGNALED', exitCode: 138 });
  });

  it('and removed by someone else at the engine was killed or lost, and nothing remains', async () => {
    const io = new Collected();
    const running = runtime.run(attemptOf(taskOf(imageId, ['loop'])), io, new AbortController().signal);
    await firstOutput(io, running);
    for (const id of await containersOf(nodeId)) await docker.getContainer(id).remove({ force: true });
    const outcome = await running;
    // Which of the two depends on whether the engine still knows how it ended when it is asked.
    expect(outcome).toMatchObject({ code: expect.stringMatching(/^(SIGNALED|INSTANCE_LOST)$/) });
    expect(outcome.remains).toBeUndefined();
  });

  it('for a file that grows too large was signalled', async () => {
    const command = ['dd', 'if=/dev/zero', 'of=/tmp/file', 'bs=65536', 'count=32'];
    const { outcome } = await run(runtime, taskOf(imageId, command, limited({ fileSize: MiB })));
    expect(outcome).toMatchObject({ code: 'SIGNALED', exitCode: 153 });
  });
});

describeDocker('the processor time of an attempt', () => {
  it('ends a program that used it up, and is told', async () => {
    const { outcome, stdout } = await run(runtime, taskOf(imageId, ['loop'], limited({ cpuTimeMs: 300 })));
    expect(outcome).toMatchObject({ kind: 'failed', code: 'CPU_LIMIT' });
    const { cpuTimeUs } = outcome.resourceUse;
    expect(cpuTimeUs).toBeGreaterThanOrEqual(300_000);
    expect(cpuTimeUs).toBeLessThan(1_000_000);
    expect(stdout.toString()).toBe('looping\n');
  });

  it('is that of all its processes together', async () => {
    const command = ['sh', '-c', 'loop & loop & wait'];
    const { outcome } = await run(runtime, taskOf(imageId, command, limited({ cpuTimeMs: 400, cpu: 2 })));
    expect(outcome).toMatchObject({ kind: 'failed', code: 'CPU_LIMIT' });
  });

  it('does not pass while it waits', async () => {
    const command = ['sh', '-c', 'sleep 1; echo done'];
    const { outcome, stdout } = await run(runtime, taskOf(imageId, command, limited({ cpuTimeMs: 500 })));
    expect(outcome).toMatchObject({ kind: 'completed' });
    expect(stdout.toString()).toBe('done\n');
  });
});

describeDocker('a program that cannot be started', () => {
  it.each([
    ['does not exist', ['nosuch'], {}, /exec nosuch failed: No such file/],
    ['is no program', ['/etc/plain'], {}, /exec \/etc\/plain failed: Permission denied/],
    [
      'runs as a user that the image does not know',
      ['cat'],
      { user: 'nosuch' },
      /unable to find user nosuch/,
    ],
    [
      'gets a folder that the host does not have',
      ['cat'],
      { preopens: { '/data': '/no/such/folder' } },
      /bind/,
    ],
    ['gets a capability that there is not', ['cat'], { container: { capabilities: ['NOPE'] } }, /NOPE/],
  ])('because it %s says so', async (_what, command, more, words) => {
    const { outcome } = await run(runtime, taskOf(imageId, command, more));
    expect(outcome).toMatchObject({
      kind: 'failed',
      code: 'START_FAILED',
      message: expect.stringMatching(words),
    });
    expect(outcome.kind === 'failed' && outcome.message.length).toBeLessThan(400);
    expect(await containersOf(nodeId)).toEqual([]);
  });

  it('is told from one that exits as a shell does that finds no program', async () => {
    const { outcome } = await run(runtime, taskOf(imageId, ['sh', '-c', 'nosuch']));
    expect(outcome).toMatchObject({ code: 'FUNCTION_EXIT', exitCode: 127 });
  });
});

describeDocker('an exit code', () => {
  it('above those of signals is the program’s own', async () => {
    const { outcome } = await run(runtime, taskOf(imageId, ['sh', '-c', 'exit 200']));
    expect(outcome).toMatchObject({ code: 'FUNCTION_EXIT', exitCode: 200 });
  });
});
