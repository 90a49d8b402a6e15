import type { MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { RequestError } from '../../src/domain/errors.ts';
import { type ExecutionResultSchema, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { startScriptedServer } from './scripted-server.ts';
import { errorLine, run } from './spear.ts';

type Result = MessageInitShape<typeof ExecutionResultSchema>;

const held = {
  executionId: 'exec_1',
  taskName: 'web',
  status: ExecutionStatus.PENDING,
  state: 'pending.held',
  allowedEvents: ['cancel', 'resume'],
} satisfies Result;
const recovered = {
  executionId: 'exec_2',
  taskName: 'web',
  status: ExecutionStatus.COMPLETED,
  state: 'completed',
  isCompleted: true,
  recoveries: 2,
  originExecutionId: 'exec_0',
  oldestSequence: 7n,
} satisfies Result;

async function statusOf(result: Result, lastSequence: bigint): Promise<string[]> {
  const server = await startScriptedServer({ functions: { getExecutionStatus: { result, lastSequence } } });
  const { code, stdout, stderr } = await run(['status', 'exec_1'], server);
  expect(code, stderr).toBe(0);
  return stdout
    .toString()
    .split('\n')
    .map((line) => line.replace(/ {2,}/, '  '));
}

describe('status', () => {
  test('of one that is held says how it goes on, and guesses no end', async () => {
    const lines = await statusOf(held, 2n);
    expect(lines).toContain('status  pending, in pending.held');
    expect(lines).toContain('held  until spear resume exec_1');
    expect(lines).toContain('log  2 events: spear watch exec_1');
    expect(lines.join('\n')).not.toMatch(/^(estimate|recoveries|restored from) /m);
  });

  test('tells recoveries, the origin and where the log begins', async () => {
    const lines = await statusOf(recovered, 9n);
    expect(lines).toContain('status  completed');
    expect(lines).toContain('recoveries  2');
    expect(lines).toContain('restored from  exec_0');
    expect(lines).toContain('log  events 7 to 9: spear watch exec_2 --from 7');
    expect(lines.join('\n')).not.toMatch(/^(held|estimate) /m);
  });
});

test('list notes what sets an execution apart, and nothing of others', async () => {
  const executions = [
    held,
    { ...recovered, recoveries: 1 },
    { executionId: 'exec_3', taskName: 'web', status: ExecutionStatus.RUNNING, oldestSequence: 1n },
  ];
  const server = await startScriptedServer({ functions: { listExecutions: { executions } } });
  const { stdout } = await run(['list'], server);
  const cells = stdout
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/));
  expect(cells).toEqual([
    ['EXECUTION', 'TASK', 'STATUS', 'ERROR', 'CREATED', 'TIME', 'NOTES'],
    ['exec_1', 'web', 'pending', '-', '-', '-', 'held'],
    ['exec_2', 'web', 'completed', '-', '-', '-', '1 recovery, restored from exec_0, log from #7'],
    ['exec_3', 'web', 'running', '-', '-', '-'],
  ]);
});

describe('watch', () => {
  test('of a log whose beginning is gone says from where it can be watched', async () => {
    const refusal = new RequestError('out_of_range', 'from_sequence: 1 is gone; the oldest event is 7', {
      reason: 'SEQUENCE_GONE',
      metadata: { oldest_sequence: '7', last_sequence: '9' },
    });
    const server = await startScriptedServer({
      functions: { getExecutionStatus: { result: recovered }, watchExecution: refusal },
    });
    const ended = await run(['watch', 'exec_2'], server);
    expect(ended.code).toBe(64);
    expect(errorLine(ended)).toBe(
      'spear: --from: 1 is gone; the oldest event is 7; what is left can be watched with --from 7',
    );
  });

  test('shows each state on the way, and at the end what sets the execution apart', async () => {
    const event = (sequence: bigint, to: string) => ({
      executionId: 'exec_2',
      sequence,
      event: { case: 'transition' as const, value: { from: '', to, eventType: 'suspend' } },
    });
    const server = await startScriptedServer({
      functions: {
        getExecutionStatus: { result: recovered },
        watchExecution: [
          event(7n, 'pending.held'),
          event(8n, 'running.suspended'),
          {
            executionId: 'exec_2',
            sequence: 9n,
            isFinal: true,
            event: { case: 'result' as const, value: recovered },
          },
        ],
      },
    });
    const { code, stderr } = await run(['watch', 'exec_2', '--from', '7'], server);
    expect(code).toBe(0);
    expect(stderr.split('\n')).toEqual([
      'spear: #7  pending.held (suspend)',
      'spear: #8  running.suspended (suspend)',
      'spear: #9  completed (2 recoveries, restored from exec_0, log from #7)',
      '',
    ]);
  });
});

test('wait says where the output has gone with its log', async () => {
  const result = { ...recovered, outputTruncated: true, outputBytes: 5n };
  const server = await startScriptedServer({
    functions: { getExecutionStatus: { result }, waitExecution: { result } },
  });
  const ended = await run(['wait', 'exec_2'], server);
  expect(ended.code).toBe(0);
  expect(ended.stdout.byteLength).toBe(0);
  expect(errorLine(ended)).toBe('spear: the output of exec_2 is gone: its log begins with event 7');
});
