import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import {
  ErrorCode,
  ExecutionMode,
  ExecutionStatus,
  type StreamExecutionResult,
} from '../../src/server/gen/spearlet/function_pb.js';
import { errorLine, run } from '../cli/spear.ts';
import { compiler, describeWhere, prlimit, root } from '../support/needs.ts';
import type { ChildServer } from '../support/server.ts';
import { slowSync } from '../support/slow-sync.ts';
import { smallDisk } from '../support/small-disk.ts';
import { collect } from './collect.ts';
import { expectWholeLog, outputOf } from './grammar.ts';
import { readRefusal, refusal } from './refusal.ts';
import { dataFolder, spawn, start, untilState } from './spawned.ts';

interface Readiness {
  readonly ready: boolean;
  readonly reason: string;
}

async function readiness(server: ChildServer): Promise<Readiness & { readonly code: number }> {
  const answer = await fetch(`http://${server.httpAddress}/readyz`);
  return { code: answer.status, ...((await answer.json()) as Readiness) };
}

const working = { code: 200, ready: true, reason: 'serving' };

function becomes(server: ChildServer, expected: Partial<Readiness>): Promise<void> {
  return expect.poll(() => readiness(server)).toMatchObject(expected);
}

/** Invokes until the node refuses. Resolves with what was acknowledged before, and the refusal. */
async function untilRefused(server: ChildServer) {
  const accepted: string[] = [];
  for (;;) {
    try {
      accepted.push(await start(server, { task: 'noop', functionName: 'noop' }));
    } catch (error) {
      return { accepted, refused: readRefusal(error) };
    }
  }
}

function works(server: ChildServer): Promise<void> {
  const invoke = () =>
    server.functions.invokeFunction({ task: 'noop', functionName: 'noop' }).then(
      ({ success }) => success,
      () => false,
    );
  return expect.poll(invoke).toBe(true);
}

/** That all of them have ended well, with whole logs. */
async function expectCompleted(server: ChildServer, executionIds: readonly string[]): Promise<void> {
  for (const executionId of executionIds) {
    const events = await collect(server.functions.watchExecution({ executionId }));
    expect(expectWholeLog(events).status).toBe(ExecutionStatus.COMPLETED);
  }
}

async function expectCheck(dataDir: string): Promise<void> {
  const { stdout, code } = await run(['db', 'check', '--data-dir', dataDir]);
  expect(stdout.toString()).toMatch(/all is well\n$/);
  expect(code).toBe(0);
}

async function servedTasks(dataDir: string): Promise<ChildServer> {
  const server = await spawn(dataDir);
  await server.register('noop', 'noop/noop.wasm');
  await server.register('ticker', 'ticker/ticker.wasm');
  return server;
}

/** Whether its writes to files reach the disk, or fail as on a disk that has gone bad. */
function mayWrite(server: ChildServer, may: boolean): void {
  const limit = `--fsize=${may ? 'unlimited' : '0'}:unlimited`;
  const { status, error, stderr } = spawnSync('prlimit', ['--pid', `${server.process.pid}`, limit]);
  if (status !== 0) throw new Error(`cannot limit the server: ${error?.message ?? stderr}`);
}

/** What it said of its store. */
function faultLines({ output }: ChildServer): string[] {
  return output
    .map((line) => (JSON.parse(line) as { readonly msg: string }).msg)
    .filter((message) => message.startsWith('the store '));
}

const seconds = (count: number) => ({ seconds: BigInt(count) });
const ticks = (count: number) => Array.from({ length: count }, (_, index) => `tick ${index + 1}\n`).join('');

/** An execution that writes while the fault lasts. */
async function ticking(server: ChildServer) {
  const executionId = await start(server, { task: 'ticker', args: ['30', '100'] });
  await untilState(server, executionId, 'running.attempting');
  const watched = collect(server.functions.watchExecution({ executionId }));
  return { executionId, watched };
}

function expectAllTicks(events: readonly StreamExecutionResult[]): void {
  expect(expectWholeLog(events).status).toBe(ExecutionStatus.COMPLETED);
  expect(outputOf(events).toString()).toBe(ticks(30));
}

