import { expect, test } from 'vitest';
import type { ConfigFlags } from '../../src/config.ts';
import { ErrorCode, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { type LocalServer, startServer } from '../support/server.ts';
import { sitDown } from './terminal.ts';

async function withServer(
  use: (server: LocalServer) => Promise<void>,
  flags: ConfigFlags = {},
): Promise<void> {
  const server = await startServer(flags);
  try {
    await use(server);
  } finally {
    await server.stop();
  }
}

async function statusOf(server: LocalServer, executionId: string, ...flags: string[]) {
  const { out, err, ended } = sitDown(['status', executionId, ...flags], server.grpcAddress);
  expect(await ended, err.text).toBe(0);
  return new Map(
    out.text
      .trimEnd()
      .split('\n')
      .map((line) => [line.split(/ {2,}/, 1)[0] ?? '', line.replace(/^.*? {2,}/, '')] as const),
  );
}

test('a typed call shows its parameters and its result, and the error side of one', () =>
  withServer(async (server) => {
    await server.register('calc', 'typed/typed.wasm');
    const parameters = (a: number, b: number) => ({
      a: { kind: { case: 'numberValue' as const, value: a } },
      b: { kind: { case: 'numberValue' as const, value: b } },
    });
    const call = { task: 'calc', functionName: 'divide' };
    const good = await server.functions.invokeFunction({ ...call, parameters: parameters(6, 2) });
    const told = await statusOf(server, good.executionId);
    expect(told.get('parameter')).toBe('b=2');
    expect(told.get('result')).toBe('3');
    expect(told.has('output')).toBe(false);
    const bad = await server.functions.invokeFunction({ ...call, parameters: parameters(1, 0) });
    expect(bad.result?.errorCode).toBe(ErrorCode.FUNCTION_ERROR);
    expect((await statusOf(server, bad.executionId)).get('result')).toBe('"division by zero"');
  }));

test('a command shows the beginning of its input and output, and that bytes are no text', () =>
  withServer(async (server) => {
    await server.register('cat', 'misbehaving/cat.wasm', { args: ['one', 'two words'] });
    const run = async (input: Uint8Array) => {
      const { executionId, result } = await server.functions.invokeFunction({
        task: 'cat',
        input,
        args: ['three 3'],
        environment: { SECRET: 'not shown' },
      });
      expect(result?.status).toBe(ExecutionStatus.COMPLETED);
      return statusOf(server, executionId, '--address', server.grpcAddress);
    };
    const short = await run(Buffer.from('a\nb'));
    expect(short.get('args')).toBe('"three 3"');
    expect(short.get('env')).toBe('SECRET');
    expect(short.get('input')).toBe('a b');
    expect(short.get('stdout')).toBe('a b');
    expect(short.get('log')).toMatch(new RegExp(`spear watch exec_\\w+ --address ${server.grpcAddress}$`));
    const long = await run(Buffer.from('x'.repeat(5000)));
    expect(long.get('input')).toBe(`${'x'.repeat(120)}… (4.9 KiB)`);
    expect(long.get('stdout')).toBe(`${'x'.repeat(120)}…`);
    const bytes = await run(Buffer.from([0, 255, 1, 2]));
    expect(bytes.get('input')).toBe('4 B, not text');
    expect(bytes.get('stdout')).toBe('not text');
  }));

test('an execution with a trace shows where that can be seen', () =>
  withServer(
    async (server) => {
      await server.register('wc', 'wordcount/wordcount.wasm');
      const answer = await fetch(`http://${server.httpAddress}/tasks/wc`, {
        method: 'POST',
        headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
      });
      const executionId = answer.headers.get('spear-execution-id') ?? '';
      const { out, ended } = sitDown(['status', executionId], server.grpcAddress);
      expect(await ended).toBe(0);
      expect(out.text).toContain('http://127.0.0.1:16686/trace/0af7651916cd43dd8448eb211c80319c?a=1');
    },
    { traceUrl: 'http://127.0.0.1:16686/trace/{trace_id}?a=1' },
  ));
