import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Runtime } from '../../../src/runtimes/runtime.ts';
import { attemptOf, Collected, firstOutput } from '../attempt.ts';
import { Gate, waitForGate } from './left.ts';
import { coldRuntime, openRuntime, taskOf, testImageId } from './tasks.ts';
import { describeDocker } from './where.ts';

const never = new AbortController().signal;
/** More than pipe, sockets and engine keep. */
const large = randomBytes(8 * 1024 * 1024);
let runtime: Runtime;
let imageId: string;
let gate: Gate;

beforeAll(async () => {
  imageId = await testImageId();
  runtime = coldRuntime(await openRuntime());
});

beforeEach(async () => {
  gate = await Gate.make();
});

afterEach(() => gate.remove());

afterAll(() => runtime.close());

const shell = (script: string) => taskOf(imageId, ['sh', '-c', script], gate);

describeDocker('that all input was delivered', () => {
  it('is said when the program has taken it, and not before', async () => {
    const io = new Collected();
    const task = shell(`echo ready; ${waitForGate}; wc -c; ${waitForGate}`);
    const running = runtime.run(attemptOf(task, { input: large }), io, never);
    await firstOutput(io, running);
    expect(io.deliveries).toBe(0);
    await gate.open();
    await io.inputTaken;
    expect(await running).toMatchObject({ kind: 'completed' });
    expect(io.of('stdout').toString()).toBe(`ready\n${large.length}\n`);
    expect(io.deliveries).toBe(1);
  });

  it('is said of an empty one', async () => {
    const io = new Collected();
    expect(await runtime.run(attemptOf(shell('cat')), io, never)).toMatchObject({ kind: 'completed' });
    expect(io.deliveries).toBe(1);
  });

  it('is never said where the program ends without taking it', async () => {
    const io = new Collected();
    const outcome = await runtime.run(attemptOf(shell('echo ready'), { input: large }), io, never);
    expect(outcome).toMatchObject({ kind: 'completed' });
    expect(io.deliveries).toBe(0);
  });

  it('is never said where the attempt was stopped before it began', async () => {
    const io = new Collected();
    const controller = new AbortController();
    const running = runtime.run(attemptOf(shell('cat')), io, controller.signal);
    controller.abort();
    expect(await running).toMatchObject({ kind: 'stopped' });
    expect(io.deliveries).toBe(0);
  });
});
