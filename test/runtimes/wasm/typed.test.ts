import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TaskDefinition } from '../../../src/domain/task.ts';
import type { Runtime } from '../../../src/runtimes/runtime.ts';
import { batchTimeoutMs } from '../../../src/runtimes/wasm/hosts/pool.ts';
import { HeldClock } from '../../support/held-clock.ts';
import { attemptOf, Collected, run } from '../attempt.ts';
import { WasmBench } from './fixture.ts';
import { habit, textGuest, typedGuest, typesGuest } from './typed-guest.ts';

const bench = new WasmBench();
let runtime: Runtime;
let fresh: TaskDefinition;
let reused: TaskDefinition;

beforeAll(async () => {
  // One worker: whether an instance is reused cannot depend on which thread a call comes to.
  runtime = await bench.runtime(1);
  const bytes = await typedGuest();
  fresh = bench.task(bytes);
  reused = bench.task(bytes, { instancePolicy: 'reused' });
});
afterAll(() => bench.close());

/** A reused task that no other test shares an instance with. */
function own(name: string): TaskDefinition {
  return { ...reused, name };
}

async function count(task: TaskDefinition, forceNewInstance = false): Promise<string | undefined> {
  const { outcome } = await run(runtime, task, { functionName: 'count', forceNewInstance });
  return outcome.kind === 'completed' ? outcome.output : outcome.kind;
}

describe('typed functions', () => {
  it('are listed with their types, and as WIT text', async () => {
    const { functions, wit } = await runtime.prepare(fresh);
    expect(functions.map(({ name, result, reason }) => [name, result, reason])).toContainEqual([
      habit('refuse'),
      'result<u32, u32>',
      '',
    ]);
    expect(functions.map(({ name }) => name)).not.toContain('');
    expect(wit).toContain('long: func(length: u32) -> string');
  });

  it('take parameters and return a value as JSON', async () => {
    const task = await bench.example('typed/typed');
    const call = { functionName: 'spear:examples/calc@0.1.0#add', parameters: { a: 20, b: 22 } };
    expect((await run(runtime, task, call)).outcome).toMatchObject({ kind: 'completed', output: '42' });
  });

  it('may wait by the clock, in an instance that is used again', async () => {
    const task = await bench.example('sleeper/sleeper', { instancePolicy: 'reused' });
    const begun = performance.now();
    const call = { functionName: 'sleep', parameters: { ms: 20 } };
    const [one, other] = [await run(runtime, task, call), await run(runtime, task, call)];
    expect(performance.now() - begun).toBeGreaterThanOrEqual(40);
    expect([one.outcome, other.outcome]).toEqual([
      expect.objectContaining({ kind: 'completed' }),
      expect.objectContaining({ kind: 'completed' }),
    ]);
  });

  it('end as FUNCTION_ERROR with the value of the error side of their result', async () => {
    const { outcome } = await run(runtime, fresh, { functionName: habit('refuse') });
    expect(outcome).toMatchObject({ kind: 'failed', code: 'FUNCTION_ERROR', output: '9' });
  });

  it('end as TRAP with the memory used and its cap', async () => {
    const { outcome } = await run(runtime, fresh, { functionName: habit('boom') });
    expect(outcome).toMatchObject({ kind: 'failed', code: 'TRAP' });
    expect(outcome).toHaveProperty('message', expect.stringMatching(/memory used 65536 of 67108864 bytes/));
  });

  it('end as RESULT_TOO_LARGE beyond 3 MiB of JSON, and not just below', async () => {
    const most = 3 * 1024 * 1024;
    const fits = await run(runtime, fresh, { functionName: habit('long'), parameters: { length: most - 2 } });
    expect(fits.outcome).toMatchObject({ kind: 'completed', output: `"${'a'.repeat(most - 2)}"` });
    const beyond = await run(runtime, fresh, {
      functionName: habit('long'),
      parameters: { length: most - 1 },
    });
    expect(beyond.outcome).toMatchObject({ kind: 'failed', code: 'RESULT_TOO_LARGE' });
  });

  it.each([
    ['an unknown function', { functionName: 'nothing' }],
    ['a parameter of another type', { functionName: habit('long'), parameters: { length: 'x' } }],
    ['a command that the component has not', { functionName: '' }],
  ])('fail with a value, not a rejection, for %s', async (_what, invocation) => {
    const { outcome } = await run(runtime, fresh, invocation);
    expect(outcome).toMatchObject({ kind: 'failed' });
  });
});

