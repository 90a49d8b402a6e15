/**
 * Makes a Runtime of a runtime whose instances each run one attempt: an execution gets an instance that was started
 * ahead of it where there is one and where nothing of its own has to go into the start, and a new one otherwise.
 */
import type { Clock } from '../../domain/clock.ts';
import type { Invocation } from '../../domain/execution.ts';
import type { InstanceReport } from '../../domain/instance.ts';
import { type Owned, tenantOf } from '../../domain/scope.ts';
import type { TaskDefinition } from '../../domain/task.ts';
import type {
  Attempt,
  AttemptIo,
  AttemptOutcome,
  InstanceRuntime,
  Launch,
  OutputPosition,
  Runtime,
  SecretSource,
  Secrets,
} from '../../runtimes/runtime.ts';
import { noSecrets } from '../../runtimes/runtime.ts';
import type { IdSource } from '../ids.ts';
import { untilAborted } from '../until-aborted.ts';
import { endReport, type Held, InstancePool } from './instance-pool.ts';
import type { InstanceRegistry } from './instance-registry.ts';
import { Serving } from './serving.ts';
import { startFailure } from './start-failure.ts';

interface WarmLogger {
  warn(details: object, message: string): void;
}

export interface WarmRuntimeOptions {
  readonly registry: InstanceRegistry;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger?: WarmLogger;
  /** Absent means that tasks have none. */
  readonly secrets?: SecretSource;
}

type Plan = Omit<Launch, 'args' | 'environment' | 'secrets'>;

interface KeptPool {
  readonly pool: InstancePool;
  readonly forget: () => void;
}

