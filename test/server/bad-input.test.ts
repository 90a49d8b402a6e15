import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { resolveConfig } from '../../src/config.ts';
import type { InvokeFunctionRequestSchema } from '../../src/server/gen/spearlet/function_pb.js';
import { RuntimeKind, type TaskDefinitionSchema } from '../../src/server/gen/spearlet/task_pb.js';
import { example, type LocalServer, spawnServer, startServer, temporaryDataDir } from '../support/server.ts';
import { collect } from './collect.ts';
import { frame, rawCall } from './raw.ts';
import { type Refusal, refusal } from './refusal.ts';

type Invocation = MessageInitShape<typeof InvokeFunctionRequestSchema>;
type Definition = MessageInitShape<typeof TaskDefinitionSchema>;

let server: LocalServer;

beforeAll(async () => {
  server = await startServer();
  await server.register('count', 'wordcount/wordcount.wasm', {
    timeouts: { total: { seconds: 60n }, attempt: { seconds: 30n }, queue: { seconds: 20n } },
  });
  await server.register('typed', 'typed/typed.wasm');
});

afterAll(async () => {
  const { bugs } = server;
  await server.stop();
  expect(bugs).toEqual([]);
});

/** What every refusal has: a reason of ours, and nothing of our insides. */
function expectRefusal(refused: Refusal, code: string): void {
  expect(refused, refused.message).toMatchObject({
    code,
    domain: 'spear',
    reason: expect.stringMatching(/^[A-Z][A-Z_]+$/),
    message: expect.stringMatching(/./),
  });
  expect(refused.message).not.toMatch(/node_modules|\.ts\b|\n\s+at |\/tmp\/|\/work\//);
}

/** INVALID_ARGUMENT for that field, saying what was wrong or is allowed. */
function expectField(refused: Refusal, field: string, says: RegExp | string): void {
  expectRefusal(refused, 'INVALID_ARGUMENT');
  expect(Object.keys(refused.fields)).toEqual([field]);
  const description = refused.fields[field] ?? '';
  if (typeof says === 'string') expect(description).toContain(says);
  else expect(description).toMatch(says);
  expect(refused.message).toContain(field);
}

async function refusedInvocation(request: Invocation): Promise<Refusal> {
  const refused = await refusal(server.functions.invokeFunction({ task: 'count', ...request } as Invocation));
  const streamed = await refusal(
    server.functions.streamFunction({ task: 'count', ...request } as Invocation),
  );
  expect(streamed).toEqual(refused);
  return refused;
}

async function refusedTask(definition: Definition, content?: Uint8Array): Promise<Refusal> {
  const value = content ?? (await example('misbehaving/cat.wasm'));
  return refusal(
    server.tasks.registerTask({
      definition: {
        name: 'bad',
        runtime: RuntimeKind.WASM,
        artifact: { source: { case: 'content', value } },
        ...definition,
      } as Definition,
    }),
  );
}

const text = (value: string) => ({ kind: { case: 'stringValue' as const, value } });
const number = (value: number) => ({ kind: { case: 'numberValue' as const, value } });

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

describe('a typed call', () => {
  const call = (functionName: string, parameters: Invocation['parameters']) =>
    refusedInvocation({ task: 'typed', functionName, parameters: parameters ?? {} });

  test.each([
    ['a text for a number', 'add', { a: text('1'), b: number(2) }, 'parameters.a', /s32|-2147483648/],
    ['a fraction for a whole number', 'add', { a: number(1.5), b: number(2) }, 'parameters.a', /1\.5/],
    ['a number beyond the type', 'add', { a: number(1), b: number(2 ** 31) }, 'parameters.b', /2147483647/],
    ['a negative number for an unsigned one', 'half', { n: number(-1) }, 'parameters.n', /0/],
    ['a number for a text', 'greet', { name: number(1) }, 'parameters.name', /string/],
    ['two characters for one', 'shout', { c: text('ab') }, 'parameters.c', /one|scalar|character/],
    [
      'an unknown case of an enum',
      'next-color',
      { 'current-color': text('pink') },
      'parameters.current-color',
      /red/,
    ],
  ])('refuses %s', async (_name, functionName, parameters, field, says) => {
    expectField(await call(functionName, parameters), field, says);
  });

  test('refuses a missing parameter and one too many', async () => {
    expectField(await call('add', { a: number(1) }), 'parameters.b', 's32');
    expectField(await call('add', { a: number(1), b: number(1), c: number(1) }), 'parameters.c', /a, b/);
    const count = await refusedInvocation({ parameters: { a: number(1) } });
    expectField(count, 'parameters.a', /args|input/);
  });

  test('names the place inside a value that is wrong', async () => {
    const struct = (fields: Record<string, ReturnType<typeof number> | ReturnType<typeof text>>) => ({
      kind: { case: 'structValue' as const, value: { fields } },
    });
    const by = { kind: { case: 'listValue' as const, value: { values: [number(1), number(2)] } } };
    expectField(
      await call('translate', { p: struct({ x: number(1), y: text('?') }), by }),
      'parameters.p.y',
      /number/,
    );
    expectField(await call('translate', { p: struct({ x: number(1) }), by }), 'parameters.p.y', /missing/);
    const unknown = await call('translate', { p: struct({ x: number(1), y: number(1), z: number(1) }), by });
    expectRefusal(unknown, 'INVALID_ARGUMENT');
    expect(unknown.message).toContain('z');
    const long = {
      kind: { case: 'listValue' as const, value: { values: [number(1), number(2), number(3)] } },
    };
    expectField(
      await call('translate', { p: struct({ x: number(1), y: number(1) }), by: long }),
      'parameters.by',
      /2/,
    );
  });

  test('refuses a bare name that two exports have, and lists them', async () => {
    const refused = await call('origin', {});
    expectField(refused, 'function_name', 'spear:examples/trouble@0.1.0#origin');
    expect(refused.message).toContain('spear:examples/calc@0.1.0#origin');
  });

  test('refuses a component without a default entry where no function is named', async () => {
    expectField(await call('', {}), 'function_name', 'ping');
  });

  test('refuses a value that is nested too deeply, has no kind, or is not finite', async () => {
    let deep: Invocation['parameters'] = { v: number(1) };
    for (let level = 0; level < 90; level++) {
      deep = { v: { kind: { case: 'listValue', value: { values: Object.values(deep ?? {}) } } } } as never;
    }
    expectRefusal(await call('sum', deep), 'INVALID_ARGUMENT');
    expectField(await call('sum', { values: {} }), 'parameters.values', /value/);
    expectField(await call('half', { n: number(Number.NaN) }), 'parameters.n', /NaN/);
    expectField(await call('half', { n: number(Number.POSITIVE_INFINITY) }), 'parameters.n', /Infinity/);
  });
});

describe('a text of a request', () => {
  const nul = 'a\0b';

  test.each<[string, Invocation, string, RegExp]>([
    ['an empty task', { task: '' }, 'task', /required/],
    ['a long task', { task: 'x'.repeat(257) }, 'task', /256/],
    ['a task with NUL', { task: nul }, 'task', /NUL/],
    ['a long function name', { functionName: 'x'.repeat(513) }, 'function_name', /512/],
    ['a function name with NUL', { functionName: nul }, 'function_name', /NUL/],
    ['a long content type', { contentType: 'x'.repeat(257) }, 'content_type', /256/],
    ['a content type with NUL', { contentType: nul }, 'content_type', /NUL/],
    ['a long invocation id', { invocationId: 'x'.repeat(257) }, 'invocation_id', /256/],
    ['an invocation id too long in UTF-8', { invocationId: 'é'.repeat(129) }, 'invocation_id', /256/],
    ['an invocation id with NUL', { invocationId: nul }, 'invocation_id', /NUL/],
    ['an argument with NUL', { args: ['fine', nul] }, 'args[1]', /NUL/],
    ['an argument too long', { args: ['x'.repeat(65_537)] }, 'args[0]', /65536/],
    ['arguments too long together', { args: Array(3).fill('x'.repeat(30_000)) }, 'args', /65536/],
    ['too many arguments', { args: Array(1025).fill('x') }, 'args', /1024/],
    ['a variable with NUL', { environment: { A: nul } }, 'environment.A', /NUL/],
    ['a variable without a name', { environment: { '': 'x' } }, 'environment.""', /name/],
    ['a variable whose name has =', { environment: { 'A=B': 'x' } }, 'environment."A=B"', /=/],
    ['a variable too long', { environment: { A: 'x'.repeat(65_537) } }, 'environment.A', /65536/],
    [
      'too many variables',
      { environment: Object.fromEntries(Array.from({ length: 1025 }, (_, i) => [`V${i}`, 'x'])) },
      'environment',
      /1024/,
    ],
    ['metadata with NUL', { metadata: { a: nul } }, 'metadata."a"', /NUL/],
    ['metadata over 8 KiB', { metadata: { a: 'x'.repeat(8192) } }, 'metadata', /8192/],
    [
      'metadata of more than 64 entries',
      { metadata: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, ''])) },
      'metadata',
      /64/,
    ],
    [
      'more inline bytes than a response carries',
      { maxInlineBytes: 3 * 1024 * 1024 + 1 },
      'max_inline_bytes',
      /3145728/,
    ],
  ])('is refused: %s', async (_name, request, field, says) => {
    expectField(await refusedInvocation(request), field, says);
  });

  test('at its limit is taken', async () => {
    const response = await server.functions.invokeFunction({
      task: 'count',
      invocationId: 'é'.repeat(128),
      contentType: 'x'.repeat(256),
      metadata: Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`k${i}`, 'x'.repeat(100)])),
      maxInlineBytes: 3 * 1024 * 1024,
    });
    expect(response.success).toBe(true);
    expect(Object.keys(response.result?.metadata ?? {})).toHaveLength(64);
  });

  test('comes back as it was, with odd characters in it', async () => {
    const odd = '"; DROP TABLE executions; -- \u202e\u{1f680}\n\t\u0001%00%s$(x)';
    const request = { task: 'count', invocationId: odd, metadata: { [odd]: odd }, contentType: odd };
    const { result, executionId } = await server.functions.invokeFunction(request);
    expect(result).toMatchObject({ requestId: odd, metadata: { [odd]: odd } });
    const again = await server.functions.invokeFunction(request);
    expect(again).toMatchObject({ joined: true, executionId });
  });

  test('named __proto__ is an entry like any other', async () => {
    const entries = JSON.parse('{"__proto__": "a", "constructor": "b", "toString": "c"}') as Record<
      string,
      string
    >;
    const answer = await fetch(`http://${server.httpAddress}/api/FunctionService/InvokeFunction`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ task: 'count', metadata: entries }),
    });
    const { result } = JSON.parse(await answer.text()) as { result: { metadata: object } };
    expect(Object.entries(result.metadata).sort()).toEqual(Object.entries(entries).sort());
  });
});

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
    const shorter = { total: { seconds: 60n }, attempt: { seconds: 1n }, queue: { nanos: 1_000_000 } };
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

