import { describe, expect, test } from 'vitest';
import { expectField, refusedInvocation, refusedTask, withSturdyServer } from './bad-input.ts';
import { server } from './local.ts';
import { refusal } from './refusal.ts';

withSturdyServer();

describe('a duration', () => {
  const bad = [
    ['negative', { seconds: -1n }],
    ['a little negative', { nanos: -1 }],
    ['zero', { seconds: 0n }],
    ['above 366 days', { seconds: 366n * 86_400n + 1n }],
    ['at the end of int64', { seconds: 2n ** 63n - 1n }],
    ['at the start of int64', { seconds: -(2n ** 63n) }],
    ['with nanoseconds that are more than a second', { seconds: 1n, nanos: 1_000_000_000 }],
  ] as const;

  test.each(bad)('that is %s is refused wherever one is taken', async (_name, duration) => {
    for (const name of ['queue', 'attempt', 'total'] as const) {
      const invoked = await refusedInvocation({ timeouts: { [name]: duration } });
      expectField(invoked, `timeouts.${name}`, /366 days/);
      const registered = await refusedTask({ timeouts: { [name]: duration } });
      expectField(registered, `definition.timeouts.${name}`, /366 days/);
    }
    expectField(await refusedTask({ grace: duration }), 'definition.grace', /366 days/);
    const budget = await refusal(server.functions.invokeFunction({ task: 'count', waitBudget: duration }));
    expectField(budget, 'wait_budget', /366 days/);
    const wait = await refusal(
      server.functions.waitExecution({ executionId: 'exec_x', waitBudget: duration }),
    );
    expectField(wait, 'wait_budget', /366 days/);
  });

  test.each(bad.filter(([name]) => name !== 'zero'))(
    'that is %s is refused for a delay too',
    async (_name, duration) => {
      expectField(await refusedInvocation({ startAfter: duration }), 'start_after', /366 days/);
      expectField(
        await refusedTask({ retry: { initial: duration } }),
        'definition.retry.initial',
        /366 days/,
      );
      expectField(await refusedTask({ retry: { max: duration } }), 'definition.retry.max', /366 days/);
    },
  );

  test('of less than a millisecond is not zero', async () => {
    const response = await server.functions.invokeFunction({ task: 'count', waitBudget: { nanos: 100_000 } });
    expect(response.executionId).toMatch(/^exec_/);
  });

  test("of a request may only shorten the task's", async () => {
    for (const [name, seconds] of [
      ['total', 61n],
      ['attempt', 31n],
      ['queue', 21n],
    ] as const) {
      const refused = await refusedInvocation({ timeouts: { [name]: { seconds } } });
      expectField(refused, `timeouts.${name}`, /shorten/);
    }
    // Long enough for a busy machine.
    const shorter = { total: { seconds: 60n }, attempt: { seconds: 29n }, queue: { seconds: 19n } };
    expect(await server.functions.invokeFunction({ task: 'count', timeouts: shorter })).toMatchObject({
      success: true,
    });
  });

  test('of a request may not outlast the five minutes of a task that says nothing', async () => {
    const refused = await refusedInvocation({
      task: 'typed',
      functionName: 'ping',
      timeouts: { total: { seconds: 301n } },
    });
    expectField(refused, 'timeouts.total', /300000/);
  });
});