describe('instances', () => {
  it('are new for each execution of a fresh task', async () => {
    expect([await count(fresh), await count(fresh)]).toEqual(['1', '1']);
  });

  it('live on between executions of a reused task, and are told apart by their id', async () => {
    const task = own('kept');
    const first = await run(runtime, task, { functionName: 'count' });
    const second = await run(runtime, task, { functionName: 'count' });
    expect(second.outcome).toMatchObject({ output: '2', instanceId: first.outcome.instanceId });
  });

  it('are not shared by two tasks of one artifact', async () => {
    expect([await count(own('one')), await count(own('other'))]).toEqual(['1', '1']);
  });

  it('are new where the call asks for it, and the live one goes on after', async () => {
    const task = own('forced');
    expect([await count(task), await count(task, true), await count(task)]).toEqual(['1', '1', '2']);
  });

  it.each(['boom', 'refuse'])('are not used again after %s', async (name) => {
    const task = own(`failed-${name}`);
    await count(task);
    expect((await run(runtime, task, { functionName: habit(name) })).outcome.kind).toBe('failed');
    expect(await count(task)).toBe('1');
  });
});

describe('many calls at once', () => {
  it('each run once in the live instance, in batches too', async () => {
    // A busy machine may take longer for a batch than one that computes is given, and its host would be replaced.
    const unhurried = await bench.runtime(1, 1, { clock: new HeldClock(batchTimeoutMs) });
    const task = own('many');
    const once = async () => {
      const { outcome } = await run(unhurried, task, { functionName: 'count' });
      return outcome.kind === 'completed' ? outcome.output : outcome.kind;
    };
    const rounds = [1, 200, 200];
    const outputs: number[] = [];
    for (const calls of rounds) {
      const values = await Promise.all(Array.from({ length: calls }, once));
      outputs.push(...values.map(Number));
    }
    expect(outputs.sort((a, b) => a - b)).toEqual(Array.from({ length: 401 }, (_, index) => index + 1));
  });

  it('do not wait for one that hangs, though they were sent to its thread with it', async () => {
    const two = await bench.runtime(2);
    const task = own('behind');
    // Quick calls come first: only those of a task that was quick so far are sent together.
    for (let round = 0; round < 20; round += 1) await run(two, task, { functionName: 'count' });
    const controller = new AbortController();
    const hung = two.run(
      attemptOf(task, { functionName: habit('hang') }),
      new Collected(),
      controller.signal,
    );
    const behind = await Promise.all(
      Array.from({ length: 50 }, () => run(two, task, { functionName: 'count' })),
    );
    expect(behind.map(({ outcome }) => outcome.kind)).toEqual(Array.from({ length: 50 }, () => 'completed'));
    controller.abort();
    expect(await hung).toMatchObject({ kind: 'stopped', rung: 'terminate' });
  });

  it('are stopped without ending the thread where they had not begun', async () => {
    const task = own('waiting');
    const hanging = new AbortController();
    const hung = runtime.run(
      attemptOf(task, { functionName: habit('hang') }),
      new Collected(),
      hanging.signal,
    );
    const waiting = new AbortController();
    const late = runtime.run(attemptOf(task, { functionName: 'count' }), new Collected(), waiting.signal);
    waiting.abort();
    expect(await late).toMatchObject({ kind: 'stopped', rung: 'cooperative' });
    hanging.abort();
    expect(await hung).toMatchObject({ kind: 'stopped' });
    expect(await count(task)).toBe('1');
  });

  const textOf = async (text: Uint8Array, encoding?: 'utf16') => {
    const task = bench.task(await textGuest(text, encoding));
    return (await run(runtime, task, { functionName: 'text' })).outcome;
  };

  it.each([
    ['UTF-8', Buffer.from('a\xff\xfe', 'latin1'), undefined],
    ['UTF-8, but for a half of a character', Buffer.from([0xed, 0xa0, 0x80]), undefined],
    ['UTF-16', Buffer.from('a\ud800b', 'utf16le'), 'utf16'],
  ] as const)('end as TRAP where a text that they return is not %s', async (_what, text, encoding) => {
    const outcome = await textOf(text, encoding);
    expect(outcome).toMatchObject({ kind: 'failed', code: 'TRAP' });
    expect(outcome).toHaveProperty('message', expect.stringContaining('not valid'));
  });

  it('return a text as it is, with a byte order mark at its beginning', async () => {
    const text = '\ufeffa\0\u{1f004}';
    const outcome = { kind: 'completed', output: JSON.stringify(text) };
    expect(await textOf(Buffer.from(text))).toMatchObject(outcome);
    expect(await textOf(Buffer.from(text, 'utf16le'), 'utf16')).toMatchObject(outcome);
  });

  it('may have types of an interface that is imported for them alone', async () => {
    const task = bench.task(await typesGuest());
    const call = { functionName: 'turn', parameters: { at: 'west', by: 2 } };
    expect((await run(runtime, task, call)).outcome).toMatchObject({ kind: 'completed', output: '"east"' });
    expect((await runtime.prepare(task)).functions).toMatchObject([{ name: 'turn', reason: '' }]);
  });
});
