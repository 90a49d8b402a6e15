import { type ErrorCode, RequestError } from '../../domain/errors.ts';
import type { QuarantineUse } from '../../domain/scheduling/gate.ts';
import type { Verdict } from '../../domain/scheduling/quarantine-gate.ts';
import { quarantineOf } from '../../domain/scheduling/task-gates.ts';
import type { Task } from '../../domain/task.ts';
import type { Quarantines, TaskQuarantine } from '../../domain/tasks.ts';
import type { ExecutionEvent } from '../../machines/execution-context.ts';
import { quarantineWords } from '../explain/explanation-gate.ts';
import { functionIdentity } from '../function-identity.ts';
import type { HeldTask, Slots } from '../queue/slots.ts';
import type { LiveExecution } from './live-execution.ts';

type AttemptEnded = Extract<ExecutionEvent, { readonly type: 'attemptEnded' }>;

/** A caller that is refused while one tries comes again after so many milliseconds. */
const tryingMs = 1000;
const mostErrorLength = 300;

/** Ends that somebody asked for, or that the node brought: they say nothing of the function. */
const ofOthers: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'CANCELLED',
  'QUEUE_TIMEOUT',
  'INTERRUPTED',
  'RUNTIME_UNAVAILABLE',
  'INSTANCE_LOST',
  'KILL_UNCONFIRMED',
  'SNAPSHOT_INCOMPATIBLE',
  'MOVED',
  'INTERNAL',
]);

export interface QuarantineHost {
  readonly toWall: (msFromNow: number) => number;
  /** Somebody may have a slot. */
  readonly pump: () => void;
  /** One begins or, with undefined, ends. */
  readonly changed: (task: Task, quarantine: TaskQuarantine | undefined) => void;
  /** The part of the node in a cluster; undefined where it can be in none. */
  readonly cluster: () => QuarantinesOfCluster | undefined;
}

export interface QuarantinesOfCluster {
  readonly isAlone: boolean;
  readonly quarantines: { reset(taskId: string): Promise<boolean>; reload(key?: string): Promise<void> };
  /** Whoever judges hears how an attempt ended here. */
  judge(use: QuarantineUse, executionId: string, verdict: Verdict): void;
}

/**
 * Which tasks are quarantined, as the slots count what fails of them. It begins anew with the node; in a cluster it is of
 * all nodes, and outlives each (`cluster/shared-quarantines.ts`).
 */
export class TaskQuarantines implements Quarantines {
  readonly #slots: Slots;
  readonly #host: QuarantineHost;

  constructor(slots: Slots, host: QuarantineHost) {
    this.#slots = slots;
    this.#host = host;
  }

  of(task: Task): TaskQuarantine | undefined {
    const held = this.#held(task);
    if (held === undefined) return undefined;
    const { failures, last, probes, heldForMs, probeInMs } = held;
    const { toWall } = this.#host;
    return {
      ...{
        failures,
        lastError: `${last.code}: ${last.message}`,
        failedProbes: probes,
        since: toWall(-heldForMs),
      },
      ...(probeInMs !== undefined && { nextProbeAt: toWall(probeInMs) }),
    };
  }

  async reset(task: Task): Promise<boolean> {
    const cluster = this.#host.cluster();
    if ((await cluster?.quarantines.reset(task.taskId)) === true) {
      this.#slots.resetQuarantines(task.taskId);
      if (cluster?.isAlone === true) this.#host.changed(task, undefined);
      this.#host.pump();
      return true;
    }
    const held = this.#slots.resetQuarantines(task.taskId);
    if (held) this.#host.changed(task, undefined);
    this.#host.pump();
    return held;
  }

  /** Reads one that another node of the cluster has changed, or all of them. Rejects with StoreError. */
  async reload(key?: string): Promise<void> {
    await this.#host.cluster()?.quarantines.reload(key);
    this.#host.pump();
  }

  /** A task of the cluster is quarantined, or is not any more. */
  told(task: Task): void {
    this.#host.changed(task, this.of(task));
  }

  /** The attempt of one that holds a slot has ended; it is said before its slot is given up. */
  judge(execution: LiveExecution, { end }: AttemptEnded): void {
    const { executionId, snapshot, gates } = execution;
    const use = gates.find((gate) => gate.kind === 'quarantine');
    if (use === undefined) return;
    const cause = snapshot?.context.cause ?? (end.kind === 'failed' ? end : null);
    if (cause !== null && isCallersTimeout(cause.code, execution)) return;
    const verdict = verdictOf(end.kind, cause);
    if (verdict === undefined) return;
    const cluster = this.#host.cluster();
    if (cluster?.isAlone === false) {
      // What completes says something only where others are held.
      if (verdict.kind === 'failed' || this.#slots.quarantineState(use) !== undefined)
        cluster.judge(use, executionId, verdict);
      return;
    }
    const wasHeld = this.#held(execution.task) !== undefined;
    this.#slots.judge(executionId, verdict);
    const quarantine = this.of(execution.task);
    if (wasHeld !== (quarantine !== undefined)) this.#host.changed(execution.task, quarantine);
  }

  /**
   * Throws unavailable where the task is quarantined, refuses what comes then, and none is wanted to try. One that is to
   * start later, at a time or when others have ended, tries nothing now.
   */
  check(task: Task, isLater: boolean): void {
    const { name, restartIntensity } = task.definition;
    if (restartIntensity?.whenQuarantined !== 'refuse') return;
    const held = this.#held(task);
    if (held === undefined || (!held.isFull && !isLater)) return;
    throw new RequestError(
      'unavailable',
      `${name} is quarantined: ${quarantineWords(restartIntensity, held)}`,
      {
        reason: 'TASK_QUARANTINED',
        metadata: { task: name },
        retryAfterMs: Math.max(tryingMs, Math.ceil(held.probeInMs ?? 0)),
      },
    );
  }

  #held(task: Task): (HeldTask & { readonly isFull: boolean }) | undefined {
    const { restartIntensity } = task.definition;
    if (restartIntensity === undefined) return undefined;
    const use = quarantineOf(task, functionIdentity(task.definition));
    return use === undefined ? undefined : this.#slots.quarantineOf(use);
  }
}

/** A caller chose a shorter time than its task has: that it was over says nothing of the function. */
function isCallersTimeout(code: ErrorCode, { snapshot, task }: LiveExecution): boolean {
  if (snapshot === undefined) return false;
  const { attemptMs, totalMs, totalFrom } = snapshot.context.options;
  const { timeouts } = task.definition;
  switch (code) {
    case 'ATTEMPT_TIMEOUT':
      return attemptMs !== null && attemptMs < (timeouts.attemptMs ?? Number.POSITIVE_INFINITY);
    case 'TOTAL_TIMEOUT':
      return totalFrom === null && totalMs < (timeouts.totalMs ?? Number.POSITIVE_INFINITY);
    default:
      return false;
  }
}

function verdictOf(
  kind: AttemptEnded['end']['kind'],
  cause: { readonly code: ErrorCode; readonly message: string } | null,
): Verdict | undefined {
  if (cause === null) return kind === 'completed' ? { kind: 'succeeded' } : undefined;
  if (ofOthers.has(cause.code)) return undefined;
  const { code, message } = cause;
  return { kind: 'failed', error: { code, message: message.slice(0, mostErrorLength).toWellFormed() } };
}
