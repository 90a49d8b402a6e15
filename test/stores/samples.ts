import type { NewEvent } from '../../src/domain/event.ts';
import type { ExecutionRecord, ExecutionStatus, Invocation } from '../../src/domain/execution.ts';
import type { Task, TaskDefinition } from '../../src/domain/task.ts';

/** An id that sorts by its number, as ids in use sort by time. */
export function executionId(number: number): string {
  return `exec_${String(number).padStart(26, '0')}`;
}

export function recordOf(
  id: string,
  status: ExecutionStatus,
  more: Partial<ExecutionRecord> = {},
): ExecutionRecord {
  return {
    executionId: id,
    taskId: 'task_00000000000000000000000001',
    taskName: 'echo',
    taskRevision: 1,
    functionName: '',
    mode: 'sync',
    invocationId: '',
    payloadDigest: '',
    requestId: 'req_00000000000000000000000001',
    metadata: { caller: 'tests' },
    contentType: 'application/octet-stream',
    cancelOnDisconnect: false,
    deadlines: { total: 1_750_000_300_000, attemptMs: 30_000 },
    status,
    state: status === 'pending' ? 'pending.queued' : status,
    attempt: 1,
    instanceId: 'inst_00000000000000000000000001',
    createdAt: 1_750_000_000_000,
    startedAt: 1_750_000_000_001,
    queueTimeMs: 0.25,
    executionTimeMs: 1.5,
    lastSequence: 3,
    attemptSequence: 2,
    outputBytes: 0,
    outputEvents: 0,
    droppedBytes: 0,
    resourceUse: {},
    ...more,
  };
}

export function transition(sequence: number, from: string, to: string): NewEvent & { kind: 'transition' } {
  return {
    kind: 'transition',
    sequence,
    time: 1_750_000_000_000 + sequence,
    status: to.startsWith('pending') ? 'pending' : 'running',
    attempt: to.startsWith('pending') ? 0 : 1,
    from,
    to,
    eventType: from === '' ? 'admit' : 'start',
    reasonCode: '',
    contextPatch: '{"attempt":1}',
    chartVersion: 1,
  };
}

export function chunk(sequence: number, data: Uint8Array, stream: 'stdout' | 'stderr' = 'stdout'): NewEvent {
  return {
    kind: 'chunk',
    sequence,
    time: 1_750_000_000_000 + sequence,
    status: 'running',
    attempt: 1,
    stream,
    data,
  };
}

export function refusal(sequence: number, host: string): Extract<NewEvent, { kind: 'refusal' }> {
  const head = { sequence, time: 1_750_000_000_000 + sequence, status: 'running', attempt: 1 } as const;
  return { kind: 'refusal', ...head, host, port: 443, address: '10.0.0.1', rule: 'private', more: 0 };
}

export function result(sequence: number, status: ExecutionStatus = 'completed'): NewEvent {
  return { kind: 'result', sequence, time: 1_750_000_000_000 + sequence, status, attempt: 1 };
}

/** The three events of a run without output, numbered from `first`. */
export function shortLog(first = 1): NewEvent[] {
  return [
    transition(first, '', 'pending.queued'),
    transition(first + 1, 'pending.queued', 'running.attempting'),
    result(first + 2),
  ];
}

export function invocationOf(more: Partial<Invocation> = {}): Invocation {
  return {
    functionName: 'ping',
    parameters: { list: [1, 'two', null, { three: true }] },
    input: Uint8Array.of(0, 255, 10, 13, 0),
    contentType: 'text/plain',
    args: ['-v'],
    environment: { LANG: 'C' },
    forceNewInstance: true,
    ...more,
  };
}

export function taskOf(
  taskId: string,
  revision: number,
  name: string,
  more: Partial<TaskDefinition> = {},
): Task {
  return {
    taskId,
    revision,
    definition: {
      name,
      description: `revision ${revision}`,
      runtime: 'wasm',
      artifact: { kind: 'wasm', sha256: 'a'.repeat(64), sizeBytes: 10 },
      args: [],
      environment: {},
      preopens: {},
      allowNetwork: false,
      timeouts: { totalMs: 300_000 },
      graceMs: 1000,
      limits: { memory: 1, maxOutputBytes: 2, maxOutputEvents: 3 },
      retry: { maxAttempts: 1, initialMs: 200, factor: 2, maxMs: 30_000, jitter: 0, on: [] },
      instancePolicy: 'fresh',
      user: '',
      workingDirectory: '',
      warm: { min: 0, max: 0, idleTimeoutMs: 60_000, startAhead: false },
      ...more,
    },
    functions: [],
    wit: '',
    createdAt: 1_750_000_000_000,
    updatedAt: 1_750_000_000_000 + revision,
  };
}

/** Bytes of all values that differ with the seed. */
export function bytesOf(length: number, seed = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) bytes[index] = index * 31 + seed * 17 + (index >> 8);
  return bytes;
}
