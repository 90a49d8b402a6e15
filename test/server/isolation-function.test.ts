import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ErrorCode, ErrorOrigin, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { InstancePolicy } from '../../src/server/gen/spearlet/task_pb.js';
import { expectWholeLog, outputOf } from './grammar.ts';
import { log, mebibyte, ping, server, text, withMeasuredServer } from './isolation.ts';

withMeasuredServer();

describe('a function that', () => {
  const invoke = async (name: string, path: string, request = {}, definition = {}) => {
    await server.register(name, path, definition);
    return (await server.functions.invokeFunction({ task: name, ...request })).result;
  };

  test('takes all memory ends at its limit, and says so', async () => {
    const limits = { memory: BigInt(32 * mebibyte) };
    const result = await invoke('hog', 'misbehaving/hog.wasm', {}, { limits });
    expect(result).toMatchObject({
      status: ExecutionStatus.FAILED,
      errorCode: ErrorCode.MEMORY_LIMIT,
      errorOrigin: ErrorOrigin.POLICY,
    });
    expect(result?.errorMessage).toMatch(/\d+ of \d+ bytes/);
    const got = Number(/got (\d+) MiB/.exec(text(result?.errorOutput))?.[1]);
    expect(got).toBeGreaterThan(20);
    expect(got).toBeLessThanOrEqual(32);
    await ping();
  });

  test('traps fails with TRAP and keeps its output', async () => {
    const result = await invoke('trap', 'misbehaving/trap.wasm');
    expect(result).toMatchObject({
      status: ExecutionStatus.FAILED,
      errorCode: ErrorCode.TRAP,
      errorOrigin: ErrorOrigin.USER,
      errorMessage: expect.stringContaining('unreachable'),
    });
    expect(result?.exitCode).toBeUndefined();
    expect(text(result?.output)).toBe('before the trap\n');
  });

  test('grows tables without end is refused each growth', async () => {
    const result = await invoke('tables', 'misbehaving/table-bomb.wasm');
    expect(result).toMatchObject({ status: ExecutionStatus.COMPLETED, exitCode: 0 });
    await ping();
  });

  test('overflows the stack fails with TRAP, and the next one has a whole stack', async () => {
    const result = await invoke('recurse', 'misbehaving/recurse.wasm');
    expect(result).toMatchObject({ status: ExecutionStatus.FAILED, errorCode: ErrorCode.TRAP });
    for (let call = 0; call < 8; call++) await ping();
  });

  test('exits with 7 fails with FUNCTION_EXIT and exit code 7, and with 255 and 0 accordingly', async () => {
    for (const code of [7, 255]) {
      const { result } = await server.functions.invokeFunction({ task: 'exit', args: [String(code)] });
      expect(result).toMatchObject({ exitCode: code, errorCode: ErrorCode.FUNCTION_EXIT });
    }
    const { result } = await server.functions.invokeFunction({ task: 'exit', args: ['0'] });
    expect(result).toMatchObject({ exitCode: 0, status: ExecutionStatus.COMPLETED });
  });

  test('traps in a reused instance leaves the next call a new one', async () => {
    await server.register('kept', 'typed/typed.wasm', { instancePolicy: InstancePolicy.REUSED });
    const crashed = await server.functions.invokeFunction({ task: 'kept', functionName: 'crash' });
    expect(crashed.result?.errorCode).toBe(ErrorCode.TRAP);
    const next = await server.functions.invokeFunction({
      task: 'kept',
      functionName: 'count',
      forceNewInstance: true,
    });
    expect(text(next.result?.output)).toBe('1');
    expect(next.instanceId).not.toBe(crashed.instanceId);
  });

  test('looks around sees its own arguments and environment and nothing of the host', async () => {
    const result = await invoke(
      'env',
      'misbehaving/env.wasm',
      { args: ['/etc/hostname', 'b'], environment: { B: '2', A: 'over' } },
      { args: ['a'], environment: { A: '1' } },
    );
    const lines = text(result?.output).split('\n');
    expect(lines.filter((entry) => /^(arg [1-9]|env )/.test(entry)).sort()).toEqual([
      'arg 1 a',
      'arg 2 /etc/hostname',
      'arg 3 b',
      'env A=over',
      'env B=2',
    ]);
    for (const path of ['/etc/passwd', '/data/hello.txt', '/etc/hostname']) {
      expect(lines.find((entry) => entry.startsWith(`open ${path}`))).toContain('errno');
    }
  });

  test('copies several MB of any bytes from stdin to stdout changes none of them', async () => {
    await server.register('cat', 'misbehaving/cat.wasm');
    const input = randomBytes(5 * mebibyte);
    const response = await server.functions.invokeFunction({ task: 'cat', input });
    expect(response.result).toMatchObject({
      status: ExecutionStatus.COMPLETED,
      outputBytes: BigInt(input.byteLength),
      outputTruncated: true,
    });
    expect(input.subarray(0, 3 * mebibyte).equals(response.result?.output ?? new Uint8Array())).toBe(true);
    const events = await log(response.executionId);
    expectWholeLog(events);
    expect(outputOf(events).equals(input)).toBe(true);
  });
});
