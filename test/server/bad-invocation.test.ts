import { describe, expect, test } from 'vitest';
import {
  expectField,
  expectRefusal,
  type Invocation,
  refusedInvocation,
  withSturdyServer,
} from './bad-input.ts';
import { server } from './local.ts';

withSturdyServer();

const text = (value: string) => ({ kind: { case: 'stringValue' as const, value } });
const number = (value: number) => ({ kind: { case: 'numberValue' as const, value } });

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
