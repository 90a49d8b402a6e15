import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ChangeLines } from '../../src/cli/top/change-lines.ts';
import { frameOf } from '../../src/cli/top/frame.ts';
import { NodeBoard } from '../../src/cli/top/node-board.ts';
import {
  ExecutionMode,
  ExecutionResultSchema,
  ExecutionStatus,
} from '../../src/server/gen/spearlet/function_pb.js';
import {
  GetQueueResponseSchema,
  type NodeViewSchema,
  WatchNodeResponseSchema,
} from '../../src/server/gen/spearlet/node_pb.js';
import { launcher } from '../support/program-files.ts';
import { type LocalServer, startServer } from '../support/server.ts';
import { errorLine, run, start } from './spear.ts';
import { sitDown, Terminal } from './terminal.ts';

const now = 1_750_000_000_000;
/** The machine may have much else to do. */
const node = {
  version: '1.2.3',
  state: 'serving',
  startedAt: timestampFromMs(now - 3_600_000),
  slots: 4,
  running: 1,
  pending: 2,
  counts: [
    { status: ExecutionStatus.COMPLETED, count: 12n },
    { status: ExecutionStatus.FAILED, count: 0n },
    { status: ExecutionStatus.TIMED_OUT, count: 3n },
  ],
  time: timestampFromMs(now),
} satisfies MessageInitShape<typeof NodeViewSchema>;

function row(number: number, state: string) {
  const status = state.startsWith('pending') ? ExecutionStatus.PENDING : ExecutionStatus.RUNNING;
  return create(ExecutionResultSchema, {
    executionId: `exec_${String(number).padStart(26, '0')}`,
    taskName: 'resize',
    status,
    state,
    attempt: status === ExecutionStatus.RUNNING ? 2 : 0,
    createdAt: timestampFromMs(now - 90_000),
    ...(status === ExecutionStatus.RUNNING && { startedAt: timestampFromMs(now - 1500) }),
  });
}

const plainly = { columns: 120, rows: 24, paint: (_style: unknown, text: string) => text, now, notice: '' };

describe('a frame', () => {
  test('has the node, its counts, and what runs before what waits', () => {
    const board = new NodeBoard();
    board.begin([row(1, 'pending.held'), row(2, 'running.attempting'), row(3, 'running.backingOff')]);
    board.take(create(WatchNodeResponseSchema, { node }), now);
    const lines = frameOf(board.node, board.rows(), plainly);
    expect(lines[0]).toBe('spear 1.2.3  serving, up 1 h 0 min  1 of 4 slots  2 pending');
    expect(lines[1]).toBe('completed 12  timed out 3');
    expect(lines.slice(3).map((line) => line.split(/ {2,}/))).toEqual([
      ['', 'STATE', 'TRY', 'AGE', 'RUN', 'EXECUTION', 'TASK'],
      ['> running.attempting', '2', '1 min 30 s', '1.5 s', 'exec_00000000000000000000000002', 'resize'],
      ['~ running.backingOff', '2', '1 min 30 s', '1.5 s', 'exec_00000000000000000000000003', 'resize'],
      ['= pending.held', '-', '1 min 30 s', '-', 'exec_00000000000000000000000001', 'resize'],
    ]);
  });

  test('is never wider or longer than the terminal, and says how much is left out', () => {
    const rows = Array.from({ length: 50 }, (_, index) => row(index, 'pending.queued'));
    for (const columns of [20, 60, 75, 100]) {
      const lines = frameOf(create(WatchNodeResponseSchema, { node }).node, rows, {
        ...plainly,
        columns,
        rows: 10,
      });
      expect(lines.length).toBeLessThan(10);
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
      expect(lines.at(-1)).toBe('and 46 more');
    }
    const narrow = frameOf(undefined, rows, { ...plainly, columns: 60 });
    expect(narrow[4]).toContain('exec_00000000000000000000000000');
  });

  test('has a line of the queue where somebody waits, and is no longer for it', () => {
    const rows = Array.from({ length: 50 }, (_, index) => row(index, 'pending.queued'));
    const since = timestampFromMs(now - 180_000);
    const gate = { kind: 'concurrency', key: 'metadata.user', value: 'a\u001bnn', limit: 1n };
    const line = { waiting: 12n, nextSince: since, classes: [{ waiting: 9n, gate }, { waiting: 3n }] };
    const queue = create(GetQueueResponseSchema, {
      ...{ waiting: 12n, held: 9n, time: timestampFromMs(now) },
      lines: [line, { waiting: 0n }],
    });
    const lines = frameOf(create(WatchNodeResponseSchema, { node }).node, rows, {
      ...plainly,
      rows: 10,
      queue,
    });
    expect(lines[2]).toBe(
      'queue: 12 waiting, the first for 3 min 0 s; 9 of them held, 9 by concurrency metadata.user "a\\u001bnn"',
    );
    expect(lines.length).toBeLessThan(10);
    const nobody = create(GetQueueResponseSchema, { lines: [{ running: 1 }] });
    expect(frameOf(undefined, rows, { ...plainly, queue: nobody })[2]).toBe('');
  });

  test('has the task on a terminal of 80 columns, in place of the times', () => {
    for (const columns of [80, 76]) {
      const lines = frameOf(undefined, [row(1, 'running.attempting')], { ...plainly, columns });
      expect(lines[3]).toMatch(/EXECUTION +TASK$/);
      expect(lines[4]).toContain('exec_00000000000000000000000001  resize');
    }
  });

  test('lets nothing of a guest reach the terminal', () => {
    const hostile = { ...row(1, 'running.attempting'), functionName: 'a\u001b[2J\nb' };
    expect(frameOf(undefined, [hostile], plainly).join('\n')).not.toContain('\u001b');
  });

  test('forgets what has ended, and knows when it has to be listed anew', () => {
    const board = new NodeBoard();
    expect(board.stale).toBe(true);
    board.begin([row(1, 'running.attempting')]);
    const ended = create(ExecutionResultSchema, { ...row(1, 'completed'), isCompleted: true });
    board.take(create(WatchNodeResponseSchema, { executions: [ended] }), now);
    expect(board.rows()).toEqual([]);
    // Of one that is deleted within a moment of its end only that is told.
    board.begin([row(2, 'running.attempting'), row(3, 'pending.queued')]);
    const deletedExecutionIds = [row(2, '').executionId, row(4, '').executionId];
    board.take(create(WatchNodeResponseSchema, { deletedExecutionIds }), now);
    expect(board.rows()).toMatchObject([{ state: 'pending.queued' }]);
    board.take(create(WatchNodeResponseSchema, { reset: true }), now);
    expect(board.stale).toBe(true);
  });
});

