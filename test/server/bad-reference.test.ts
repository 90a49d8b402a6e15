import { describe, expect, test } from 'vitest';
import { expectField, expectRefusal, refusedInvocation, withSturdyServer } from './bad-input.ts';
import { server } from './local.ts';
import { frame, rawCall } from './raw.ts';
import { refusal } from './refusal.ts';

withSturdyServer();

describe('an unknown', () => {
  test.each(['nobody', 'task_00000000000000000000000000', 'NOBODY', 'a b', 'ümlaut', '../../etc/passwd'])(
    'task %j is NOT_FOUND and named',
    async (task) => {
      const calls = [
        () => server.functions.invokeFunction({ task }),
        () => server.functions.streamFunction({ task }),
        () => server.tasks.getTask({ task }),
        () => server.tasks.deleteTask({ task }),
      ];
      for (const call of calls) {
        const refused = await refusal(call());
        expectRefusal(refused, 'NOT_FOUND');
        expect(refused).toMatchObject({ reason: 'TASK_NOT_FOUND', metadata: { task } });
        expect(refused.message).toContain(task);
      }
    },
  );

  test('function is NOT_FOUND, with a list of those there are', async () => {
    const refused = await refusedInvocation({ task: 'typed', functionName: 'subtract' });
    expectRefusal(refused, 'NOT_FOUND');
    expect(refused.reason).toBe('FUNCTION_NOT_FOUND');
    expect(refused.message).toContain('subtract');
    expect(refused.message).toContain('spear:examples/calc@0.1.0#add');
    expectRefusal(await refusedInvocation({ functionName: 'add' }), 'NOT_FOUND');
  });

  test('execution in a list of a task that never was is NOT_FOUND, in one of an id nothing', async () => {
    expectRefusal(await refusal(server.functions.listExecutions({ task: 'nobody' })), 'NOT_FOUND');
    const { executions } = await server.functions.listExecutions({ task: 'task_00000000000000000000000000' });
    expect(executions).toEqual([]);
  });

  test('method or service is UNIMPLEMENTED', async () => {
    for (const path of ['/spearlet.FunctionService/Nothing', '/spearlet.Nothing/InvokeFunction', '/x']) {
      const answer = await rawCall(server.grpcAddress, path, frame(new Uint8Array()));
      expect(answer.status).toBe('UNIMPLEMENTED');
    }
  });
});

describe('an id or a page', () => {
  test.each(['', 'nonsense', 'task_x', 'EXEC_x', `exec_${'x'.repeat(300)}`, 'exec_\0', '../exec_'])(
    'of the execution id %j is refused',
    async (executionId) => {
      const calls = [
        () => server.functions.getExecutionStatus({ executionId }),
        () => server.functions.waitExecution({ executionId }),
        () => server.functions.watchExecution({ executionId }),
        () => server.functions.cancelExecution({ executionId }),
      ];
      for (const call of calls) expectField(await refusal(call()), 'execution_id', /./);
    },
  );

  test('with a reason that is too long is refused', async () => {
    const refused = await refusal(
      server.functions.cancelExecution({ executionId: 'exec_x', reason: 'x'.repeat(1025) }),
    );
    expectField(refused, 'reason', /1024/);
  });

  test('of more than 1000 entries is refused', async () => {
    expectField(await refusal(server.functions.listExecutions({ pageSize: 1001 })), 'page_size', /1000/);
    expectField(await refusal(server.tasks.listTasks({ pageSize: 2 ** 32 - 1 })), 'page_size', /1000/);
  });

  test.each(['nonsense', '!!!', 'x'.repeat(2000), '\0', Buffer.from('executions').toString('base64')])(
    'after the token %j is refused',
    async (pageToken) => {
      expectField(await refusal(server.functions.listExecutions({ pageToken })), 'page_token', /token/);
      expectField(await refusal(server.tasks.listTasks({ pageToken })), 'page_token', /token/);
    },
  );

  test('after the token of another method is refused', async () => {
    for (let call = 0; call < 2; call++) await server.functions.invokeFunction({ task: 'count' });
    const { nextPageToken } = await server.functions.listExecutions({ pageSize: 1 });
    expect(nextPageToken).not.toBe('');
    expectField(await refusal(server.tasks.listTasks({ pageToken: nextPageToken })), 'page_token', /token/);
  });

  test('with an unknown status or an impossible time is refused', async () => {
    const status = await refusal(server.functions.listExecutions({ statuses: [3, 42 as number as never] }));
    expectField(status, 'statuses[1]', /42/);
    const unspecified = await refusal(server.functions.listExecutions({ statuses: [0] }));
    expectField(unspecified, 'statuses[0]', /0/);
    const time = await refusal(
      server.functions.listExecutions({ createdAfter: { seconds: 2n ** 63n - 1n } }),
    );
    expectField(time, 'created_after', /time/);
  });
});
