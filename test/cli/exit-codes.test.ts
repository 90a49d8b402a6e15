import { create } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exitCodeHelp, exitCodeOf } from '../../src/cli/exit-codes.ts';
import {
  ErrorCode,
  ExecutionMode,
  ExecutionResultSchema,
  ExecutionStatus,
} from '../../src/server/gen/spearlet/function_pb.js';
import { type LocalServer, startServer } from '../support/server.ts';
import { errorLine, run } from './spear.ts';

let server: LocalServer;

beforeAll(async () => {
  server = await startServer({ slots: '4' });
  await Promise.all([
    server.register('wordcount', 'wordcount/wordcount.wasm'),
    server.register('exit', 'misbehaving/exit.wasm'),
    server.register('loop', 'misbehaving/loop.wasm'),
    server.register('trap', 'misbehaving/trap.wasm'),
    server.register('hog', 'misbehaving/hog.wasm', { limits: { memory: 16n * 1024n * 1024n } }),
    server.register('flood', 'misbehaving/flood.wasm', { limits: { maxOutputBytes: 1000n } }),
    server.register('calc', 'typed/typed.wasm'),
  ]);
});

afterAll(() => server.stop());

const spear = (...args: string[]) => run(args, { address: server.grpcAddress });

describe('invoke exits with', () => {
  test.for<[string, number, string[]]>([
    ['0 when it completed', 0, ['wordcount']],
    ["the function's own code", 7, ['exit']],
    ['the low 8 bits of a larger code', 300 & 0xff, ['exit', '--arg', '300']],
    ['1 on the error side of a typed function', 1, ['calc', 'divide(1, 0)']],
    ['124 when it timed out', 124, ['loop', '--timeout', '200ms']],
    ['125 at a limit', 125, ['flood']],
    ['127 for an unknown task', 127, ['nothing']],
    ['127 for an unknown function', 127, ['calc', '--function', 'nothing']],
    ['127 for an unknown function of a call', 127, ['calc', 'nothing()']],
    ['134 on a trap', 134, ['trap']],
    ['137 out of memory', 137, ['hog']],
    [
      '64 for a parameter of the wrong type',
      64,
      ['calc', '--function', 'add', '--param', 'a="x"', '--param', 'b=1'],
    ],
    ['64 for a call that is wrong', 64, ['calc', 'add(1)']],
    ['64 for a longer timeout than the largest', 64, ['exit', '--timeout', '400d']],
    ['64 for an unknown option', 64, ['exit', '--nothing']],
  ])('%s', async ([, code, args]) => {
    const ended = await spear('invoke', ...args);
    expect({ code: ended.code, signal: ended.signal }, ended.stderr).toEqual({ code, signal: null });
  });
});

test('a failure is told in one line, with the execution and the code', async () => {
  expect(errorLine(await spear('invoke', 'trap'))).toMatch(/^spear: exec_\w+ failed: TRAP: /);
});

test('a refused argument names its field, and what is allowed', async () => {
  expect(errorLine(await spear('status', 'nothing'))).toMatch(/^spear: ID: .*allowed/);
  expect(errorLine(await spear('invoke', 'calc', 'add(1)'))).toMatch(
    /^spear: call: column 6: .*b: s32 is missing/,
  );
  expect(errorLine(await spear('invoke', 'exit', '--timeout', '5'))).toMatch(
    /^spear: --timeout: is "5"; allowed/,
  );
  expect(errorLine(await spear('list', '--status', 'odd'))).toMatch(/^spear: --status: .*completed/);
});

test('a parameter that is not JSON is named, and how to quote a string is shown', async () => {
  const ended = await spear('invoke', 'calc', '--function', 'greet', '--param', 'name=Ada');
  expect(ended.code).toBe(64);
  expect(errorLine(ended)).toContain(`--param name: "Ada" is not JSON`);
  expect(errorLine(ended)).toContain(`--param name='"Ada"'`);
});

