/** Makes executions live again that the store has unfinished: after a crash or a stop of the node, or from a snapshot. */
import type { Clock } from '../../../domain/clock.ts';
import type { ExecutionRecord } from '../../../domain/execution.ts';
import type { Adoption } from '../../../domain/executions.ts';
import { interruptPolicyOf, mayReattach } from '../../../domain/interruption.ts';
import type { Task } from '../../../domain/task.ts';
import { confirmMs } from '../../../machines/ending.ts';
import { type ExecutionSnapshot, executionMachine } from '../../../machines/execution.ts';
import type { ExecutionEvent } from '../../../machines/execution-context.ts';
import type { SnapshotIncompatible } from '../../../machines/migrations.ts';
import { shiftedTimers } from '../../../machines/timers.ts';
import type { AttemptIo } from '../../../runtimes/runtime.ts';
import type { Store, WaitingExecution, WaitingPlace } from '../../../stores/store.ts';
import { LiveLog, type LogSurroundings } from '../../log/live-log.ts';
import type { NodeTime } from '../../time/node-time.ts';
import type { AttemptRunner } from '../attempt-runner.ts';
import { reattach } from '../attempts.ts';
import { LiveExecution } from '../live-execution.ts';
import { endIncompatible, readStored, type StoredExecution, TaskRevisions } from './stored-execution.ts';

export interface ExecutionRecoveryHost {
  readonly clock: Clock;
  readonly time: NodeTime;
  readonly store: Store;
  readonly surroundings: LogSurroundings;
  readonly attempts: AttemptRunner;
  /** It is live from now on, its timers and its place in the queue with it; `then` comes to it before anything else. */
  revive(execution: LiveExecution, then: readonly ExecutionEvent[]): void;
  deliver(executionId: string, event: ExecutionEvent): void;
  /** Milliseconds since the epoch. */
  now(): number;
  bug(error: unknown, executionId: string): void;
}

export class ExecutionRecovery {
  readonly #host: ExecutionRecoveryHost;
  /** Of what waits. */
  readonly #tasks: TaskRevisions;

  constructor(host: ExecutionRecoveryHost) {
    this.#host = host;
    this.#tasks = new TaskRevisions(host.store);
  }

  /**
   * Of this node: its attempt is followed where it can be, and lost where it cannot; `planned` says that the node was
   * told to stop.
   */
  takeUp(stored: StoredExecution, planned: boolean): void {
    const { record, task, outline, snapshot } = stored;
    const { executionId, instanceId } = record;
    const lose = (from: ExecutionSnapshot, why = 'the node stopped while it ran') =>
      this.#loss(from, why, planned);
    const runtime = this.#host.attempts.runtimeOf(task);
    if (runtime?.reattach === undefined || instanceId === '' || !hasAttempt(snapshot)) {
      this.#revive(stored, lose(snapshot));
      return;
    }
    const execution = this.#revive({ ...stored, snapshot: withGraceAnew(snapshot, this.#host.now()) }, []);
    const follow = mayFollowAgain(record, task);
    const controller = reattach(
      runtime,
      {
        executionId,
        number: record.attempt,
        task,
        instanceId,
        position: outline.output,
        paused: snapshot.context.pausedAttempt !== null,
      },
      record.inputDelivered === record.attempt ? execution.log : unheard,
      !follow,
      {
        found: () => {
          // One that is being ended is not followed.
          if (follow && !execution.log.left) {
            this.#host.deliver(executionId, { type: 'reattached', at: this.#host.now() });
          }
        },
        settled: (end) => {
          const lost = end?.kind === 'failed' && end.unfollowed === true && !execution.log.left;
          if (follow && end !== undefined && !lost) this.#host.attempts.ended(execution, end);
          else if (!execution.log.left && execution.snapshot !== undefined) {
            const why = lost ? end.message : undefined;
            for (const event of lose(execution.snapshot, why)) this.#host.deliver(executionId, event);
          }
        },
        bug: (error) => this.#host.bug(error, executionId),
      },
    );
    execution.attempts(controller);
  }

  /** Of a node that is gone: its attempt stayed there. */
  takeOver(stored: StoredExecution, planned: boolean): void {
    const why = planned ? 'its node stopped while it ran' : 'its node died, or was cut off, while it ran';
    this.#revive(stored, this.#loss(stored.snapshot, why, planned));
  }

