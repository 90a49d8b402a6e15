/** What follows others, over the wire of a real node. */
import { describe, expect, test } from 'vitest';
import {
  DependencyCondition,
  DependencyPolicy,
  DryRunVerdict,
  ErrorCode,
  ErrorOrigin,
  ExecutionMode,
  ExecutionStatus,
  type InvokeFunctionRequest,
} from '../../src/server/gen/spearlet/function_pb.js';
import { server, withServer } from './local.ts';
import { refusal } from './refusal.ts';

withServer({ slots: '4' }, async () => {
  await server.register('cat', 'misbehaving/cat.wasm');
  await server.register('count', 'wordcount/wordcount.wasm');
  await server.register('exit', 'misbehaving/exit.wasm');
  await server.register('loop', 'misbehaving/loop.wasm');
  await server.register('typed', 'typed/typed.wasm');
});

type Request = Partial<Omit<InvokeFunctionRequest, 'dependsOn' | '$typeName'>> & {
  readonly dependsOn?: Parameters<typeof server.functions.invokeFunction>[0]['dependsOn'];
};

async function begin(request: Request): Promise<string> {
  const executionMode = ExecutionMode.ASYNC;
  const { $unknown: _, ...rest } = request as InvokeFunctionRequest;
  const { executionId } = await server.functions.invokeFunction({ ...rest, executionMode });
  return executionId;
}

const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);
const input = (words: string) => new TextEncoder().encode(words);

async function outcome(executionId: string) {
  return (await server.functions.waitExecution({ executionId })).result;
}

describe('an execution that follows another', () => {
  test('is blocked until that ends, says so, and each names the other', async () => {
    const first = await begin({ task: 'loop' });
    const second = await begin({
      task: 'cat',
      dependsOn: [{ executionId: first, condition: DependencyCondition.ENDED }],
    });
    const status = await server.functions.getExecutionStatus({ executionId: second });
    expect(status.result).toMatchObject({
      status: ExecutionStatus.PENDING,
      state: 'pending.blocked',
      allowedEvents: ['cancel', 'suspend'],
      dependsOn: [
        {
          executionId: first,
          condition: DependencyCondition.ENDED,
          onFailure: DependencyPolicy.FAIL,
          asInput: false,
        },
      ],
    });
    expect(status.dependencies).toMatchObject([{ executionId: first, taskName: 'loop' }]);
    const other = await server.functions.getExecutionStatus({ executionId: first });
    expect(other.dependants).toMatchObject([{ executionId: second, state: 'pending.blocked' }]);
    const { summary } = await server.nodes.explainExecution({ executionId: second });
    expect(summary).toContain(`It waits for ${first}, which has to end`);
    await server.functions.cancelExecution({ executionId: first });
    expect((await outcome(second))?.status).toBe(ExecutionStatus.COMPLETED);
  });

  test('fails with DEPENDENCY_FAILED, which names it and its end', async () => {
    const first = await begin({ task: 'exit', args: ['3'] });
    const result = await outcome(await begin({ task: 'cat', dependsOn: [{ executionId: first }] }));
    expect(result).toMatchObject({
      status: ExecutionStatus.FAILED,
      errorCode: ErrorCode.DEPENDENCY_FAILED,
      errorOrigin: ErrorOrigin.POLICY,
      attempt: 0,
    });
    expect(result?.errorMessage).toContain(`${first} to complete, which ended failed with FUNCTION_EXIT`);
    const anyway = [{ executionId: first, onFailure: DependencyPolicy.RUN_ANYWAY, asInput: true }];
    const ran = await outcome(await begin({ task: 'cat', dependsOn: anyway }));
    expect({ status: ran?.status, output: text(ran?.output) }).toEqual({
      status: ExecutionStatus.COMPLETED,
      output: '',
    });
  });

  test('is given the output of that as its input, or as a parameter', async () => {
    const first = await begin({ task: 'cat', input: input('two words') });
    const counted = await outcome(
      await begin({ task: 'count', dependsOn: [{ executionId: first, asInput: true }] }),
    );
    expect(text(counted?.output)).toContain('2');
    const add = { task: 'typed', functionName: 'add' };
    const sum = await begin({ ...add, parameters: numbers({ a: 1, b: 2 }) });
    const more = await outcome(
      await begin({
        ...add,
        parameters: numbers({ a: 10 }),
        dependsOn: [{ executionId: sum, asParameter: 'b' }],
      }),
    );
    expect(text(more?.output)).toBe('13');
    const wrong = await outcome(
      await begin({
        ...add,
        parameters: numbers({ a: 10 }),
        dependsOn: [{ executionId: first, asParameter: 'b' }],
      }),
    );
    expect(wrong).toMatchObject({ errorCode: ErrorCode.DEPENDENCY_FAILED, attempt: 1 });
    expect(wrong?.errorMessage).toContain('parameters.b');
  });

  test('can be tried without being run', async () => {
    const first = await begin({ task: 'loop' });
    const { dryRun } = await server.functions.invokeFunction({
      task: 'cat',
      dependsOn: [{ executionId: first }],
      dryRun: true,
    });
    expect(dryRun).toMatchObject({
      verdict: DryRunVerdict.WAIT,
      summary: `It would wait for ${first}, which it depends on.`,
    });
    await server.functions.cancelExecution({ executionId: first });
  });

  test('is not carried away by a snapshot, and keeps what it follows from being deleted', async () => {
    const first = await begin({ task: 'cat' });
    await outcome(first);
    const loop = await begin({ task: 'loop' });
    const second = await begin({ task: 'cat', dependsOn: [{ executionId: first }, { executionId: loop }] });
    const taking = async () => {
      for await (const _ of server.snapshots.snapshotExecution({ executionId: second })) break;
    };
    expect(await refusal(taking())).toMatchObject({
      reason: 'STATE_NOT_ALLOWED',
      message: expect.stringContaining('waits for executions of this node'),
    });
    expect(await refusal(server.functions.deleteExecution({ executionId: first }))).toMatchObject({
      reason: 'STATE_NOT_ALLOWED',
      message: expect.stringContaining(second),
    });
    await server.functions.cancelExecution({ executionId: loop });
    await outcome(second);
    await server.functions.deleteExecution({ executionId: first });
    const { dependencies } = await server.functions.getExecutionStatus({ executionId: second });
    expect(dependencies).toMatchObject([{ executionId: first, state: '' }, { executionId: loop }]);
  });
});