describeWhere([root()], 'a disk that gets full', () => {
  test('ends what was accepted, refuses what is new and says why, and works again when there is room', async () => {
    const disk = await smallDisk(80);
    const dataDir = join(disk.path, 'data');
    const server = await servedTasks(dataDir);
    await becomes(server, working);
    const { executionId, watched } = await ticking(server);
    const empty = await disk.fill();
    const { accepted, refused } = await untilRefused(server);
    expect(refused).toMatchObject({ code: 'UNAVAILABLE', reason: 'STORE_UNAVAILABLE' });
    await becomes(server, { ready: false, reason: 'the disk is full' });
    const { refused: later } = await untilRefused(server);
    expect(later).toMatchObject({ code: 'UNAVAILABLE', reason: 'STORE_UNAVAILABLE' });
    expect(later.message).toContain('the disk is full');
    await expect(server.register('late', 'noop/noop.wasm')).rejects.toThrow('the disk is full');
    expectAllTicks(await watched);
    await expectCompleted(server, accepted);

    await empty();
    await becomes(server, working);
    await works(server);
    await server.end('SIGKILL');
    await expectCheck(dataDir);
    const again = await spawn(dataDir);
    await expectCompleted(again, [executionId, ...accepted]);
  });

  test('by floods of output ends these, keeps deadlines and cancels, and loses nothing of the others', {
    timeout: 180_000,
  }, async () => {
    const disk = await smallDisk(80);
    const dataDir = join(disk.path, 'data');
    const server = await servedTasks(dataDir);
    await server.register('flood', 'misbehaving/flood.wasm', { limits: { maxOutputBytes: 1n << 30n } });
    await becomes(server, working);
    const { executionId, watched } = await ticking(server);
    const late = await start(server, {
      task: 'ticker',
      args: ['3000', '100'],
      timeouts: { total: seconds(8) },
    });
    const cancelled = await start(server, { task: 'ticker', args: ['3000', '100'] });
    const floods = await Promise.all(
      Array.from({ length: 4 }, () => start(server, { task: 'flood', args: [`${1 << 30}`] })),
    );
    for (const flood of floods) {
      const { result } = await server.functions.waitExecution({ executionId: flood, maxInlineBytes: 0 });
      expect(result).toMatchObject({ status: ExecutionStatus.FAILED, errorCode: ErrorCode.OUTPUT_LIMIT });
      expect(result?.errorMessage).toContain('the disk of the node is full');
      expect(result?.resourceUse?.droppedBytes).toBeGreaterThan(0n);
    }
    expect(await readiness(server)).toMatchObject({ code: 503, reason: 'the disk is full' });
    await server.functions.cancelExecution({ executionId: cancelled });
    const after = await server.functions.waitExecution({ executionId: cancelled });
    expect(after.result?.status).toBe(ExecutionStatus.CANCELLED);
    expectAllTicks(await watched);
    const { result } = await server.functions.waitExecution({ executionId: late });
    expect(result).toMatchObject({ errorCode: ErrorCode.TOTAL_TIMEOUT });
    await server.end('SIGKILL');
    await expectCheck(dataDir);
    const again = await spawn(dataDir);
    await expectCompleted(again, [executionId]);
    for (const id of [...floods, late, cancelled]) {
      expectWholeLog(await collect(again.functions.watchExecution({ executionId: id })));
    }
  });

  test('refuses at the start as well, where there is no room from the beginning', async () => {
    const disk = await smallDisk(20);
    const server = await spawn(join(disk.path, 'data'));
    await becomes(server, { ready: false, reason: 'the disk is full' });
    disk.resize(80);
    await becomes(server, working);
  });

  test('is one line and 1 where it cannot be written at all', async () => {
    const disk = await smallDisk(20);
    disk.makeReadOnly();
    const dataDir = join(disk.path, 'data');
    const ended = await run(['serve', '--data-dir', dataDir]);
    expect(ended.code).toBe(1);
    expect(errorLine(ended)).toMatch(/^spear: the data folder .* cannot be made or written/);
  });
});