describe('an artifact', () => {
  const field = 'definition.artifact.content';

  test('that is not wasm is refused', async () => {
    expectField(await refusedTask({}, Buffer.from('#!/bin/sh\necho hello\n')), field, /wasm|WebAssembly/i);
    expectField(await refusedTask({}, Buffer.from('\0asm')), field, /./);
  });

  test('that is empty is refused', async () => {
    expectField(await refusedTask({}, new Uint8Array()), field, /./);
  });

  test.each(['typed/typed.wasm', 'misbehaving/cat.wasm'])('that is %s cut short is refused', async (path) => {
    const whole = await example(path);
    for (const length of [8, Math.floor(whole.byteLength / 2), whole.byteLength - 1]) {
      expectField(await refusedTask({}, whole.subarray(0, length)), field, /./);
    }
  });

  test('that is missing is refused', async () => {
    for (const artifact of [undefined, {}, { sha256: 'a'.repeat(64) }]) {
      const refused = await refusal(
        server.tasks.registerTask({
          definition: { name: 'bad', runtime: RuntimeKind.WASM, ...(artifact && { artifact }) },
        }),
      );
      expectField(refused, 'definition.artifact', 'content');
    }
  });

  test('that imports what is not offered is refused, naming the import', async () => {
    expectField(await refusedTask({}, importing('env', 'launch_missiles')), field, /launch_missiles/);
    expectField(await refusedTask({}, importing('env', 'launch_missiles')), field, /wasi_snapshot_preview1/);
  });

  test('that has nothing to call is refused', async () => {
    const empty = Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    expectField(await refusedTask({}, empty), field, /nothing to call/);
  });

  test('that is not what its digest says is refused, and so is a digest that is none', async () => {
    const value = await example('misbehaving/cat.wasm');
    const source = { case: 'content' as const, value };
    expectField(
      await refusedTask({ artifact: { source, sha256: 'a'.repeat(64) } }),
      'definition.artifact.sha256',
      /[0-9a-f]{64}/,
    );
    for (const sha256 of ['abc', 'A'.repeat(64), 'g'.repeat(64)]) {
      expectField(await refusedTask({ artifact: { source, sha256 } }), 'definition.artifact.sha256', /64/);
    }
  });

  test('of another runtime is refused', async () => {
    for (const source of [
      { case: 'path' as const, value: '/bin/true' },
      { case: 'image' as const, value: 'busybox' },
    ]) {
      expectField(await refusedTask({ artifact: { source } }), 'definition.artifact', 'content');
    }
  });

  test('that needs more memory than its limit is refused', async () => {
    expectField(await refusedTask({ limits: { memory: 65_536n } }), 'definition.limits.memory', /65536/);
  });

  test('that was refused leaves no task behind', async () => {
    expectRefusal(await refusal(server.tasks.getTask({ task: 'bad' })), 'NOT_FOUND');
  });
});

