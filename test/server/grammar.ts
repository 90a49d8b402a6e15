import { timestampMs } from '@bufbuild/protobuf/wkt';
import { expect } from 'vitest';
import {
  type ExecutionResult,
  ExecutionStatus,
  OutputStream,
  type StreamExecutionResult,
} from '../../src/server/gen/spearlet/function_pb.js';

const statusOfState: Readonly<Record<string, ExecutionStatus>> = {
  pending: ExecutionStatus.PENDING,
  running: ExecutionStatus.RUNNING,
};

/**
 * Holds a whole log of a finished execution against docs/ARCHITECTURE.md, "One log per execution", and returns its result.
 */
export function expectWholeLog(events: readonly StreamExecutionResult[]): ExecutionResult {
  expect(events.map((event) => Number(event.sequence))).toEqual(events.map((_, index) => index + 1));
  expect(new Set(events.map((event) => event.executionId)).size).toBe(1);
  let state = '';
  let before: StreamExecutionResult | undefined;
  for (const event of events) {
    const last = event === events.at(-1);
    expect(event.isFinal, `event ${event.sequence} is final`).toBe(last);
    if (before !== undefined) {
      expect(event.position).toBeGreaterThan(before.position);
      expect(event.attempt).toBeGreaterThanOrEqual(before.attempt);
      expect(timeOf(event)).toBeGreaterThanOrEqual(timeOf(before));
    }
    switch (event.event.case) {
      case 'transition': {
        const { from, to, eventType, contextPatch, chartVersion } = event.event.value;
        expect(from).toBe(state);
        if (before === undefined) expect(to).toMatch(/^pending\./);
        expect(eventType).not.toBe('');
        expect(chartVersion).toBeGreaterThan(0);
        expect(Buffer.byteLength(contextPatch)).toBeLessThanOrEqual(4096);
        if (contextPatch !== '') JSON.parse(contextPatch);
        const [parent = ''] = to.split('.');
        expect(event.status).toBe(statusOfState[parent]);
        state = to;
        break;
      }
      case 'chunk':
        expect(event.event.value.data.byteLength).toBeGreaterThan(0);
        expect(event.event.value.data.byteLength).toBeLessThanOrEqual(65_536);
        expect(state).toMatch(/^running\./);
        expect(event.attempt).toBeGreaterThan(0);
        break;
      case 'result':
        expect(last).toBe(true);
        expect(event.event.value.isCompleted).toBe(true);
        expect(event.event.value.status).toBe(event.status);
        expect(event.event.value.attempt).toBe(event.attempt);
        break;
      default:
        expect.unreachable(`event ${event.sequence} has no body`);
    }
    before = event;
  }
  expect(events[0]?.attempt).toBe(0);
  const result = events.at(-1)?.event;
  if (result?.case !== 'result') return expect.unreachable('the last event is not a result');
  return result.value;
}

/** The states that a log goes through, without the last. */
export function statesOf(events: readonly StreamExecutionResult[]): string[] {
  return events.flatMap(({ event }) => (event.case === 'transition' ? [event.value.to] : []));
}

export function outputOf(events: readonly StreamExecutionResult[], stream = OutputStream.STDOUT): Buffer {
  return Buffer.concat(
    events.flatMap(({ event }) =>
      event.case === 'chunk' && event.value.stream === stream ? [event.value.data] : [],
    ),
  );
}

export function timeOf(event: StreamExecutionResult): number {
  return event.time === undefined ? Number.NaN : timestampMs(event.time);
}