export function createWarmRuntime(base: InstanceRuntime, options: WarmRuntimeOptions): Runtime {
  const { registry, clock, ids, logger } = options;
  const pools = new Map<string, KeptPool>();
  const cooling = new Set<Promise<void>>();
  const serving = new Serving(clock);
  let closed = false;

  function open({ instanceId, taskId, revision, task }: Plan, startedAhead: boolean): InstanceReport {
    return registry.open({
      instanceId,
      runtime: base.kind,
      task: { taskId, name: task.name, revision },
      startedAhead,
    });
  }

  /** As they are now: for each start, and each time that an instance is taken which was started before. */
  async function secretsOf(task: TaskDefinition, owner: Owned): Promise<Secrets> {
    return options.secrets === undefined || task.secrets === undefined
      ? noSecrets
      : options.secrets.read(task, tenantOf(owner));
  }

  async function launchAhead(
    taskId: string,
    revision: number,
    task: TaskDefinition,
    owner: Owned,
    signal: AbortSignal,
  ): Promise<Held> {
    const plan = { instanceId: ids('inst_'), taskId, revision, task };
    const report = open(plan, true);
    try {
      const secrets = await secretsOf(task, owner);
      const instance = await base.launch({ ...plan, args: [], environment: {}, secrets }, signal);
      return { instanceId: plan.instanceId, instance, report, secrets: secrets.fingerprint };
    } catch (error) {
      report.send({ type: 'gone' });
      throw error;
    }
  }

  async function secretsFor(attempt: Attempt, signal: AbortSignal): Promise<Secrets | AttemptOutcome> {
    try {
      return await secretsOf(attempt.task, attempt);
    } catch (error) {
      return startFailure(error, '', signal, (err) => {
        logger?.warn({ taskId: attempt.taskId, err }, 'an instance could not be started');
      });
    }
  }

  /** A warm instance that is bound to the attempt, or undefined where there is none for it. */
  async function takeWarm(
    attempt: Attempt,
    { fingerprint }: Secrets,
    io: AttemptIo,
    signal: AbortSignal,
  ): Promise<Held | undefined> {
    const kept = pools.get(keyOf(attempt.taskId, attempt.revision));
    if (kept === undefined || !mayUseWarm(attempt.invocation)) return undefined;
    const held = kept.pool.take(fingerprint);
    if (held === undefined) return undefined;
    let spoiled = '';
    void held.instance.spoiled.then((reason) => {
      spoiled = reason;
    });
    held.report.send({ type: 'bind', executionId: attempt.executionId, attempt: attempt.number });
    // A store that cannot be written must not hold up the end of an attempt; one that is aborted gets no input.
    await untilAborted(io.bind(held.instanceId), signal, undefined);
    if (spoiled === '') return held;
    held.report.send({ type: 'stop', reason: spoiled });
    await endReport(held.report, held.instance, held.instance.discard());
    return undefined;
  }

  async function launchFor(
    attempt: Attempt,
    secrets: Secrets,
    io: AttemptIo,
    signal: AbortSignal,
  ): Promise<Held | AttemptOutcome> {
    const { taskId, revision, task, invocation, variables } = attempt;
    const { args } = invocation;
    const environment = { ...variables, ...invocation.environment };
    const plan = { instanceId: ids('inst_'), taskId, revision, task };
    const { instanceId } = plan;
    // On its way before it is written down: a start takes longer than that.
    const launching = base.launch({ ...plan, args, environment, secrets }, signal);
    const report = open(plan, false);
    report.send({ type: 'bind', executionId: attempt.executionId, attempt: attempt.number });
    const bound = io.bind(instanceId);
    try {
      const instance = await launching;
      await untilAborted(bound, signal, undefined);
      return { instanceId, instance, report, secrets: secrets.fingerprint };
    } catch (error) {
      report.send({ type: 'gone' });
      return startFailure(error, instanceId, signal, (err) => {
        logger?.warn({ taskId, instanceId, err }, 'an instance could not be started');
      });
    }
  }

  async function serve(
    { instance, report }: Held,
    attempt: Attempt,
    io: AttemptIo,
    signal: AbortSignal,
  ): Promise<AttemptOutcome> {
    const outcome = await instance.serve(attempt, io, signal);
    report.send({ type: 'stop', reason: outcome.kind === 'failed' ? outcome.code : 'used' });
    await endReport(report, instance, Promise.resolve(outcome.remains !== true));
    return outcome;
  }

  async function recover(
    attempt: Attempt,
    instanceId: string,
    position: OutputPosition,
    paused: boolean,
    signal: AbortSignal,
  ): Promise<Held | AttemptOutcome | undefined> {
    const { taskId, revision, task, invocation } = attempt;
    const { args, environment } = invocation;
    const plan = { instanceId, taskId, revision, task };
    const left = { launch: { ...plan, args, environment }, position, paused };
    const report = open(plan, false);
    report.send({ type: 'bind', executionId: attempt.executionId, attempt: attempt.number });
    try {
      const instance = await base.recover?.(left, signal);
      if (instance !== undefined) return { instanceId, instance, report, secrets: '' };
      report.send({ type: 'gone' });
      return undefined;
    } catch (error) {
      report.send({ type: 'gone' });
      const failure = startFailure(error, instanceId, signal, (err) => {
        logger?.warn({ taskId, instanceId, err }, 'an instance of an earlier run could not be found again');
      });
      // It was given up before it was reached.
      if (failure.kind === 'stopped') return { ...failure, remains: true };
      const lost = failure.kind === 'failed' && failure.code === 'INSTANCE_LOST';
      return lost ? { ...failure, unfollowed: true } : failure;
    }
  }

  const runtime: Runtime = {
    kind: base.kind,
    capabilities: base.capabilities,
    // Asked each time: an engine that comes later may hold a task to more.
    get defaultLimits() {
      return base.defaultLimits;
    },
    resolve: (draft, fetching) => base.resolve(draft, fetching),
    prepare: (task, tenant) => base.prepare(task, tenant),

    async run(attempt, io, signal) {
      if (signal.aborted) return { kind: 'stopped', rung: 'cooperative', instanceId: '', resourceUse: {} };
      const { executionId } = attempt;
      serving.begin(executionId);
      try {
        const secrets = await secretsFor(attempt, signal);
        if ('kind' in secrets) return secrets;
        const held =
          (await takeWarm(attempt, secrets, io, signal)) ?? (await launchFor(attempt, secrets, io, signal));
        if (!('instance' in held)) return held;
        serving.found(executionId, held.instance);
        return await serve(held, attempt, io, signal);
      } finally {
        serving.end(executionId);
      }
    },

    warm(taskId, revision, task, owner) {
      const key = keyOf(taskId, revision);
      if (closed || pools.has(key) || !task.warm.startAhead || task.warm.max === 0) return;
      const pool = new InstancePool({
        policy: task.warm,
        clock,
        launch: (signal) => launchAhead(taskId, revision, task, owner, signal),
        failed: (reason) => logger?.warn({ taskId, revision, reason }, 'a warm instance is not to be had'),
      });
      const forget = registry.addPool(() => ({
        taskId,
        taskName: task.name,
        revision,
        runtime: base.kind,
        policy: task.warm,
        ...pool.counts,
      }));
      pools.set(key, { pool, forget });
    },

    cool(taskId, revision) {
      const key = keyOf(taskId, revision);
      const kept = pools.get(key);
      if (kept === undefined) return;
      pools.delete(key);
      kept.forget();
      const cooled = kept.pool.close().finally(() => cooling.delete(cooled));
      cooling.add(cooled);
    },

    async close() {
      closed = true;
      const closing = [...pools.values()].map(({ pool }) => pool.close());
      await Promise.all([...closing, ...cooling]);
      await base.close();
    },
  };
  if (base.capabilities.pause) {
    runtime.pause = async (executionId) => (await serving.instance(executionId)).pause?.();
    runtime.unpause = async (executionId) => (await serving.instance(executionId)).unpause?.();
  }
  if (base.capabilities.reattach) {
    runtime.reattach = async (attempt, instanceId, position, io, signal, paused = false, found) => {
      const { executionId } = attempt;
      serving.begin(executionId);
      try {
        const held = await recover(attempt, instanceId, position, paused, signal);
        if (held === undefined || !('instance' in held)) return held;
        if (serving.found(executionId, held.instance)) {
          found?.();
          return await serve(held, attempt, io, signal);
        }
        held.instance.release?.();
        return await new Promise(() => undefined);
      } finally {
        serving.end(executionId);
      }
    };
    runtime.endRecovery = () => base.endRecovery?.();
    runtime.release = (executionId) => serving.release(executionId);
  }
  return runtime;
}

/** Only what comes in through standard input reaches a program that runs already. */
function mayUseWarm({ args, environment, forceNewInstance }: Invocation): boolean {
  return !forceNewInstance && args.length === 0 && Object.keys(environment).length === 0;
}

function keyOf(taskId: string, revision: number): string {
  return `${taskId}@${revision}`;
}
