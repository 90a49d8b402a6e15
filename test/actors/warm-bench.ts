/** A warm runtime over scripted instances and a clock that stands still. */
import { createIds } from '../../src/actors/ids.ts';
import { InstanceRegistry } from '../../src/actors/instances/instance-registry.ts';
import { createWarmRuntime } from '../../src/actors/instances/warm-runtime.ts';
import type { Invocation } from '../../src/domain/execution.ts';
import type { TaskDefinition, WarmPolicy } from '../../src/domain/task.ts';
import type { AttemptIo, AttemptOutcome } from '../../src/runtimes/runtime.ts';
import { attemptOf, Collected } from '../runtimes/attempt.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { taskWith } from '../support/samples.ts';
import { ScriptedInstances } from '../support/scripted-instances.ts';

export function warmTask(warm: Partial<WarmPolicy> = {}): TaskDefinition {
  return taskWith({
    runtime: 'docker',
    warm: { min: 1, max: 1, idleTimeoutMs: 60_000, maxUses: 1, startAhead: true, ...warm },
  }).definition;
}

export function warmBench(instances = new ScriptedInstances()) {
  const clock = new FakeClock();
  const registry = new InstanceRegistry(clock);
  const warnings: string[] = [];
  const runtime = createWarmRuntime(instances, {
    registry,
    clock,
    ids: createIds(clock),
    logger: { warn: (_details, message) => warnings.push(message) },
  });
  return {
    clock,
    instances,
    registry,
    runtime,
    warnings,
    /** Keeps the task warm and lets what it starts come up. */
    async warm(task: TaskDefinition): Promise<void> {
      const { taskId, revision } = attemptOf(task);
      runtime.warm(taskId, revision, task, {});
      await settle();
    },
    /** Runs an attempt up to where it waits for its program. */
    async begin(
      task: TaskDefinition,
      invocation: Partial<Invocation> = {},
      io: AttemptIo = new Collected(),
    ): Promise<{ outcome: Promise<AttemptOutcome>; abort: () => void }> {
      const controller = new AbortController();
      const outcome = runtime.run(attemptOf(task, invocation), io, controller.signal);
      await settle();
      return { outcome, abort: () => controller.abort() };
    },
    states: () => registry.instances().map(({ state }) => state),
  };
}
