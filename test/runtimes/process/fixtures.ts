import { createHash } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { createIds } from '../../../src/actors/ids.ts';
import { InstanceRegistry } from '../../../src/actors/instances/instance-registry.ts';
import { createWarmRuntime } from '../../../src/actors/instances/warm-runtime.ts';
import { systemClock } from '../../../src/actors/time/system-clock.ts';
import type { Invocation } from '../../../src/domain/execution.ts';
import type { TaskDefinition } from '../../../src/domain/task.ts';
import type { TaskDraft } from '../../../src/domain/tasks.ts';
import type { ProcessRuntimeOptions } from '../../../src/runtimes/process/runtime.ts';
import { openProcessRuntime } from '../../../src/runtimes/process/runtime.ts';
import type { Attempt, InstanceRuntime, Launch, Runtime } from '../../../src/runtimes/runtime.ts';
import { attemptOf, Collected } from '../attempt.ts';

let nodes = 0;

/** A node id that no other test run on this machine has. */
export function newNodeId(): string {
  nodes += 1;
  return `test-${process.pid}-${nodes}`;
}

export function open(options: Partial<ProcessRuntimeOptions> = {}): Promise<InstanceRuntime> {
  return openProcessRuntime({ nodeId: newNodeId(), clock: systemClock, hostAccess: true, ...options });
}

/** With the adapter that the node puts around it. */
export async function openRuntime(options: Partial<ProcessRuntimeOptions> = {}): Promise<Runtime> {
  return createWarmRuntime(await open(options), {
    registry: new InstanceRegistry(systemClock),
    clock: systemClock,
    ids: createIds(systemClock),
  });
}

export function launchOf({ taskId, revision, task, invocation }: Attempt): Launch {
  const { args, environment } = invocation;
  return { instanceId: 'instance_1', taskId, revision, task, args, environment };
}

/** Programs that a user without privileges can reach. */
export class Programs {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<Programs> {
    const folder = await mkdtemp(join(tmpdir(), 'spear-programs-'));
    await chmod(folder, 0o755);
    return new Programs(folder);
  }

  /** A task that runs a script of /bin/sh. */
  async script(name: string, lines: string, over: Partial<TaskDefinition> = {}): Promise<TaskDefinition> {
    return this.program(name, `#!/bin/sh\n${lines}\n`, over);
  }

  async program(name: string, text: string, over: Partial<TaskDefinition> = {}): Promise<TaskDefinition> {
    const path = join(this.folder, name);
    await writeFile(path, text);
    await chmod(path, 0o755);
    const sha256 = createHash('sha256').update(text).digest('hex');
    return { ...taskOf(name, path, sha256), ...over };
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

export function taskOf(name: string, path: string, sha256: string): TaskDefinition {
  return {
    name,
    description: '',
    runtime: 'process',
    artifact: { kind: 'process', path, sha256 },
    args: [],
    environment: {},
    preopens: {},
    allowNetwork: false,
    timeouts: {},
    graceMs: 5000,
    limits: { maxOutputBytes: 2 ** 26, maxOutputEvents: 100_000 },
    retry: { maxAttempts: 1, initialMs: 200, factor: 2, maxMs: 30_000, jitter: 0.1, on: [] },
    instancePolicy: 'fresh',
    user: '',
    workingDirectory: '',
    warm: { min: 0, max: 0, idleTimeoutMs: 60_000, startAhead: false },
  };
}

export function withLimits(task: TaskDefinition, limits: Partial<TaskDefinition['limits']>): TaskDefinition {
  return { ...task, limits: { ...task.limits, ...limits } };
}

export function draftOf(task: TaskDefinition, path: string, sha256 = ''): TaskDraft {
  const { artifact: _, ...rest } = task;
  return { ...rest, source: { kind: 'path', path }, sha256 };
}

/** An attempt on its way, with what it has written so far. */
export interface Going {
  readonly io: Collected;
  readonly controller: AbortController;
  readonly running: ReturnType<Runtime['run']>;
}

export function start(runtime: Runtime, task: TaskDefinition, invocation: Partial<Invocation> = {}): Going {
  const controller = new AbortController();
  const io = new Collected();
  return { io, controller, running: runtime.run(attemptOf(task, invocation), io, controller.signal) };
}

/** Process ids that a program tells are those of the host only where it is held by cgroups. */
export function needsCgroups(context: TestContext, runtime: Pick<Runtime, 'defaultLimits'>): void {
  if (runtime.defaultLimits.processes === undefined) context.skip('no cgroups can be made here');
}