describe('what cannot be followed is refused, naming the field', () => {
  test.each([
    [[{ executionId: 'exec_0' }], 'depends_on[0].execution_id: there is no execution "exec_0"'],
    [[{}], 'depends_on[0].execution_id: is required'],
    [[{ executionId: 'job' }], 'depends_on[0].execution_id: "job" is not an execution id'],
    [[{ name: 'first' }], 'depends_on[0].name: is for the members of a batch'],
    [[{ name: 'first', executionId: 'exec_1' }], 'depends_on[0]: has an execution_id and a name'],
    [[{ executionId: 'exec_1' }, { executionId: 'exec_1' }], 'depends_on[1]: is the same as depends_on[0]'],
    [
      [{ executionId: 'exec_1', asInput: true, asParameter: 'a' }],
      'depends_on[0].as_parameter: stands beside as_input',
    ],
    [
      [{ executionId: 'exec_1', condition: 7 as DependencyCondition }],
      'depends_on[0].condition: 7 is not known',
    ],
    [
      [{ executionId: 'exec_1', onFailure: 7 as DependencyPolicy }],
      'depends_on[0].on_failure: 7 is not known',
    ],
    [[{ executionId: 'exec_1', asParameter: 'a' }], 'parameters.a: the default entry takes no parameters'],
  ])('%j', async (dependsOn, message) => {
    const refused = await refusal(server.functions.invokeFunction({ task: 'cat', dependsOn }));
    expect(refused.message).toContain(message);
  });

  test('an output that goes where something else goes', async () => {
    const dependsOn = [{ executionId: 'exec_1', asInput: true }];
    const both = server.functions.invokeFunction({ task: 'cat', input: input('x'), dependsOn });
    expect((await refusal(both)).message).toContain('depends_on[0].as_input: goes where the input');
    const typed = { task: 'typed', functionName: 'add', parameters: numbers({ a: 1, b: 2 }) };
    const twice = server.functions.invokeFunction({
      ...typed,
      dependsOn: [{ executionId: 'exec_1', asParameter: 'b' }],
    });
    expect((await refusal(twice)).message).toContain('depends_on[0].as_parameter: goes where parameters.b');
    const unknown = server.functions.invokeFunction({
      ...typed,
      dependsOn: [{ executionId: 'exec_1', asParameter: 'c' }],
    });
    expect((await refusal(unknown)).message).toContain('parameters.c');
  });
});

function numbers(values: Readonly<Record<string, number>>) {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      { $typeName: 'google.protobuf.Value' as const, kind: { case: 'numberValue' as const, value } },
    ]),
  );
}
