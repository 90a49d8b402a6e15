import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  ErrorCode,
  ErrorOrigin,
  ExecutionMode,
  ExecutionStatus,
  OutputStream,
  type StreamExecutionResult,
} from '../../src/server/gen/spearlet/function_pb.js';
import { InstancePolicy } from '../../src/server/gen/spearlet/task_pb.js';
import { type ChildServer, temporaryDataDir } from '../support/server.ts';
import { collect } from './collect.ts';
import { expectWholeLog, outputOf, statesOf, timeOf } from './grammar.ts';
import { line } from './line.ts';
import { spawnMeasured, threadsOf, usageOf } from './measured.ts';

const mebibyte = 1024 * 1024;
const slots = 4;
const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();

let server: ChildServer;
let dataDir: string;

beforeAll(async () => {
  dataDir = await temporaryDataDir();
  server = await spawnMeasured(dataDir, { slots: String(slots), logLevel: 'info' });
  await server.register('loop', 'misbehaving/loop.wasm');
  await server.register('typed', 'typed/typed.wasm');
  await server.register('exit', 'misbehaving/exit.wasm');
  await server.register('flood', 'misbehaving/flood.wasm');
});

afterAll(async () => {
  const exit = await server.end('SIGTERM');
  await rm(dataDir, { recursive: true, force: true });
  expect(server.output.filter((entry) => entry.includes('bug:'))).toEqual([]);
  expect(exit).toEqual({ code: 0, signal: null });
});

async function start(request: Parameters<typeof server.functions.invokeFunction>[0]): Promise<string> {
  const started = await server.functions.invokeFunction({
    ...request,
    executionMode: ExecutionMode.ASYNC,
  } as typeof request);
  return started.executionId;
}

async function log(executionId: string): Promise<StreamExecutionResult[]> {
  return collect(server.functions.watchExecution({ executionId }));
}

function stateOf(executionId: string) {
  return async () => (await server.functions.getExecutionStatus({ executionId })).result?.state;
}

async function ping(): Promise<void> {
  const { result } = await server.functions.invokeFunction({ task: 'typed', functionName: 'ping' });
  expect(result?.status).toBe(ExecutionStatus.COMPLETED);
}

/** Takes every slot until the test is over, or until the answer is called. */
async function occupy(): Promise<() => Promise<void>> {
  const ids = await Promise.all(Array.from({ length: slots }, () => start({ task: 'loop' })));
  const release = async () => {
    for (const executionId of ids) await server.functions.cancelExecution({ executionId });
    for (const executionId of ids) await server.functions.waitExecution({ executionId });
  };
  onTestFinished(release);
  for (const executionId of ids) await expect.poll(stateOf(executionId)).toBe('running.attempting');
  return release;
}

describe('an endless loop', () => {
  test.each([
    ['total', ErrorCode.TOTAL_TIMEOUT, 'total timeout of 3000 ms'],
    ['attempt', ErrorCode.ATTEMPT_TIMEOUT, 'attempt timeout of 3000 ms'],
  ] as const)(
    'ends at its %s timeout, its thread is gone, and other calls go on',
    async (kind, code, says) => {
      const before = await threadsOf(server);
      const executionId = await start({
        task: 'loop',
        timeouts: { [kind]: { seconds: 3n } },
      });
      const busy = async () => {
        const now = await threadsOf(server);
        return [...now].find(
          ([id, ticks]) => ticks - (before.get(id) ?? 0) > 15 && id !== String(server.process.pid),
        );
      };
      await expect.poll(busy, { timeout: 10_000, interval: 20 }).toBeDefined();
      const [thread = ''] = (await busy()) ?? [];
      for (let call = 0; call < 20; call++) await ping();
      const { result } = await server.functions.waitExecution({ executionId });
      expect(result).toMatchObject({
        status: ExecutionStatus.TIMED_OUT,
        state: 'timedOut',
        errorCode: code,
        errorOrigin: ErrorOrigin.POLICY,
        errorMessage: expect.stringContaining(says),
        termination: { rung: 'terminate' },
        isCompleted: true,
      });
      expect(text(result?.output)).toBe('looping\n');
      await expect.poll(async () => [...(await threadsOf(server)).keys()]).not.toContain(thread);
      const events = await log(executionId);
      expectWholeLog(events);
      expect(statesOf(events)).toEqual(['pending.queued', 'running.attempting', 'running.stopping']);
      expect(events.at(-2)?.event.value).toMatchObject({
        to: 'running.stopping',
        reasonCode: ErrorCode[code],
      });
      await ping();
    },
  );

  test('in every slot still lets deadlines, cancels and reads through', async () => {
    const release = await occupy();
    const queued = await server.functions.invokeFunction({
      task: 'typed',
      functionName: 'ping',
      timeouts: { queue: { nanos: 200_000_000 } },
    });
    expect(queued.result).toMatchObject({
      status: ExecutionStatus.TIMED_OUT,
      errorCode: ErrorCode.QUEUE_TIMEOUT,
      errorMessage: expect.stringContaining('200 ms'),
      attempt: 0,
    });
    await release();
    await ping();
  });

  test('inside a typed function of a reused instance ends alone', async () => {
    await server.register('reused', 'typed/typed.wasm', { instancePolicy: InstancePolicy.REUSED });
    const spinning = await start({
      task: 'reused',
      functionName: 'spin',
      timeouts: { total: { seconds: 1n } },
    });
    const counts = await Promise.all(
      Array.from({ length: 50 }, () =>
        server.functions.invokeFunction({ task: 'reused', functionName: 'count' }),
      ),
    );
    for (const { result } of counts) expect(result?.status).toBe(ExecutionStatus.COMPLETED);
    const { result } = await server.functions.waitExecution({ executionId: spinning });
    expect(result?.errorCode).toBe(ErrorCode.TOTAL_TIMEOUT);
  });
});