describe('a line for each change', () => {
  const news = (...executions: ReturnType<typeof row>[]) => create(WatchNodeResponseSchema, { executions });

  test('is not said again of an execution that only prints', () => {
    const lines = new ChangeLines();
    const running = row(1, 'running.attempting');
    const line = `${running.executionId} resize running, in running.attempting, attempt 2`;
    expect(lines.of(news(running, row(2, 'pending.queued')))).toEqual([
      line,
      `${row(2, '').executionId} resize pending, in pending.queued`,
    ]);
    expect(lines.of(news({ ...running, outputBytes: 5000n }))).toEqual([]);
    expect(lines.of(news(row(1, 'running.backingOff')))).toHaveLength(1);
    expect(lines.of(news(running))).toEqual([line]);
    const { executionId } = running;
    expect(lines.of(create(WatchNodeResponseSchema, { deletedExecutionIds: [executionId] }))).toEqual([
      `${executionId} deleted`,
    ]);
  });
});

describe('spear top', () => {
  async function serving(): Promise<LocalServer> {
    const server = await startServer({ slots: '1' });
    onTestFinished(() => server.stop());
    await server.register('loop', 'misbehaving/loop.wasm');
    await server.register('count', 'wordcount/wordcount.wasm');
    return server;
  }
  const invoke = async (server: LocalServer, task: string): Promise<string> =>
    (await server.functions.invokeFunction({ task, executionMode: ExecutionMode.ASYNC })).executionId;

  test('redraws a screen of its own, in colour, and gives the terminal back', async () => {
    const server = await serving();
    const looping = await invoke(server, 'loop');
    const { out, keyboard, ended } = sitDown(['top'], server.grpcAddress);
    await expect.poll(() => out.screen.join('\n')).toContain(`${looping}  loop`);
    expect(keyboard.raw).toBe(true);
    const waiting = await invoke(server, 'count');
    await expect.poll(() => out.screen.join('\n')).toContain(`${waiting}  count`);
    out.columns = 40;
    out.emit('resize');
    await expect.poll(() => Math.max(...out.screen.map((line) => line.length))).toBeLessThanOrEqual(40);
    await server.functions.cancelExecution({ executionId: looping });
    await expect.poll(() => out.screen.join('\n')).toContain('nothing runs');
    keyboard.write('q');
    expect(await ended).toBe(0);
    expect(keyboard.raw).toBe(false);
    expect(out.text.startsWith('\u001b[?1049h')).toBe(true);
    expect(out.text.endsWith('\u001b[?1049l')).toBe(true);
    expect(out.text).toContain('\u001b[36m');
  });

  test('has no colours where NO_COLOR is set', async () => {
    const server = await serving();
    await invoke(server, 'loop');
    const { out, keyboard, ended } = sitDown(['top'], server.grpcAddress, { env: { NO_COLOR: '1' } });
    await expect.poll(() => out.screen.join('\n')).toContain('loop');
    keyboard.write('\u0003');
    expect(await ended).toBe(0);
    expect(out.text).not.toContain('\u001b[3');
    expect(out.text).not.toContain('\u001b[1m');
  });

  test('elsewhere is a line for each change, until it is interrupted', async () => {
    const server = await serving();
    const command = start(['top'], { address: server.grpcAddress });
    await command.says('node spear');
    const executionId = await invoke(server, 'count');
    await command.says(`${executionId} count completed`);
    await server.functions.deleteExecution({ executionId });
    await command.says(`${executionId} deleted`);
    command.process.kill('SIGINT');
    const { code, stdout } = await command.ended;
    expect(code).toBe(0);
    expect(stdout.toString()).not.toContain('\u001b');
  });

  test('once is what there is now, and JSON where that is wanted', async () => {
    const server = await serving();
    const executionId = await invoke(server, 'loop');
    const once = await run(['top', '--once'], { address: server.grpcAddress });
    expect(once).toMatchObject({ code: 0, stderr: '' });
    expect(once.stdout.toString()).toContain(executionId);
    const json = await run(['top', '--once', '--json'], { address: server.grpcAddress });
    expect(JSON.parse(json.stdout.toString())).toMatchObject({
      executions: [{ executionId }],
      node: { slots: 1 },
    });
  });

  test('says that there is no server before it takes the terminal', async () => {
    const { out, err, ended } = sitDown(['top'], '127.0.0.1:1', { out: new Terminal() });
    expect(await ended).toBe(69);
    expect(out.text).toBe('');
    expect(err.text).toContain('cannot reach the server');
    const lines = await run(['top'], { address: '127.0.0.1:1' });
    expect(lines.code).toBe(69);
    expect(errorLine(lines)).toContain('cannot reach');
  });
});