describeWhere([await prlimit()], 'a disk that takes no write', () => {
  test('for a while loses nothing, and the node is not ready for all of that while', async () => {
    const dataDir = await dataFolder();
    const server = await servedTasks(dataDir);
    await works(server);
    const { executionId, watched } = await ticking(server);
    mayWrite(server, false);
    const { accepted, refused } = await untilRefused(server);
    expect(refused).toMatchObject({ code: 'UNAVAILABLE', reason: 'STORE_UNAVAILABLE' });
    mayWrite(server, true);
    expectAllTicks(await watched);
    await becomes(server, working);

    // Nothing is at work now whose own commits would be tried again.
    const before = faultLines(server);
    mayWrite(server, false);
    for (let call = 0; call < 3; call++) {
      const { stderr, code } = await run([
        'invoke',
        'noop',
        '--function',
        'noop',
        '--address',
        server.grpcAddress,
      ]);
      expect(stderr.toString()).toContain('the store cannot be written');
      expect(code).toBe(exitCodes.refused.code);
      expect(await readiness(server)).toMatchObject({ code: 503, ready: false });
    }
    mayWrite(server, true);
    await becomes(server, working);
    await works(server);
    expect(faultLines(server).slice(before.length)).toEqual([
      'the store cannot be written; new work is refused',
      'the store works again',
    ]);
    await server.end('SIGKILL');
    await expectCheck(dataDir);
    const again = await spawn(dataDir);
    await expectCompleted(again, [executionId, ...accepted]);
  });
});

test('while somebody else holds the database new work is refused, and nothing that was accepted is lost', async () => {
  const dataDir = await dataFolder();
  const server = await servedTasks(dataDir);
  const { executionId, watched } = await ticking(server);
  // The node may be in the middle of a commit.
  const other = new DatabaseSync(join(dataDir, 'spear.db'), { timeout: 20_000 });
  onTestFinished(() => other.close());
  const accepted = await start(server, { task: 'noop', functionName: 'noop' });
  other.exec('BEGIN IMMEDIATE');
  const { accepted: none, refused } = await untilRefused(server);
  expect(none).toEqual([]);
  expect(refused).toMatchObject({ code: 'UNAVAILABLE', reason: 'STORE_UNAVAILABLE' });
  await becomes(server, { ready: false, reason: 'the store cannot be written' });
  // What is read needs no lock.
  const { result } = await server.functions.getExecutionStatus({ executionId });
  expect(result?.status).toBe(ExecutionStatus.RUNNING);
  other.exec('ROLLBACK');
  await becomes(server, working);
  await works(server);
  expectAllTicks(await watched);
  await expectCompleted(server, [accepted]);
  await server.end('SIGKILL');
  await expectCheck(dataDir);
});

test('a crash while the database cannot be written loses nothing that was acknowledged', async () => {
  const dataDir = await dataFolder();
  const server = await servedTasks(dataDir);
  const queued = await start(server, {
    task: 'noop',
    functionName: 'noop',
    startAfter: { nanos: 500_000_000 },
  });
  // The node may be in the middle of a commit.
  const other = new DatabaseSync(join(dataDir, 'spear.db'), { timeout: 20_000 });
  onTestFinished(() => other.close());
  other.exec('BEGIN IMMEDIATE');
  await untilRefused(server);
  await server.end('SIGKILL');
  other.exec('ROLLBACK');
  const again = await spawn(dataDir);
  await expectCompleted(again, [queued]);
  await again.end('SIGTERM');
  await expectCheck(dataDir);
});