describe('a flood of output', () => {
  test('that nobody reads neither waits for its reader nor fills the memory, and the reader misses nothing', async () => {
    const bytes = 40 * mebibyte;
    const slow = await line(server.grpcAddress);
    const before = await usageOf(server);
    const executionId = await start({
      task: 'flood',
      args: [String(bytes)],
      startAfter: { nanos: 300_000_000 },
    });
    const readers = Array.from({ length: 5 }, () =>
      slow.functions.watchExecution({ executionId })[Symbol.asyncIterator](),
    );
    const first = await Promise.all(readers.map((reader) => reader.next()));
    expect(first.map((event) => event.value?.sequence)).toEqual(readers.map(() => 1n));
    const { result } = await server.functions.waitExecution({ executionId, maxInlineBytes: 0 });
    expect(result).toMatchObject({ status: ExecutionStatus.COMPLETED, outputBytes: BigInt(bytes) });
    const during = await usageOf(server);
    const held = during.heapUsed + during.arrayBuffers - before.heapUsed - before.arrayBuffers;
    expect(held).toBeLessThan(24 * mebibyte);

    const [reader, ...others] = readers;
    for (const other of others) await other.return?.();
    let at = 0;
    let next = await reader?.next();
    let sequence = 1n;
    while (next?.done === false) {
      const { event } = next.value;
      expect(next.value.sequence).toBe(++sequence);
      if (event.case === 'chunk') {
        const { data } = event.value;
        expect(data[0]).toBe(0x61 + (at % 26));
        expect(data.at(-1)).toBe(0x61 + ((at + data.byteLength - 1) % 26));
        at += data.byteLength;
      }
      next = await reader?.next();
    }
    expect(at).toBe(bytes);
  });

  test('ends exactly at max_output_bytes', async () => {
    await server.register('limited', 'misbehaving/flood.wasm', { limits: { maxOutputBytes: 1_000_001n } });
    const events = await collect(server.functions.streamFunction({ task: 'limited' }));
    const result = expectWholeLog(events);
    expect(result).toMatchObject({
      status: ExecutionStatus.FAILED,
      errorCode: ErrorCode.OUTPUT_LIMIT,
      errorOrigin: ErrorOrigin.POLICY,
      errorMessage: expect.stringContaining('1000001'),
      outputBytes: 1_000_001n,
    });
    expect(outputOf(events).byteLength).toBe(1_000_001);
    expect(result.resourceUse?.droppedBytes).toBeGreaterThan(0n);
  });

  test('that is just as long as its limit is no flood', async () => {
    await server.register('exact', 'misbehaving/flood.wasm', { limits: { maxOutputBytes: 500_000n } });
    const { result } = await server.functions.invokeFunction({ task: 'exact', args: ['500000'] });
    expect(result).toMatchObject({ status: ExecutionStatus.COMPLETED, outputBytes: 500_000n });
    const none = await server.register('silent', 'misbehaving/flood.wasm', {
      limits: { maxOutputBytes: 0n },
    });
    expect(none.definition?.limits?.maxOutputBytes).toBe(0n);
    const refused = await server.functions.invokeFunction({ task: 'silent', args: ['1'] });
    expect(refused.result).toMatchObject({ errorCode: ErrorCode.OUTPUT_LIMIT, outputBytes: 0n });
  });

  test('in small pieces ends at max_output_events', async () => {
    await server.register('pieces', 'misbehaving/stderr-mix.wasm', { limits: { maxOutputEvents: 7n } });
    const events = await collect(server.functions.streamFunction({ task: 'pieces', args: ['1000'] }));
    expect(expectWholeLog(events)).toMatchObject({
      errorCode: ErrorCode.OUTPUT_LIMIT,
      errorMessage: expect.stringContaining('7'),
    });
    expect(events.filter(({ event }) => event.case === 'chunk')).toHaveLength(7);
  });

  test('byte by byte is joined into few chunks', async () => {
    await server.register('bytes', 'misbehaving/flood-bytes.wasm');
    const events = await collect(server.functions.streamFunction({ task: 'bytes', args: ['200000'] }));
    expect(expectWholeLog(events)).toMatchObject({
      status: ExecutionStatus.COMPLETED,
      outputBytes: 200_000n,
    });
    const chunks = events.filter(({ event }) => event.case === 'chunk');
    expect(chunks.length).toBeLessThan(2000);
    const bytes = outputOf(events);
    expect(bytes.every((byte, index) => byte === 0x61 + (index % 26))).toBe(true);
  });

  test('on both streams keeps the order in which it was written', async () => {
    await server.register('mixed', 'misbehaving/stderr-mix.wasm');
    const events = await collect(server.functions.streamFunction({ task: 'mixed', args: ['50'] }));
    expectWholeLog(events);
    const streams = events.flatMap(({ event }) => (event.case === 'chunk' ? [event.value.stream] : []));
    expect(streams).toHaveLength(100);
    expect(streams).toEqual(
      streams.map((_, index) => (index % 2 === 0 ? OutputStream.STDOUT : OutputStream.STDERR)),
    );
  });
});

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