test('watch on a terminal tells states in colour, and how things stand in between', async () => {
  const server = await startServer();
  onTestFinished(() => server.stop());
  await server.register('loop', 'misbehaving/loop.wasm');
  const { executionId } = await server.functions.invokeFunction({
    task: 'loop',
    executionMode: ExecutionMode.ASYNC,
  });
  const { err, ended } = sitDown(['watch', executionId], server.grpcAddress);
  await expect.poll(() => err.text).toMatch(/\rspear: running\.attempting for [\d.]+ m?s/);
  await server.functions.cancelExecution({ executionId });
  expect(await ended).toBe(0);
  expect(err.text).toContain('\u001b[36m#2');
  // The line is written over before anything else is said.
  expect(err.text).toMatch(/\r +\rspear: .*running\.stopping/);
});

test('watch from behind the last change of state knows the state, and claims no time for it', async () => {
  const server = await startServer();
  onTestFinished(() => server.stop());
  await server.register('loop', 'misbehaving/loop.wasm');
  const { executionId } = await server.functions.invokeFunction({
    task: 'loop',
    executionMode: ExecutionMode.ASYNC,
  });
  await expect
    .poll(async () => (await server.functions.getExecutionStatus({ executionId })).result?.state)
    .toBe('running.attempting');
  const { err, ended } = sitDown(['watch', executionId, '--from', '3'], server.grpcAddress);
  await expect.poll(() => err.text).toContain('\rspear: running.attempting');
  await server.functions.cancelExecution({ executionId });
  expect(await ended).toBe(0);
  expect(err.text).not.toContain('running.attempting for');
});

test('it ends where its reader has gone, also on a node where nothing happens', async () => {
  const server = await startServer();
  onTestFinished(() => server.stop());
  const script = `{ ${launcher} top; echo "exit code $?" >&2; } | head -n 2`;
  const { code, stdout, stderr } = await run(['-c', script], {
    program: '/bin/sh',
    address: server.grpcAddress,
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: 'exit code 141\n' });
  expect(stdout.toString()).toMatch(/^node spear .*\nnode spear .*\n$/);
});
