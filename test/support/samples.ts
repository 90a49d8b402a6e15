import type { Invocation } from '../../src/domain/execution.ts';
import type { AdmissionRequest } from '../../src/domain/executions.ts';
import type { RetryPolicy, Task, TaskDefinition } from '../../src/domain/task.ts';
import type { TaskCaps } from '../../src/domain/task-bounds.ts';

export const noRetry: RetryPolicy = {
  maxAttempts: 1,
  initialMs: 200,
  factor: 2,
  maxMs: 30_000,
  jitter: 0,
  on: [],
};

/** A wasm task without any effect outside, named `echo`. */
export function taskWith(definition: Partial<TaskDefinition> = {}): Task {
  return {
    taskId: 'task_00000000000000000000000001',
    revision: 1,
    definition: {
      name: 'echo',
      description: '',
      runtime: 'wasm',
      artifact: { kind: 'wasm', sha256: 'a'.repeat(64), sizeBytes: 10 },
      args: [],
      environment: {},
      preopens: {},
      allowNetwork: false,
      timeouts: {},
      graceMs: 1000,
      limits: { memory: 65_536, maxOutputBytes: 64 * 1024 * 1024, maxOutputEvents: 100_000 },
      retry: noRetry,
      instancePolicy: 'fresh',
      user: '',
      workingDirectory: '',
      warm: { min: 0, max: 0, idleTimeoutMs: 60_000, startAhead: false },
      ...definition,
    },
    functions: [],
    wit: '',
    createdAt: 1_750_000_000_000,
    updatedAt: 1_750_000_000_000,
  };
}

export function invocationWith(more: Partial<Invocation> = {}): Invocation {
  return {
    functionName: '',
    parameters: {},
    input: new Uint8Array(),
    contentType: '',
    args: [],
    environment: {},
    forceNewInstance: false,
    ...more,
  };
}

export function requestWith(more: Partial<AdmissionRequest> = {}): AdmissionRequest {
  return {
    task: taskWith(),
    invocation: invocationWith(),
    mode: 'sync',
    invocationId: '',
    payloadDigest: '',
    metadata: {},
    timeouts: { totalMs: 300_000 },
    startAfterMs: 0,
    cancelOnDisconnect: false,
    ...more,
  };
}

/** Caps that nothing of a test comes near. */
export const roomyCaps: TaskCaps = {
  memory: 2 ** 40,
  cpu: 1024,
  processes: 1_000_000,
  openFiles: 1_000_000,
  outputBytes: 2 ** 40,
  timeoutMs: 366 * 24 * 60 * 60 * 1000,
  warm: 1000,
};