test('a server that is not there is 69, with its address', async () => {
  for (const args of [['list'], ['invoke', 'exit'], ['wait', 'exec_1'], ['watch', 'exec_1']]) {
    const ended = await run([...args, '--address', '127.0.0.1:1']);
    expect(ended.code).toBe(69);
    expect(errorLine(ended)).toContain('127.0.0.1:1');
  }
});

test('an address that is none is 64, whoever gave it', async () => {
  expect(errorLine(await run(['list', '--address', 'here']))).toMatch(/^spear: --address: /);
  expect(errorLine(await run(['list'], { address: 'here' }))).toMatch(/^spear: SPEAR_ADDRESS: /);
});

test('a wait whose budget ends is 75, and the execution goes on', async () => {
  const { executionId } = await server.functions.invokeFunction({
    task: 'loop',
    executionMode: ExecutionMode.ASYNC,
  });
  expect((await spear('wait', executionId, '--timeout', '1ms')).code).toBe(75);
  expect((await spear('cancel', executionId)).code).toBe(0);
  expect((await spear('wait', executionId)).code).toBe(130);
});

test('a full queue is 75, with when to try again', async () => {
  const full = await startServer({ slots: '1', queueLimit: '0' });
  try {
    await full.register('loop', 'misbehaving/loop.wasm');
    const { executionId } = await full.functions.invokeFunction({
      task: 'loop',
      executionMode: ExecutionMode.ASYNC,
    });
    const ended = await run(['invoke', 'loop'], { address: full.grpcAddress });
    expect(ended.code).toBe(75);
    expect(errorLine(ended)).toContain('try again');
    await full.functions.cancelExecution({ executionId });
  } finally {
    await full.stop();
  }
});

test('a request that the server finds too large is 64', async () => {
  const ended = await run(['invoke', 'wordcount', '--input', '-'], {
    address: server.grpcAddress,
    input: Buffer.alloc(9 * 1024 * 1024),
  });
  expect(ended.code).toBe(64);
  expect(ended.stderr).toContain('--max-request-bytes');
});

test('every code that an execution can end with has an exit code that is not 0', () => {
  const codes = Object.values(ErrorCode).filter((code) => typeof code === 'number');
  const exits = codes.map((errorCode) =>
    exitCodeOf(
      create(ExecutionResultSchema, { isCompleted: true, status: ExecutionStatus.FAILED, errorCode }),
    ),
  );
  expect(exits).not.toContain(0);
  const exitOf = (code: ErrorCode) => exits[codes.indexOf(code)];
  expect(exitOf(ErrorCode.START_FAILED)).toBe(126);
  expect(exitOf(ErrorCode.MEMORY_LIMIT)).toBe(137);
  for (const code of [
    ErrorCode.CPU_LIMIT,
    ErrorCode.OUTPUT_LIMIT,
    ErrorCode.RUNTIME_UNAVAILABLE,
    ErrorCode.ARTIFACT_UNAVAILABLE,
    ErrorCode.INSTANCE_LOST,
    ErrorCode.KILL_UNCONFIRMED,
  ]) {
    expect(exitOf(code), ErrorCode[code]).toBe(125);
  }
  const own = (exitCode: number, errorCode = ErrorCode.FUNCTION_EXIT) =>
    exitCodeOf(
      create(ExecutionResultSchema, {
        isCompleted: true,
        status: ExecutionStatus.FAILED,
        errorCode,
        exitCode,
      }),
    );
  expect([own(1), own(255), own(256), own(-1)]).toEqual([1, 255, 255, 255]);
  expect([128 + 9, 128 + 15].map((code) => own(code, ErrorCode.SIGNALED))).toEqual([137, 143]);
});

test('--help lists them', async () => {
  const { code, stdout, stderr } = await run(['--help']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.toString()).toContain(exitCodeHelp());
  const bare = await run([]);
  expect(bare.code).toBe(64);
  expect(bare.stdout.length).toBe(0);
});