  /**
   * Of another node, or of another time: its attempt stayed there. Rejects with SnapshotIncompatible where it cannot go
   * on here.
   */
  async restore(
    record: ExecutionRecord,
    { takenAt, shiftMs = 0, hold, by }: Adoption,
  ): Promise<LiveExecution> {
    const { store } = this.#host;
    const stored = await readStored(store, new TaskRevisions(store), record);
    const { snapshot } = stored;
    return this.#revive(
      { ...stored, snapshot: shiftMs === 0 ? snapshot : shifted(snapshot, shiftMs) },
      [
        ...this.#loss(snapshot, 'it was left behind where the snapshot was taken', true),
        {
          ...{ type: 'restored', at: this.#host.now(), takenAt, hold },
          ...(by !== undefined && { by }),
        },
      ],
      snapshot,
    );
  }

  /**
   * Of this node, and waiting for a slot. Rejects with SnapshotIncompatible where it cannot go on here, and with what
   * the store rejects with.
   */
  async wake({ record, place }: WaitingExecution): Promise<LiveExecution> {
    return this.#revive({ ...(await readStored(this.#host.store, this.#tasks, record)), place }, []);
  }

  /** Ends one that cannot go on here; resolves with its record. */
  async giveUp(record: ExecutionRecord, why: SnapshotIncompatible): Promise<ExecutionRecord> {
    const { store, time } = this.#host;
    return endIncompatible(store, time, record, why.message);
  }

  /** `written` is what its log leads to. */
  #revive(
    { record, task, outline, snapshot, place }: StoredExecution & { readonly place?: WaitingPlace },
    then: readonly ExecutionEvent[],
    written = snapshot,
  ): LiveExecution {
    const { clock, time, surroundings } = this.#host;
    const since = (wall: number): number => clock.monotonic() - time.sinceWall(wall);
    const { lastTime } = outline;
    const execution = new LiveExecution({
      task,
      goesOn: { snapshot, written },
      log: new LiveLog(surroundings, record, task.definition.limits, { lastTime, place }),
      speculative: false,
      watched: true,
      pending: record.status === 'pending',
      stopwatch: {
        admitted: since(record.createdAt),
        dispatched: record.startedAt === undefined ? undefined : since(record.startedAt),
      },
    });
    this.#host.revive(execution, then);
    return execution;
  }

  /** What is to be said of an attempt that is gone; nothing where there was none. */
  #loss(snapshot: ExecutionSnapshot, message: string, planned: boolean): ExecutionEvent[] {
    if (!hasAttempt(snapshot)) return [];
    const at = this.#host.now();
    if (!snapshot.matches({ running: 'stopping' })) return [{ type: 'lost', at, message, planned }];
    return [{ type: 'attemptEnded', at, end: { kind: 'stopped', rung: 'restart' }, random: 1 }];
  }
}

/** Its instants are of a clock that is behind this node's by that. */
function shifted(snapshot: ExecutionSnapshot, ms: number): ExecutionSnapshot {
  const context = { ...snapshot.context, ...shiftedTimers(snapshot.context, ms) };
  return executionMachine.resolveState({ value: snapshot.value, context }) as ExecutionSnapshot;
}

/** An attempt that was being stopped gets its grace again, as its runtime begins again to stop it. */
function withGraceAnew(snapshot: ExecutionSnapshot, now: number): ExecutionSnapshot {
  if (!snapshot.matches({ running: 'stopping' })) return snapshot;
  const context = { ...snapshot.context, stopDeadline: now + snapshot.context.options.graceMs + confirmMs };
  return executionMachine.resolveState({ value: snapshot.value, context }) as ExecutionSnapshot;
}

/** What is computed on a part of the input is nobody's output. */
const unheard: AttemptIo = {
  write: () => undefined,
  bind: () => Promise.resolve(),
  inputDelivered() {},
  refused() {},
};

/** An attempt runs, stands still or is being stopped. */
function hasAttempt(snapshot: ExecutionSnapshot): boolean {
  return (
    snapshot.matches({ running: 'attempting' }) ||
    snapshot.matches({ running: 'stopping' }) ||
    snapshot.context.pausedAttempt !== null
  );
}

/** The attempt of this record may be followed again by the next run of the node. */
export function mayFollowAgain(record: ExecutionRecord, task: Task): boolean {
  return (
    record.attempt > 0 &&
    record.state !== 'running.stopping' &&
    record.inputDelivered === record.attempt &&
    mayReattach(interruptPolicyOf(task.definition))
  );
}
