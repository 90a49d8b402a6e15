import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { RequestError } from '../../src/domain/errors.ts';
import { ExecutionStatus, FunctionService } from '../../src/server/gen/spearlet/function_pb.js';
import { startServer } from '../support/server.ts';
import { startScriptedServer } from './scripted-server.ts';
import { errorLine, run } from './spear.ts';

const id = 'exec_1';
const { suspendExecution, resumeExecution, deleteExecution } = FunctionService.method;

describe('suspend', () => {
  test('says where the execution is held, and of one that was so already that nothing changed', async () => {
    const held = { changed: true, status: ExecutionStatus.PENDING, state: 'pending.held' };
    const server = await startScriptedServer({ functions: { suspendExecution: held } });
    const ended = await run(['suspend', id], server);
    expect(ended.code, ended.stderr).toBe(0);
    expect(errorLine(ended)).toBe('spear: exec_1 is being held; it is now pending, in pending.held');
    expect(server.calls).toEqual([
      { method: 'SuspendExecution', request: create(suspendExecution.input, { executionId: id }) },
    ]);
    const again = await startScriptedServer({ functions: { suspendExecution: { ...held, changed: false } } });
    expect(errorLine(await run(['suspend', id], again))).toBe(
      'spear: exec_1 was not changed: it is pending, in pending.held',
    );
  });

  test('that is refused says why, and exits with 64', async () => {
    const message = `the attempt of ${id} can be neither paused nor run again`;
    const refusal = new RequestError('failed_precondition', `execution_id: ${message}`, {
      reason: 'NOT_SUSPENDABLE',
    });
    const server = await startScriptedServer({ functions: { suspendExecution: refusal } });
    const ended = await run(['suspend', id], server);
    expect(ended.code).toBe(64);
    expect(errorLine(ended)).toBe(`spear: ID: ${message}`);
  });
});

describe('resume', () => {
  test('says where the execution goes on, and of one that is not held that nothing changed', async () => {
    const queued = { changed: true, status: ExecutionStatus.PENDING, state: 'pending.queued' };
    const server = await startScriptedServer({ functions: { resumeExecution: queued } });
    const ended = await run(['resume', id], server);
    expect(ended.code, ended.stderr).toBe(0);
    expect(errorLine(ended)).toBe('spear: exec_1 goes on; it is now pending, in pending.queued');
    expect(server.calls).toEqual([
      { method: 'ResumeExecution', request: create(resumeExecution.input, { executionId: id }) },
    ]);
    const over = { changed: false, status: ExecutionStatus.TIMED_OUT, state: 'timedOut' };
    const again = await startScriptedServer({ functions: { resumeExecution: over } });
    expect(errorLine(await run(['resume', id], again))).toBe(
      'spear: exec_1 was not changed: it is timed out',
    );
  });
});

test('delete says what is gone', async () => {
  const server = await startScriptedServer({ functions: { deleteExecution: {} } });
  const ended = await run(['delete', id], server);
  expect(ended.code, ended.stderr).toBe(0);
  expect(errorLine(ended)).toBe('spear: deleted exec_1');
  expect(server.calls).toEqual([
    { method: 'DeleteExecution', request: create(deleteExecution.input, { executionId: id }) },
  ]);
});

test.for<[string, object]>([
  ['suspend', { changed: true, status: 'EXECUTION_STATUS_RUNNING', state: 'running.suspended' }],
  ['resume', { changed: false, status: 'EXECUTION_STATUS_RUNNING', state: 'running.attempting' }],
  ['delete', {}],
])('%s --json prints the response alone', async ([command, answer]) => {
  const status = ExecutionStatus.RUNNING;
  const server = await startScriptedServer({
    functions: {
      suspendExecution: { changed: true, status, state: 'running.suspended' },
      resumeExecution: { changed: false, status, state: 'running.attempting' },
      deleteExecution: {},
    },
  });
  const { code, stdout, stderr } = await run([command, id, '--json'], server);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout.toString())).toEqual(answer);
});

test.for(['suspend', 'resume', 'delete'])('%s needs an id', async (command) => {
  const ended = await run([command, '--address', '127.0.0.1:1']);
  expect(ended.code).toBe(64);
  expect(errorLine(ended)).toContain(`ID: is missing; allowed is spear ${command}`);
});

test('a real execution is held, goes on, is cancelled and forgotten', async () => {
  const node = await startServer();
  try {
    const server = { address: node.grpcAddress };
    await node.register('exit', 'misbehaving/exit.wasm');
    const invoked = await run(['invoke', 'exit', '--mode', 'async', '--start-after', '4m'], server);
    const executionId = invoked.stdout.toString().trim();
    expect(errorLine(await run(['suspend', executionId], server))).toBe(
      `spear: ${executionId} is being held; it is now pending, in pending.held`,
    );
    expect((await run(['status', executionId], server)).stdout.toString()).toMatch(
      new RegExp(`^held +until spear resume ${executionId}$`, 'm'),
    );
    expect((await run(['list'], server)).stdout.toString()).toMatch(/ held$/m);
    const early = await run(['delete', executionId], server);
    expect(early.code).toBe(64);
    expect(errorLine(early)).toContain(executionId);
    expect(errorLine(await run(['resume', executionId], server))).toBe(
      `spear: ${executionId} goes on; it is now pending, in pending.waiting`,
    );
    expect((await run(['cancel', executionId], server)).code).toBe(0);
    expect(errorLine(await run(['delete', executionId], server))).toBe(`spear: deleted ${executionId}`);
    expect((await run(['status', executionId], server)).code).toBe(127);
  } finally {
    await node.stop();
  }
});
