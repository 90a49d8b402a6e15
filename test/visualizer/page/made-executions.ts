/** Executions as a busy node has them, the same ones for the same seed. */
import { executionResultDefaults } from '../../../src/visualizer/page/gen/defaults.ts';
import type { ExecutionResultJson } from '../../../src/visualizer/page/wire.ts';

export const taskNames = ['resize', 'transcode', 'invoice-pdf', 'embed-text', 'nightly-report', 'thumbnail'];

const ends = [
  {
    status: 'EXECUTION_STATUS_COMPLETED',
    code: 'UNSPECIFIED',
    origin: 'UNSPECIFIED',
    message: '',
    weight: 86,
  },
  {
    status: 'EXECUTION_STATUS_FAILED',
    code: 'FUNCTION_EXIT',
    origin: 'USER',
    message: 'exit code 2',
    weight: 6,
  },
  {
    status: 'EXECUTION_STATUS_FAILED',
    code: 'TRAP',
    origin: 'USER',
    message: 'wasm trap: unreachable; 12 MiB of 128 MiB used',
    weight: 2,
  },
  {
    status: 'EXECUTION_STATUS_FAILED',
    code: 'MEMORY_LIMIT',
    origin: 'POLICY',
    message: 'out of memory: 128 MiB',
    weight: 1,
  },
  {
    status: 'EXECUTION_STATUS_TIMED_OUT',
    code: 'ATTEMPT_TIMEOUT',
    origin: 'POLICY',
    message: 'an attempt ran longer than 5 s',
    weight: 3,
  },
  {
    status: 'EXECUTION_STATUS_CANCELLED',
    code: 'CANCELLED',
    origin: 'POLICY',
    message: 'cancelled by a caller',
    weight: 2,
  },
] as const;

/** A number from 0 to 1 for each seed. */
export function chance(seed: number): number {
  let value = (seed + 0x6d2b79f5) | 0;
  value = Math.imul(value ^ (value >>> 15), value | 1);
  value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
  return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
}

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

function base32(value: number, length: number): string {
  let text = '';
  for (let rest = value; text.length < length; rest = Math.floor(rest / 32))
    text = (alphabet[rest % 32] ?? '0') + text;
  return text;
}

/** Ordered by time, as a node's ids are. */
export function idAt(time: number, seed: number): string {
  return `exec_${base32(time, 10)}${base32(seed, 6)}${base32(Math.floor(chance(seed * 7) * 2 ** 40), 10)}`;
}

type Change = Partial<ExecutionResultJson>;

/** One that was admitted at an instant and is as `change` says. */
export function execution(createdAt: number, seed: number, change: Change = {}): ExecutionResultJson {
  const taskName = taskNames[Math.floor(chance(seed) * taskNames.length)] ?? 'resize';
  return {
    ...executionResultDefaults,
    status: 'EXECUTION_STATUS_PENDING',
    state: 'pending.queued',
    mode: 'EXECUTION_MODE_ASYNC',
    isAsync: true,
    createdAt: new Date(createdAt).toISOString(),
    requestId: `req-${seed}`,
    timestamp: new Date(createdAt).toISOString(),
    allowedEvents: ['cancel', 'suspend'],
    executionId: idAt(createdAt, seed),
    taskId: `task_${taskName}`,
    taskName,
    taskRevision: 3,
    functionName: taskName === 'embed-text' ? 'probe:typed/embed@1.0.0#embed' : '',
    oldestSequence: '1',
    priority: 'PRIORITY_NORMAL',
    tenant: 'default',
    ...change,
  };
}

export function running(before: ExecutionResultJson, at: number): ExecutionResultJson {
  return {
    ...before,
    status: 'EXECUTION_STATUS_RUNNING',
    state: 'running.attempting',
    attempt: before.attempt + 1,
    startedAt: before.startedAt ?? new Date(at).toISOString(),
    timestamp: new Date(at).toISOString(),
    instanceId: `inst_${before.executionId.slice(-6)}`,
  };
}

export function ended(before: ExecutionResultJson, at: number, seed: number): ExecutionResultJson {
  let left = chance(seed * 13) * 100;
  const end = ends.find(({ weight }) => {
    left -= weight;
    return left < 0;
  });
  if (end === undefined) throw new Error('an execution ends in some way');
  const state = { COMPLETED: 'completed', FAILED: 'failed', TIMED_OUT: 'timedOut', CANCELLED: 'cancelled' };
  return {
    ...before,
    status: end.status,
    state: state[end.status.slice('EXECUTION_STATUS_'.length) as keyof typeof state],
    isCompleted: true,
    attempt: Math.max(1, before.attempt),
    errorCode: `ERROR_CODE_${end.code}` as const,
    errorOrigin: `ERROR_ORIGIN_${end.origin}` as const,
    errorMessage: end.message,
    completedAt: new Date(at).toISOString(),
    timestamp: new Date(at).toISOString(),
    allowedEvents: [],
  };
}
