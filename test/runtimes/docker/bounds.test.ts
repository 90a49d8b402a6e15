import { createHash, randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect } from 'vitest';
import type { AttemptIo, Runtime } from '../../../src/runtimes/runtime.ts';
import { hoardScript } from '../../support/socket-hoard.ts';
import { attemptOf, Collected, firstOutput, run } from '../attempt.ts';
import { coldRuntime, containersOf, docker, newNodeId, openRuntime, taskOf, testImageId } from './tasks.ts';
import { itDocker } from './where.ts';

const MiB = 1024 * 1024;
const longMs = 180_000;
const never = new AbortController().signal;
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

/** The host's Perl, for an image that has none. */
const hostPerl = { '/usr': '/usr', '/lib': '/lib', '/lib64': '/lib64' };

const hoards = [
  { kind: 'DGRAM', forks: '', rest: '' },
  { kind: 'STREAM', forks: '', rest: '' },
  { kind: 'STREAM', forks: 'fork for 1 .. 3;', rest: 'sleep 60' },
];

for (const { kind, forks, rest } of hoards) {
  itDocker(
    `what its sockets hold counts as its memory: ${kind} ${forks}`,
    async () => {
      const open = coldRuntime(await openRuntime({ hostAccess: true }));
      const command = ['/usr/bin/perl', '-e', `${forks} ${hoardScript} ${rest}`, kind];
      const { outcome, stdout, stderr } = await run(open, taskOf(imageId, command, { preopens: hostPerl }));
      if (rest === '' && outcome.kind === 'completed') {
        const held = Number(/^held (\d+)$/.exec(stdout.toString().trim())?.[1]);
        expect(held, stderr.toString()).toBeGreaterThan(MiB);
        expect(held).toBeLessThan(128 * MiB);
      } else {
        expect(outcome, stderr.toString()).toMatchObject({ kind: 'failed', code: 'MEMORY_LIMIT' });
      }
      expect(outcome).not.toHaveProperty('remains');
      await open.close();
    },
    longMs,
  );
}

itDocker(
  'a container that writes more to its root file system than it may is killed, and the outcome says so',
  async () => {
    const bounded = coldRuntime(await openRuntime({ scratchBytes: 16 * MiB }));
    const writable = { user: '0', container: { writableRoot: true } };
    const fills = taskOf(
      imageId,
      ['sh', '-c', 'head -c 33554432 /dev/zero >/data/left; exec sleep 60'],
      writable,
    );
    expect((await run(bounded, fills)).outcome).toMatchObject({
      kind: 'failed',
      code: 'OUTPUT_LIMIT',
      message: expect.stringMatching(/--max-scratch-bytes/),
    });
    const fits = taskOf(imageId, ['sh', '-c', 'head -c 8388608 /dev/zero >/data/left; sleep 2'], writable);
    expect((await run(bounded, fits)).outcome).toMatchObject({ kind: 'completed' });
    await bounded.close();
  },
  longMs,
);

/** Counts and digests output, and keeps none of it. */
class Digested implements AttemptIo {
  bytes = 0;
  readonly #hash = createHash('sha256');

  write(_stream: 'stdout' | 'stderr', data: Uint8Array): undefined {
    this.bytes += data.length;
    this.#hash.update(data);
  }

  async bind(): Promise<void> {}

  inputDelivered(): void {}

  refused(): void {}

  digest(): string {
    return this.#hash.digest('hex');
  }
}

itDocker(
  '64 MiB of random bytes go in and come out unchanged',
  async () => {
    const input = randomBytes(64 * MiB);
    const io = new Digested();
    const outcome = await runtime.run(attemptOf(taskOf(imageId, ['cat']), { input }), io, never);
    expect(outcome).toMatchObject({ kind: 'completed' });
    expect(io.bytes).toBe(input.length);
    expect(io.digest()).toBe(createHash('sha256').update(input).digest('hex'));
  },
  longMs,
);

itDocker(
  'half a gigabyte of output takes no memory of the node',
  async () => {
    const io = new Digested();
    const before = process.memoryUsage().rss;
    let most = before;
    const counting: AttemptIo = {
      bind: () => io.bind(),
      inputDelivered: () => io.inputDelivered(),
      refused: () => io.refused(),
      write(stream, data) {
        most = Math.max(most, process.memoryUsage.rss());
        return io.write(stream, data);
      },
    };
    const outcome = await runtime.run(
      attemptOf(taskOf(imageId, ['head', '-c', String(512 * MiB), '/dev/zero'])),
      counting,
      never,
    );
    expect(outcome).toMatchObject({ kind: 'completed' });
    expect(io.bytes).toBe(512 * MiB);
    expect(most - before).toBeLessThan(200 * MiB);
  },
  longMs,
);

itDocker(
  'a program that exits before its input was written has its output delivered, however slowly that is taken',
  async () => {
    const input = randomBytes(16 * MiB);
    const task = taskOf(imageId, ['sh', '-c', 'head -c 300000 /dev/zero']);
    const io = new Collected(() => new Promise((resolve) => setImmediate(resolve)));
    expect(await runtime.run(attemptOf(task, { input }), io, never)).toMatchObject({ kind: 'completed' });
    expect(io.bytes).toBe(300_000);
  },
);

itDocker('a program that forks without end is held to its processes, and others run meanwhile', async () => {
  const controller = new AbortController();
  const io = new Collected();
  const limits = { memory: 64 * MiB, cpu: 0.5, processes: 16, maxOutputBytes: MiB, maxOutputEvents: 1000 };
  const task = taskOf(imageId, ['fork'], { limits, graceMs: 100 });
  const running = runtime.run(attemptOf(task), io, controller.signal);
  await firstOutput(io, running);
  const [forking] = await containersOf(nodeId);
  const { outcome } = await run(runtime, taskOf(imageId, ['exit']));
  expect(outcome).toMatchObject({ exitCode: 7 });
  const { pids_stats: pids } = await docker.getContainer(forking ?? '').stats({ stream: false });
  // One more than it asked for is the engine's init.
  expect(pids?.limit).toBe(17);
  expect(pids?.current).toBeLessThanOrEqual(17);
  controller.abort();
  expect(await running).toMatchObject({ kind: 'stopped' });
});

itDocker(
  'thirty containers one after another leave nothing open',
  async () => {
    const openFiles = () => readdirSync('/proc/self/fd').length;
    const task = taskOf(imageId, ['cat']);
    for (let round = 0; round < 5; round += 1) await run(runtime, task);
    const before = openFiles();
    for (let round = 0; round < 30; round += 1) {
      const { outcome } = await run(runtime, task, { input: Buffer.from(String(round)) });
      expect(outcome).toMatchObject({ kind: 'completed' });
    }
    expect(await containersOf(nodeId)).toEqual([]);
    expect(openFiles()).toBeLessThanOrEqual(before + 2);
  },
  longMs,
);