describe('a damaged database', () => {
  test.for<[string, (path: string) => Promise<void>]>([
    ['that is something else', (path) => writeFile(path, 'not a database, but long enough'.repeat(500))],
    ['of which half is missing', (path) => truncate(path, 20_000)],
  ])('%s is one line and 1 at the start', async ([, damage]) => {
    const dataDir = await dataFolder();
    const server = await servedTasks(dataDir);
    await server.end('SIGTERM');
    await damage(join(dataDir, 'spear.db'));
    const free = ['--grpc-address', '127.0.0.1:0', '--http-address', '127.0.0.1:0'];
    const ended = await run(['serve', ...free, '--data-dir', dataDir]);
    expect(ended.code).toBe(1);
    expect(errorLine(ended)).toMatch(/^spear: .*(damaged|malformed)/);
    expect(errorLine(ended)).toContain(join(dataDir, 'spear.db'));
  });

  test('row of one execution is its misfortune alone: the others go on', async () => {
    const dataDir = await dataFolder();
    const server = await servedTasks(dataDir);
    const request = { task: 'noop', functionName: 'noop', startAfter: { seconds: 2n } };
    const [log = '', record = '', ...others] = await Promise.all(
      Array.from({ length: 6 }, () => start(server, request)),
    );
    await server.end('SIGKILL');
    const db = new DatabaseSync(join(dataDir, 'spear.db'));
    db.prepare(`UPDATE segments SET meta = substr(meta, 1, 20) WHERE execution_id = ?`).run(log);
    db.prepare(`UPDATE executions SET record = substr(record, 1, 20) WHERE execution_id = ?`).run(record);
    db.close();

    const again = await spawn(dataDir);
    await becomes(again, working);
    await expectCompleted(again, others);
    const { result } = await again.functions.getExecutionStatus({ executionId: log });
    expect(result).toMatchObject({
      status: ExecutionStatus.FAILED,
      errorCode: ErrorCode.SNAPSHOT_INCOMPATIBLE,
    });
    const { executions } = await again.functions.listExecutions({});
    expect(executions.map(({ executionId }) => executionId).sort()).toEqual([log, ...others].sort());
    // To try again would be of no use.
    const lost = await refusal(again.functions.getExecutionStatus({ executionId: record }));
    expect(lost).toMatchObject({ code: 'INTERNAL', reason: 'INTERNAL' });
    await works(again);
    const { code, stdout } = await run(['db', 'check', '--data-dir', dataDir]);
    expect(code).toBe(1);
    expect(stdout.toString()).toContain(`${record}: the record of ${record} is damaged`);
  });
});

describeWhere([await compiler()], 'a slow disk', () => {
  test('makes writes wait and loses none of them, and the node stays ready', async () => {
    const folder = await dataFolder();
    const sync = await slowSync(folder, 300);
    const dataDir = join(folder, 'data');
    const server = await spawn(dataDir, {}, sync.env);
    await server.register('noop', 'noop/noop.wasm');
    sync.set(true);
    const callers = Array.from({ length: 20 }, async () => {
      const { executionId, success } = await server.functions.invokeFunction({
        task: 'noop',
        functionName: 'noop',
        invocationId: randomUUID(),
      });
      expect(success).toBe(true);
      return executionId;
    });
    expect(await readiness(server)).toEqual(working);
    const ids = await Promise.all(callers);
    expect(await readiness(server)).toEqual(working);
    await server.end('SIGKILL');
    await expectCheck(dataDir);
    await expectCompleted(await spawn(dataDir), ids);
  });
});

test('a server starts on a backup that was taken while another one was at work, and goes on with it', async () => {
  const dataDir = await dataFolder();
  const server = await servedTasks(dataDir);
  const done = await server.functions.invokeFunction({ task: 'ticker', args: ['3'] });
  const later = {
    task: 'ticker',
    args: ['2'],
    startAfter: { seconds: 3n },
    executionMode: ExecutionMode.ASYNC,
  };
  const { executionId: waiting } = await server.functions.invokeFunction(later);
  const target = join(await dataFolder(), 'copy');
  expect((await run(['db', 'backup', target, '--data-dir', dataDir])).code).toBe(0);
  const copy = await spawn(target);
  for (const [executionId, count] of [
    [done.executionId, 3],
    [waiting, 2],
  ] as const) {
    const events = await collect(copy.functions.watchExecution({ executionId }));
    expect(expectWholeLog(events).status).toBe(ExecutionStatus.COMPLETED);
    expect(outputOf(events).toString()).toBe(ticks(count));
  }
  await expectCompleted(server, [waiting]);
});
