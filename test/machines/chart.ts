/** Drives the execution chart as pure functions: no actor, no clock, effects as readable text. */
import { expect } from 'vitest';
import { initialTransition, transition } from 'xstate';
import type { ErrorCode } from '../../src/domain/errors.ts';
import type { RecoveryPolicy } from '../../src/domain/interruption.ts';
import {
  type ExecutionSnapshot,
  executionMachine,
  machineFor,
  statePath,
} from '../../src/machines/execution.ts';
import type { ExecutionEvent, ExecutionInput } from '../../src/machines/execution-context.ts';
import { noRetry } from '../support/samples.ts';

/** The instant of admission in these tests. */
export const t0 = 1_000_000;
export const totalDeadline = t0 + 10_000;

export function inputWith(more: Partial<ExecutionInput> = {}): ExecutionInput {
  return {
    executionId: 'exec_1',
    now: t0,
    totalMs: 10_000,
    graceMs: 100,
    retry: noRetry,
    recovery: mayRunAgain,
    ...more,
  };
}

export const mayRunAgain: RecoveryPolicy = { onInterrupt: 'rerun', maxRecoveries: 3 };
export const runsOnce: RecoveryPolicy = { onInterrupt: 'fail', maxRecoveries: 3 };

export const twoAttempts = { ...noRetry, maxAttempts: 2 };

export interface Step {
  readonly snapshot: ExecutionSnapshot;
  readonly state: string;
  /** What the chart asked for in this step, such as `armAlarm 1010000`. */
  readonly effects: readonly string[];
}

interface Action {
  readonly type: string;
  readonly params?: unknown;
}

function stepOf(snapshot: ExecutionSnapshot, actions: readonly Action[]): Step {
  return { snapshot, state: statePath(snapshot), effects: actions.map(effectText) };
}

function effectText({ type, params }: Action): string {
  const at = (params as { at?: number } | undefined)?.at;
  return at === undefined ? type : `${type} ${at}`;
}

export function begin(more: Partial<ExecutionInput> = {}): Step {
  const [snapshot, actions] = initialTransition(machineFor(inputWith(more)), inputWith(more));
  return stepOf(snapshot, actions);
}

/** The last of the steps that these events make. */
export function send(step: Step, ...events: readonly ExecutionEvent[]): Step {
  let last = step;
  for (const event of events) {
    const [snapshot, actions] = transition(executionMachine, last.snapshot, event);
    last = stepOf(snapshot, actions);
  }
  return last;
}

export const dispatch = (at: number): ExecutionEvent => ({ type: 'dispatch', at });
export const alarm = (at: number): ExecutionEvent => ({ type: 'alarm', at });
export const cancel = (at: number, reason = ''): ExecutionEvent => ({ type: 'cancel', at, reason });
export const detach = (at: number): ExecutionEvent => ({ type: 'detach', at });
export const suspend = (at: number): ExecutionEvent => ({ type: 'suspend', at });
export const paused = (at: number): ExecutionEvent => ({ type: 'paused', at });
export const resume = (at: number): ExecutionEvent => ({ type: 'resume', at });
export const reattached = (at: number): ExecutionEvent => ({ type: 'reattached', at });
export const lost = (at: number): ExecutionEvent => ({ type: 'lost', at, message: 'the node stopped' });
export const restored = (at: number, takenAt: number, hold = false): ExecutionEvent => ({
  type: 'restored',
  at,
  takenAt,
  hold,
});
export const unblocked = (at: number, failed?: string): ExecutionEvent => ({
  type: 'unblocked',
  at,
  ...(failed !== undefined && { failed: { code: 'DEPENDENCY_FAILED', message: failed } }),
});
export const limit = (at: number): ExecutionEvent => ({
  type: 'limit',
  at,
  cause: { code: 'OUTPUT_LIMIT', message: 'too much' },
});
export const completed = (at: number, more: { exitCode?: number; output?: string } = {}): ExecutionEvent => ({
  type: 'attemptEnded',
  at,
  end: { kind: 'completed', ...more },
  random: 0,
});
export const trapped = (at: number, random = 0): ExecutionEvent => ({
  type: 'attemptEnded',
  at,
  end: { kind: 'failed', code: 'TRAP', message: 'unreachable' },
  random,
});
export const stopped = (at: number, rung = 'terminate'): ExecutionEvent => ({
  type: 'attemptEnded',
  at,
  end: { kind: 'stopped', rung },
  random: 0,
});

export function expectEnd(step: Step, state: string, code: ErrorCode): void {
  expect(step.state).toBe(state);
  expect(step.snapshot.status).toBe('done');
  expect(step.snapshot.context.outcome).toMatchObject({ status: state, code });
}