describe('a retry', () => {
  test('comes after a growing delay, and all of it is in the log', async () => {
    await server.register('retried', 'misbehaving/exit.wasm', {
      retry: { maxAttempts: 3, initial: { nanos: 60_000_000 }, factor: 3, jitter: 0 },
    });
    const events = await collect(server.functions.streamFunction({ task: 'retried', args: ['3'] }));
    const result = expectWholeLog(events);
    expect(result).toMatchObject({ attempt: 3, exitCode: 3, errorCode: ErrorCode.FUNCTION_EXIT });
    expect(statesOf(events)).toEqual([
      'pending.queued',
      'running.attempting',
      'running.backingOff',
      'running.attempting',
      'running.backingOff',
      'running.attempting',
    ]);
    const at = events.filter(({ event }) => event.case === 'transition').map(timeOf);
    const [, , first = 0, second = 0, third = 0, fourth = 0] = at;
    expect(second - first).toBeGreaterThanOrEqual(58);
    expect(fourth - third).toBeGreaterThanOrEqual(178);
    expect(text(outputOf(events))).toBe('bye\nbye\nbye\n');
    for (const attempt of [1, 2, 3]) {
      expect(text(outputOf(events.filter((event) => event.attempt === attempt)))).toBe('bye\n');
    }
    expect(text(result.output)).toBe('bye\n');
  });

  test('is not made for a code that the policy does not name', async () => {
    await server.register('selective', 'misbehaving/exit.wasm', {
      retry: { maxAttempts: 3, initial: { nanos: 1 }, on: [ErrorCode.TRAP] },
    });
    const { result } = await server.functions.invokeFunction({ task: 'selective' });
    expect(result).toMatchObject({ attempt: 1, errorCode: ErrorCode.FUNCTION_EXIT });
  });

  test('follows an attempt that timed out and is gone', async () => {
    await server.register('again', 'misbehaving/loop.wasm', {
      retry: { maxAttempts: 2, initial: { nanos: 1_000_000 } },
      timeouts: { attempt: { nanos: 200_000_000 } },
    });
    const events = await collect(server.functions.streamFunction({ task: 'again' }));
    expect(expectWholeLog(events)).toMatchObject({
      status: ExecutionStatus.TIMED_OUT,
      errorCode: ErrorCode.ATTEMPT_TIMEOUT,
      attempt: 2,
    });
    expect(statesOf(events)).toEqual([
      'pending.queued',
      'running.attempting',
      'running.stopping',
      'running.backingOff',
      'running.attempting',
      'running.stopping',
    ]);
  });
});

