import { expect, onTestFinished } from 'vitest';
import {
  ExecutionMode,
  type ExecutionStatus,
  type StreamExecutionResult,
} from '../../src/server/gen/spearlet/function_pb.js';
import { timeOf } from './grammar.ts';
import { server, withServer } from './local.ts';

export const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();
export const words = Buffer.from('one two\nthree\n');
export const counted = '2 3 14\n';

export function withFunctions(): void {
  withServer({ slots: '6' }, async () => {
    await server.register('count', 'wordcount/wordcount.wasm');
    await server.register('ticker', 'ticker/ticker.wasm');
    await server.register('typed', 'typed/typed.wasm');
    await server.register('exit', 'misbehaving/exit.wasm');
    await server.register('loop', 'misbehaving/loop.wasm');
  });
}

/** An execution that runs until the test is over. */
export async function looping(): Promise<string> {
  const { executionId } = await server.functions.invokeFunction({
    task: 'loop',
    executionMode: ExecutionMode.ASYNC,
  });
  onTestFinished(async () => void (await server.functions.cancelExecution({ executionId })));
  return executionId;
}

export async function statusOf(executionId: string): Promise<ExecutionStatus | undefined> {
  return (await server.functions.getExecutionStatus({ executionId })).result?.status;
}

export async function executionsOf(task: string): Promise<string[]> {
  const { executions } = await server.functions.listExecutions({ task, pageSize: 1000 });
  return executions.map((execution) => execution.executionId);
}

/** A list attaches no observer, which would keep an execution whose caller has gone. */
export async function listed(task: string, executionId: string) {
  const { executions } = await server.functions.listExecutions({ task, pageSize: 1000 });
  return executions.find((execution) => execution.executionId === executionId);
}

/** The execution of a call that has not answered yet. */
export async function newExecutionOf(task: string, known: readonly string[]): Promise<string> {
  const find = async () => (await executionsOf(task)).find((id) => !known.includes(id));
  await expect.poll(find).toBeDefined();
  return (await find()) ?? '';
}

export async function firstOf(events: AsyncIterable<StreamExecutionResult>, count: number) {
  const first: StreamExecutionResult[] = [];
  for await (const event of events) if (first.push(event) === count) break;
  return first;
}

export function number(value: number) {
  return { kind: { case: 'numberValue' as const, value } };
}

export function list(values: readonly (number | string)[]) {
  const items = values.map((value) =>
    typeof value === 'number' ? number(value) : { kind: { case: 'stringValue' as const, value } },
  );
  return { kind: { case: 'listValue' as const, value: { values: items } } };
}

/** Events as every observer sees them: a result says when it was looked at. */
export function withoutViewTime(events: readonly StreamExecutionResult[]) {
  return events.map((event) => ({
    sequence: event.sequence,
    position: event.position,
    time: timeOf(event),
    status: event.status,
    attempt: event.attempt,
    body: event.event.case === 'result' ? { ...event.event.value, timestamp: undefined } : event.event,
  }));
}
