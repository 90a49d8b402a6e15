import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TaskDefinition } from '../../src/domain/task.ts';
import type { AttemptIo, Runtime } from '../../src/runtimes/runtime.ts';
import { attemptOf, Collected, firstOutput, run } from './attempt.ts';

/** Tasks of one runtime that do the same as those in `examples/misbehaving`. */
export interface RuntimeFixtures {
  /** Copies standard input to standard output. */
  readonly cat: TaskDefinition;
  /** Prints `bye` and, to standard error, `leaving`; exits with 7. */
  readonly exit: TaskDefinition;
  /** Prints its environment as lines `env NAME=value` and its arguments as `arg N value`. */
  readonly env: TaskDefinition;
  /** Prints `looping`, then never ends and never looks at anything. */
  readonly loop: TaskDefinition;
  /** Writes to standard output without end. */
  readonly flood: TaskDefinition;
}

/** The most that may be on its way between a guest and its output: what it wrote and nobody has taken. */
const usualInFlight = 2 * 1024 * 1024;

/** What every runtime promises, whatever it runs (src/runtimes/runtime.ts). */
export function runtimeContract(
  name: string,
  makeRuntime: () => Promise<Runtime>,
  makeFixtures: () => Promise<RuntimeFixtures>,
  maxInFlight = usualInFlight,
): void {
  describe(`${name}: the runtime contract`, () => {
    let runtime: Runtime;
    let fixtures: RuntimeFixtures;

    beforeAll(async () => {
      [runtime, fixtures] = await Promise.all([makeRuntime(), makeFixtures()]);
      for (const task of Object.values(fixtures)) await runtime.prepare(task);
    });

    afterAll(() => runtime.close());

    it('gives the default entry no name', async () => {
      const { functions } = await runtime.prepare(fixtures.cat);
      expect(functions).toEqual([{ name: '', parameters: [], result: '', reason: '' }]);
    });

    it('hands all output over before it settles, and exit 0 is completed', async () => {
      const { outcome, stdout } = await run(runtime, fixtures.cat, { input: Buffer.from('hello') });
      expect(outcome).toMatchObject({ kind: 'completed', exitCode: 0 });
      expect(outcome.instanceId).not.toBe('');
      expect(stdout.toString()).toBe('hello');
    });

    it('carries several megabytes of binary input to output unchanged', async () => {
      const input = Buffer.from(
        Array.from({ length: 4_000_000 }, (_, index) => (index * 31 + (index >> 8)) & 0xff),
      );
      const { stdout } = await run(runtime, fixtures.cat, { input });
      expect(stdout.equals(input)).toBe(true);
    });

    it('fails with the exit code of a function that exits otherwise, and keeps its output', async () => {
      const { outcome, stdout, stderr } = await run(runtime, fixtures.exit);
      expect(outcome).toMatchObject({ kind: 'failed', code: 'FUNCTION_EXIT', exitCode: 7 });
      expect([stdout.toString(), stderr.toString()]).toEqual(['bye\n', 'leaving\n']);
    });

    it('gives a function its task’s and its invocation’s environment and arguments, and nothing of the host', async () => {
      const task = { ...fixtures.env, args: ['of-task'], environment: { A: 'task', B: 'task' } };
      await runtime.prepare(task);
      const { stdout } = await run(runtime, task, { args: ['of-call'], environment: { B: 'call' } });
      const lines = stdout.toString().split('\n');
      expect(lines.filter((line) => line.startsWith('env ')).sort()).toEqual(['env A=task', 'env B=call']);
      expect(lines.filter((line) => line.startsWith('arg ')).slice(1)).toEqual([
        'arg 1 of-task',
        'arg 2 of-call',
      ]);
    });

    it('stops a function that never ends, and delivers what it wrote before', async () => {
      const controller = new AbortController();
      const io = new Collected();
      const running = runtime.run(attemptOf(fixtures.loop), io, controller.signal);
      await firstOutput(io, running);
      controller.abort();
      expect(await running).toMatchObject({ kind: 'stopped', rung: expect.stringMatching(/./) });
      expect(io.of('stdout').toString()).toBe('looping\n');
    });

    it('does not begin an attempt whose signal is already aborted', async () => {
      const io = new Collected();
      const outcome = await runtime.run(attemptOf(fixtures.exit), io, AbortSignal.abort());
      expect(outcome).toMatchObject({ kind: 'stopped', rung: 'cooperative' });
      expect(io.bytes).toBe(0);
    });

    it('holds a function back whose output nobody takes', async () => {
      const controller = new AbortController();
      const gate = Promise.withResolvers<void>();
      const io = new Collected(() => gate.promise);
      const running = runtime.run(attemptOf(fixtures.flood), io, controller.signal);
      await firstOutput(io, running);
      // Others run meanwhile: neither they nor the node wait for the one that is held back.
      for (let round = 0; round < 20; round += 1) await run(runtime, fixtures.exit);
      controller.abort();
      gate.resolve();
      expect(await running).toMatchObject({ kind: 'stopped' });
      expect(io.bytes).toBeGreaterThan(0);
      expect(io.bytes).toBeLessThanOrEqual(maxInFlight);
    });

    it('leaves the node its turn while a function writes faster than what it writes is taken', async () => {
      const controller = new AbortController();
      const io = new Collected();
      const busy: AttemptIo = {
        bind: (instanceId) => io.bind(instanceId),
        inputDelivered: () => io.inputDelivered(),
        refused: (refusal) => io.refused(refusal),
        write(stream, data) {
          for (let round = 0; round < 200; round += 1) createHash('sha256').update(data).digest();
          return io.write(stream, data);
        },
      };
      const running = runtime.run(attemptOf(fixtures.flood), busy, controller.signal);
      await firstOutput(io, running);
      for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      controller.abort();
      expect(await running).toMatchObject({ kind: 'stopped' });
    });

    it('has what it says it can do, and no more', async () => {
      const { capabilities, reattach, release, pause, unpause } = runtime;
      const has = (method: unknown) => typeof method === 'function';
      expect([has(reattach), has(release)]).toEqual([capabilities.reattach, capabilities.reattach]);
      expect([has(pause), has(unpause)]).toEqual([capabilities.pause, capabilities.pause]);
      // What it does not run it does not pause.
      const refusal = { kind: 'failed_precondition', reason: 'NOT_RUNNING' };
      if (pause !== undefined) await expect(pause('exec_none')).rejects.toMatchObject(refusal);
      if (unpause !== undefined) await expect(unpause('exec_none')).rejects.toMatchObject(refusal);
    });

    it('says no more than once that all input was delivered, and does so where it can re-attach', async () => {
      const io = new Collected();
      const attempt = attemptOf(fixtures.cat, { input: Buffer.from('hello') });
      await runtime.run(attempt, io, new AbortController().signal);
      expect(io.deliveries).toBeLessThanOrEqual(1);
      if (runtime.capabilities.reattach) expect(io.deliveries).toBe(1);
    });

    it('settles what runs as INSTANCE_LOST when it is closed', async () => {
      const other = await makeRuntime();
      await other.prepare(fixtures.loop);
      const io = new Collected();
      const running = other.run(attemptOf(fixtures.loop), io, new AbortController().signal);
      await firstOutput(io, running);
      await other.close();
      expect(await running).toMatchObject({ kind: 'failed', code: 'INSTANCE_LOST' });
    });
  });
}