describe('a start delay', () => {
  test('is waited for in pending.waiting, and counts as queue time', async () => {
    const events = await collect(
      server.functions.streamFunction({ task: 'exit', args: ['0'], startAfter: { nanos: 300_000_000 } }),
    );
    const result = expectWholeLog(events);
    expect(statesOf(events)).toEqual(['pending.waiting', 'pending.queued', 'running.attempting']);
    expect(result.status).toBe(ExecutionStatus.COMPLETED);
    expect(result.queueTimeMs).toBeGreaterThanOrEqual(298n);
    const [admitted = 0, queued = 0] = events.map(timeOf) as number[];
    expect(queued - admitted).toBeGreaterThanOrEqual(298);
  });
});

describe('a cancel', () => {
  const cancel = (executionId: string) =>
    server.functions.cancelExecution({ executionId, reason: 'not wanted' });

  const expectCancelled = async (executionId: string, attempt: number) => {
    const result = expectWholeLog(await log(executionId));
    expect(result).toMatchObject({
      status: ExecutionStatus.CANCELLED,
      state: 'cancelled',
      errorCode: ErrorCode.CANCELLED,
      errorOrigin: ErrorOrigin.POLICY,
      errorMessage: expect.stringContaining('not wanted'),
      attempt,
    });
    expect(await cancel(executionId)).toMatchObject({ changed: false, status: ExecutionStatus.CANCELLED });
  };

  test('of what waits for a slot ends it at once, and it never starts', async () => {
    await occupy();
    const executionId = await start({ task: 'exit' });
    expect(await stateOf(executionId)()).toBe('pending.queued');
    expect(await cancel(executionId)).toMatchObject({ changed: true, status: ExecutionStatus.CANCELLED });
    await expectCancelled(executionId, 0);
  });

  test('of what waits for its start time ends it at once', async () => {
    const executionId = await start({ task: 'exit', startAfter: { seconds: 250n } });
    expect(await stateOf(executionId)()).toBe('pending.waiting');
    expect(await cancel(executionId)).toMatchObject({ changed: true, status: ExecutionStatus.CANCELLED });
    await expectCancelled(executionId, 0);
  });

  test('of what runs is heard before it is gone, and then it is', async () => {
    const executionId = await start({ task: 'loop' });
    await expect.poll(stateOf(executionId)).toBe('running.attempting');
    const { changed, status } = await cancel(executionId);
    expect(changed).toBe(true);
    expect([ExecutionStatus.RUNNING, ExecutionStatus.CANCELLED]).toContain(status);
    await expectCancelled(executionId, 1);
  });

  test('of what waits between two attempts ends it at once', async () => {
    await server.register('patient', 'misbehaving/exit.wasm', {
      retry: { maxAttempts: 2, initial: { seconds: 200n }, max: { seconds: 200n } },
    });
    const executionId = await start({ task: 'patient' });
    await expect.poll(stateOf(executionId)).toBe('running.backingOff');
    expect(await cancel(executionId)).toMatchObject({ changed: true, status: ExecutionStatus.CANCELLED });
    await expectCancelled(executionId, 1);
  });

  test('of what has ended changes nothing', async () => {
    const { executionId } = await server.functions.invokeFunction({ task: 'exit', args: ['0'] });
    expect(await cancel(executionId)).toMatchObject({ changed: false, status: ExecutionStatus.COMPLETED });
  });

  test('that comes many times at once changes it once', async () => {
    const executionId = await start({ task: 'loop' });
    await expect.poll(stateOf(executionId)).toBe('running.attempting');
    const answers = await Promise.all(Array.from({ length: 20 }, () => cancel(executionId)));
    expect(answers.filter((answer) => answer.changed)).toHaveLength(1);
    await expectCancelled(executionId, 1);
  });
});