describe('a definition', () => {
  test.each(['', 'A', '-a', '.a', 'a b', 'a/b', 'ä', 'a\n', 'a\0', 'task_x', 'exec_x', 'x'.repeat(64)])(
    'named %j is refused',
    async (name) => {
      expectField(await refusedTask({ name }), 'definition.name', /\[a-z0-9\]|task_/);
    },
  );

  test.each<[string, Definition, string, RegExp]>([
    ['no runtime', { runtime: RuntimeKind.UNSPECIFIED }, 'definition.runtime', /WASM/],
    ['an unknown runtime', { runtime: 77 as number as RuntimeKind }, 'definition.runtime', /77/],
    ['an unknown policy', { instancePolicy: 9 as number as never }, 'definition.instance_policy', /REUSED/],
    ['reuse of a command', { instancePolicy: 2 }, 'definition.instance_policy', /typed/],
    ['a description too long', { description: 'x'.repeat(1025) }, 'definition.description', /1024/],
    ['a description with NUL', { description: '\0' }, 'definition.description', /NUL/],
    ['too little memory', { limits: { memory: 0n } }, 'definition.limits.memory', /65536/],
    ['too much memory', { limits: { memory: 2n ** 40n } }, 'definition.limits.memory', /4294967296/],
    [
      'too much output',
      { limits: { maxOutputBytes: 2n ** 63n } },
      'definition.limits.max_output_bytes',
      /allowed/,
    ],
    [
      'no output events',
      { limits: { maxOutputEvents: 0n } },
      'definition.limits.max_output_events',
      /allowed/,
    ],
    ['no attempts', { retry: { maxAttempts: 0 } }, 'definition.retry.max_attempts', /1000/],
    ['too many attempts', { retry: { maxAttempts: 1001 } }, 'definition.retry.max_attempts', /1000/],
    ['a factor below 1', { retry: { factor: 0.5 } }, 'definition.retry.factor', /100/],
    ['a factor that is no number', { retry: { factor: Number.NaN } }, 'definition.retry.factor', /100/],
    ['jitter above 1', { retry: { jitter: 1.5 } }, 'definition.retry.jitter', /0 to 1/],
    ['an unknown code', { retry: { on: [1, 999 as number as never] } }, 'definition.retry.on[1]', /999/],
    ['no code', { retry: { on: [0] } }, 'definition.retry.on[0]', /code/],
    ['a relative guest path', { preopens: { data: '/tmp' } }, 'definition.preopens."data"', /absolute/],
    ['a relative host path', { preopens: { '/data': 'tmp' } }, 'definition.preopens."/data"', /absolute/],
    ['an argument with NUL', { args: ['\0'] }, 'definition.args[0]', /NUL/],
    ['too many arguments', { args: Array(1025).fill('') }, 'definition.args', /1024/],
    ['a variable with NUL', { environment: { A: '\0' } }, 'definition.environment.A', /NUL/],
  ])('with %s is refused', async (_name, definition, field, says) => {
    expectField(await refusedTask(definition), field, says);
  });

  test('is required', async () => {
    expectField(await refusal(server.tasks.registerTask({})), 'definition', /required/);
  });

  test.each([
    [RuntimeKind.PROCESS, 'process', { case: 'path' as const, value: '/bin/true' }],
    [RuntimeKind.DOCKER, 'docker', { case: 'image' as const, value: 'busybox' }],
  ])('for a runtime that this node lacks (%i) is UNAVAILABLE', async (runtime, name, source) => {
    const refused = await refusal(
      server.tasks.registerTask({ definition: { name: 'bad', runtime, artifact: { source } } }),
    );
    expectRefusal(refused, 'UNAVAILABLE');
    expect(refused.reason).toBe('RUNTIME_UNAVAILABLE');
    expect(refused.message).toContain(name);
  });

  test.runIf(process.getuid?.() === 0)(
    'with folders of the host is FAILED_PRECONDITION on a node that runs as root',
    async () => {
      const refused = await refusedTask({ preopens: { '/data': '/tmp' } });
      expectRefusal(refused, 'FAILED_PRECONDITION');
      expect(refused.reason).toBe('HOST_ACCESS_NOT_ALLOWED');
      expect(refused.message).toContain('--allow-host-access');
      expect(refused.fields).toHaveProperty(['definition.preopens']);
    },
  );
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

describe('a request that is too large or no message', () => {
  test('over 8 MiB is RESOURCE_EXHAUSTED, and the connection goes on', async () => {
    const refused = await refusal(
      server.functions.invokeFunction({ task: 'count', input: new Uint8Array(8 * 1024 * 1024 + 1) }),
    );
    expectRefusal(refused, 'RESOURCE_EXHAUSTED');
    expect(refused).toMatchObject({ reason: 'REQUEST_TOO_LARGE', quota: 'max-request-bytes' });
    expect(refused.message).toContain(String(8 * 1024 * 1024));
    // grpc-js does not read this much, and has no details to give.
    const huge = await refusal(
      server.functions.invokeFunction({ task: 'count', input: new Uint8Array(17 * 1024 * 1024) }),
    );
    expect(huge.code).toBe('RESOURCE_EXHAUSTED');
    const fits = new Uint8Array(8 * 1024 * 1024 - 100);
    const { result } = await server.functions.invokeFunction({ task: 'count', input: fits });
    expect(Buffer.from(result?.output ?? []).toString()).toBe(`0 1 ${fits.byteLength}\n`);
  });

  test('that is no protobuf is INVALID_ARGUMENT', async () => {
    for (const method of ['InvokeFunction', 'StreamFunction', 'WatchExecution', 'ListExecutions']) {
      const answer = await rawCall(
        server.grpcAddress,
        `/spearlet.FunctionService/${method}`,
        frame(Buffer.from([0x0a, 0xff, 0x01])),
      );
      expect(answer).toMatchObject({ status: 'INVALID_ARGUMENT', reason: 'INVALID_FIELD' });
      expect(answer.message).toContain('request');
    }
  });

  test('with a text that is not UTF-8 is INVALID_ARGUMENT', async () => {
    const answer = await rawCall(
      server.grpcAddress,
      '/spearlet.TaskService/GetTask',
      frame(Buffer.from([0x0a, 0x02, 0xc3, 0x28])),
    );
    expect(answer).toMatchObject({ status: 'INVALID_ARGUMENT', reason: 'INVALID_FIELD' });
  });
});

describe('a server', () => {
  async function startError(flags: Parameters<typeof startServer>[0]): Promise<string> {
    return startServer(flags).then(
      async (started) => {
        await started.stop();
        throw new Error('the server started');
      },
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
  }

  test('does not start on a port in use, says which, and lets go of its folder', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void taken.close());
    const bound = taken.address();
    const address = `127.0.0.1:${bound !== null && typeof bound === 'object' ? bound.port : 0}`;
    const dataDir = await temporaryDataDir();
    expect(await startError({ grpcAddress: address, dataDir })).toContain(address);
    expect(await startError({ httpAddress: address, dataDir })).toContain(address);
    await (await startServer({ dataDir })).stop();
  });

  test('does not start on the data folder of another server, and says so', async () => {
    const { dataDir } = server;
    const message = await startErrorOfChild(dataDir);
    expect(message).toContain(dataDir);
    expect(message).toContain('in use by another server');
    expect(await server.functions.invokeFunction({ task: 'count' })).toMatchObject({ success: true });
  });

  test('does not start where the data folder cannot be one, and says so', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'spear-bad-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, 'file');
    await writeFile(file, '');
    for (const dataDir of [file, join(file, 'below'), '/sys/spear', '/proc/spear']) {
      const message = await startError({ dataDir });
      expect(message).toContain(dataDir);
      expect(message).toMatch(/cannot be made or written/);
    }
  });

  async function startErrorOfChild(dataDir: string): Promise<string> {
    return spawnServer(dataDir).then(
      async (started) => {
        await started.end('SIGKILL');
        throw new Error('the server started');
      },
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
  }

  test.each([
    ['grpcAddress', '0.0.0.0:50051', /--grpc-address.*--insecure-listen/],
    ['httpAddress', 'example.com:80', /--http-address.*--insecure-listen/],
    ['grpcAddress', 'nonsense', /--grpc-address.*HOST:PORT/],
    ['grpcAddress', '127.0.0.1:70000', /--grpc-address/],
    ['slots', '0', /--slots/],
    ['slots', 'many', /--slots.*many/],
    ['queueLimit', '-1', /--queue-limit/],
    ['maxRequestBytes', String(128 * 1024 * 1024 + 1), /--max-request-bytes.*134217728/],
    ['logLevel', 'loud', /--log-level.*loud/],
  ] as const)('refuses the option %s = %s and names it', (name, value, says) => {
    expect(() => resolveConfig({ [name]: value }, {})).toThrow(says);
  });
});

test('after all of this the server is as it was', async () => {
  const events = await collect(server.functions.streamFunction({ task: 'count', input: Buffer.from('a\n') }));
  expect(events.at(-1)?.event.value).toMatchObject({ state: 'completed' });
  const { tasks } = await server.tasks.listTasks({});
  expect(tasks.map((task) => task.definition?.name)).toEqual(['count', 'typed']);
});

/** A core module that exports `_start` and imports one function of that name. */
function importing(module: string, name: string): Buffer {
  const word = (value: string) => [value.length, ...Buffer.from(value)];
  const section = (id: number, content: readonly number[]) => [id, content.length, ...content];
  return Buffer.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 0, 0]),
    ...section(2, [1, ...word(module), ...word(name), 0, 0]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...word('_start'), 0, 1]),
    ...section(10, [1, 2, 0, 0x0b]),
  ]);
}
