/** Nodes with scripted runtimes and a clock that stands still, which executions are carried between. */

import { Supervisor } from '../../src/actors/executions/supervisor.ts';
import { createIds } from '../../src/actors/ids.ts';
import { Restoring } from '../../src/actors/snapshots/restoring.ts';
import { noKeys } from '../../src/actors/snapshots/seals.ts';
import { takeSnapshot } from '../../src/actors/snapshots/snapshots.ts';
import { NodeTime } from '../../src/actors/time/node-time.ts';
import type { ClockRecord } from '../../src/domain/clock-record.ts';
import type { RestoreOptions, Snapshots, TakeOptions } from '../../src/domain/snapshot/port.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { createMemoryStore, type MemoryStore } from '../support/memory-store/store.ts';
import { roomyCaps, taskWith } from '../support/samples.ts';
import { ScriptedRuntime } from '../support/scripted-runtime.ts';

export const copy: TakeOptions = { detach: false, includeEnvironment: true, includeArtifact: false };
export const move: TakeOptions = { ...copy, detach: true };
export const plain: RestoreOptions = {
  hold: false,
  asNew: false,
  allowCopy: false,
  environment: {},
  principal: { name: 'test', role: 'admin' },
  scope: { tenant: 'default' },
};

export interface TestNode {
  readonly store: MemoryStore;
  readonly time: NodeTime;
  readonly supervisor: Supervisor;
  readonly runtime: ScriptedRuntime;
  readonly snapshots: Snapshots;
}

/** `clock` is that of its machine. Each knows the task of the samples. */
export async function startNode(
  clock: FakeClock,
  task = taskWith(),
  nodeId = 'node_1',
  record?: ClockRecord,
): Promise<TestNode> {
  const time = new NodeTime(clock, record);
  const store = createMemoryStore();
  await store.saveTask(task);
  const runtime = new ScriptedRuntime(clock, task.definition.runtime);
  const runtimes = new Map([[runtime.kind, runtime]]);
  const ids = createIds(clock);
  const supervisor = new Supervisor({
    clock,
    time,
    ids,
    random: () => 0.5,
    store,
    runtimes,
    slots: 1,
    queueLimit: 100,
    listener: {
      storeHealth: () => {},
      bug: (error) => Promise.reject(error),
    },
  });
  const artifacts = {
    has: async () => true,
    load: () => Promise.reject(new Error('no bytes')),
    put: () => Promise.reject(new Error('no bytes')),
  };
  const keys = noKeys;
  const restoring = new Restoring({
    store,
    runtimes,
    artifacts,
    policy: { allow: new Set(), hostAccess: true, maxArtifactBytes: 1024, caps: roomyCaps },
    transfers: supervisor,
    checkCall: (_task, name) => name,
    payloadDigest: (taskId) => `digest of ${taskId}`,
    spool: { create: async () => spooledInMemory() },
    ids,
    clock,
    time,
    nodeId,
    keys,
    maxLineBytes: 1024 * 1024,
    maxBytes: 1024 * 1024 * 1024,
    maxAtOnce: 8,
  });
  const taking = {
    store,
    transfers: supervisor,
    artifacts,
    clock,
    time,
    nodeId,
    program: 'spear 0',
    keys,
  };
  return {
    store,
    time,
    supervisor,
    runtime,
    snapshots: {
      take: (executionId, wishes) => takeSnapshot(taking, executionId, wishes),
      restore: (bytes, wishes, signal) => restoring.restore(bytes, wishes, signal),
    },
  };
}

function spooledInMemory() {
  const pieces: Uint8Array[] = [];
  return {
    write: async (bytes: Uint8Array) => void pieces.push(bytes),
    async *read() {
      yield* pieces;
    },
    close: async () => {},
  };
}

export async function documentOf(
  { snapshots }: TestNode,
  executionId: string,
  wishes: TakeOptions = move,
): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of (await snapshots.take(executionId, wishes)).bytes) parts.push(part);
  return Buffer.concat(parts);
}

export function restoreTo(
  { snapshots }: TestNode,
  document: Uint8Array,
  wishes: Partial<RestoreOptions> = {},
  signal: AbortSignal = new AbortController().signal,
) {
  const bytes = async function* () {
    yield document;
  };
  return snapshots.restore(bytes(), { ...plain, ...wishes }, signal);
}
