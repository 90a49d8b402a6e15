/** A real node whose executions are in a real PostgreSQL. */
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import {
  ErrorCode,
  ExecutionStatus,
  type StreamExecutionResult,
} from '../../src/server/gen/spearlet/function_pb.js';
import { InterruptPolicy } from '../../src/server/gen/spearlet/task_pb.js';
import { describeWhere } from '../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../support/postgres.ts';
import { tcpProxy } from '../support/tcp-proxy.ts';
import { collect } from './collect.ts';
import { expectWholeLog, outputOf } from './grammar.ts';
import { cleanExit, dataFolder, spawn, start, untilState } from './spawned.ts';

const unavailable = 14;

describeWhere([postgres()], 'a node on PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.remove());

  async function freshUrl(): Promise<string> {
    return (await server.database()).url;
  }

  test('calls of all modes, a stop and a start, on the same folder and on another', async () => {
    const store = await freshUrl();
    const one = await spawn(await dataFolder(), { store });
    await one.register('ticker', 'ticker/ticker.wasm');
    const sync = await one.functions.invokeFunction({ task: 'ticker', args: ['1'], invocationId: 'once' });
    expect(sync).toMatchObject({ success: true });
    const streamed = await collect(one.functions.streamFunction({ task: 'ticker', args: ['3', '5'] }));
    expectWholeLog(streamed);
    expect(outputOf(streamed).toString()).toBe('tick 1\ntick 2\ntick 3\n');
    const async = await start(one, { task: 'ticker', args: ['2', '5'] });
    const watched = await collect(one.functions.watchExecution({ executionId: async }));
    expectWholeLog(watched);
    const waiting = await start(one, { task: 'ticker', args: ['1'], startAfter: { seconds: 200n } });
    expect(await one.end('SIGTERM')).toEqual(cleanExit);

    // On a folder that has nothing: what the node needs of it comes from the database.
    const two = await spawn(await dataFolder(), { store });
    const again = await collect(two.functions.watchExecution({ executionId: async, fromSequence: 1n }));
    expect(again.map(({ sequence, position }) => [sequence, position])).toEqual(
      watched.map(({ sequence, position }) => [sequence, position]),
    );
    const joined = await two.functions.invokeFunction({ task: 'ticker', args: ['1'], invocationId: 'once' });
    expect(joined).toMatchObject({ joined: true, executionId: sync.executionId });
    expect(await two.functions.getExecutionStatus({ executionId: waiting })).toMatchObject({
      result: { status: ExecutionStatus.PENDING },
    });
    expect(await two.functions.invokeFunction({ task: 'ticker', args: ['1'] })).toMatchObject({
      success: true,
    });
  });

  test('after kill -9 what was unfinished goes on where it was', async () => {
    const store = await freshUrl();
    const dataDir = await dataFolder();
    const one = await spawn(dataDir, { store, slots: '3' });
    await one.register('ticker', 'ticker/ticker.wasm');
    await one.register('once', 'ticker/ticker.wasm', { onInterrupt: InterruptPolicy.FAIL });
    const once = await start(one, { task: 'once', args: ['100000', '20'] });
    await untilState(one, once, 'running.attempting');
    const running = await start(one, { task: 'ticker', args: ['20', '100'] });
    const seen: StreamExecutionResult[] = [];
    const watched = (async () => {
      for await (const event of one.functions.watchExecution({ executionId: running })) {
        seen.push(event);
        if (seen.length === 6) one.process.kill('SIGKILL');
      }
    })().catch((error: { code?: number }) => error.code);
    expect(await one.exited).toEqual({ code: null, signal: 'SIGKILL' });
    await watched;

    const two = await spawn(dataDir, { store, slots: '3' });
    const rerun = await collect(two.functions.watchExecution({ executionId: running, fromSequence: 1n }));
    expect(expectWholeLog(rerun)).toMatchObject({
      status: ExecutionStatus.COMPLETED,
      attempt: 2,
      recoveries: 1,
    });
    expect(rerun.slice(0, seen.length).map(({ position }) => position)).toEqual(
      seen.map(({ position }) => position),
    );
    const failed = await collect(two.functions.watchExecution({ executionId: once }));
    expect(expectWholeLog(failed)).toMatchObject({ errorCode: ErrorCode.INTERRUPTED, attempt: 1 });
  });

  test('while the engine is down calls are refused, what runs goes on, and nothing accepted is lost', async () => {
    const own = await startPostgres();
    onTestFinished(() => own.remove());
    const { url: store } = await own.database();
    const node = await spawn(await dataFolder(), { store });
    await node.register('ticker', 'ticker/ticker.wasm');
    const running = await start(node, { task: 'ticker', args: ['40', '50'] });
    await untilState(node, running, 'running.attempting');
    const watched = collect(node.functions.watchExecution({ executionId: running }));
    await own.crash();
    const call = () => node.functions.invokeFunction({ task: 'ticker', args: ['1'] });
    // The first may be in the commit whose answer is lost: that is answered when its outcome is known.
    const doubtful = call().catch((error: { code?: number }) => error.code);
    await expect.poll(() => call().catch((error: { code?: number }) => error.code)).toBe(unavailable);
    await own.start();
    expectWholeLog(await watched);
    expect(
      outputOf(await watched)
        .toString()
        .split('\n'),
    ).toHaveLength(41);
    expect([unavailable, true]).toContain(
      await doubtful.then((answer) => (typeof answer === 'number' ? answer : answer?.success)),
    );
    await expect
      .poll(() =>
        call().then(
          ({ success }) => success,
          () => false,
        ),
      )
      .toBe(true);
    expect(await node.end('SIGTERM')).toEqual(cleanExit);
  });

  test('connections that are cut lose no execution and repeat none', async () => {
    const url = await freshUrl();
    const proxy = await tcpProxy(server.port);
    onTestFinished(() => proxy.close());
    const store = url.replace(`:${server.port}/`, `:${proxy.port}/`);
    const node = await spawn(await dataFolder(), { store });
    await node.register('ticker', 'ticker/ticker.wasm');
    const ids: string[] = [];
    for (let round = 0; round < 12; round++) {
      const calls = Array.from({ length: 8 }, (_, index) => {
        const invocationId = `key-${round}-${index}`;
        const call = () => node.functions.invokeFunction({ task: 'ticker', args: ['1'], invocationId });
        // A caller that is refused asks again, with its key.
        return (async () => {
          for (;;) {
            try {
              return await call();
            } catch (error) {
              if ((error as { code?: number }).code !== unavailable) throw error;
            }
          }
        })();
      });
      proxy.cut();
      for (const { success, executionId } of await Promise.all(calls)) {
        expect(success).toBe(true);
        ids.push(executionId);
      }
    }
    expect(new Set(ids).size).toBe(96);
    for (const executionId of ids.slice(0, 20)) {
      expectWholeLog(await collect(node.functions.watchExecution({ executionId, fromSequence: 1n })));
    }
    expect(node.output.filter((line) => line.includes('"msg":"bug'))).toEqual([]);
  });

  test('a node that others have fenced ends what it runs, and exits with 1', async () => {
    const { url: store, name } = await server.database();
    const node = await spawn(await dataFolder(), { store });
    await node.register('ticker', 'ticker/ticker.wasm');
    const running = await start(node, { task: 'ticker', args: ['100000', '20'] });
    await untilState(node, running, 'running.attempting');
    await server.query('DELETE FROM spear.fences', name);
    expect(await node.exited).toEqual({ code: 1, signal: null });
    expect(node.output.join('\n')).toContain('other nodes have taken over what this one had');
  });
});
