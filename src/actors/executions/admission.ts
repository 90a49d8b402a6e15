import type { Clock } from '../../domain/clock.ts';
import { durationText } from '../../domain/duration.ts';
import { RequestError } from '../../domain/errors.ts';
import { type ExecutionRecord, isTerminal } from '../../domain/execution.ts';
import type { Admission, AdmissionRequest } from '../../domain/executions.ts';
import { hasNoOutsideEffects } from '../../domain/interruption.ts';
import type { LogCursor } from '../../domain/log.ts';
import type { Priority } from '../../domain/scheduling/priority.ts';
import { hasToBeKnown, isGated, type Reserved } from '../../domain/scheduling/task-gates.ts';
import { tenantOf } from '../../domain/scope.ts';
import type { Task } from '../../domain/task.ts';
import type { Store } from '../../stores/store.ts';
import type { IdSource } from '../ids.ts';
import { LiveCursor, StoredCursor } from '../log/cursors.ts';
import { LiveLog, type LogSurroundings } from '../log/live-log.ts';
import type { ExecutionCache } from './cache/execution-cache.ts';
import type { KeptResult } from './cache/result-cache.ts';
import { callerLeft } from './controls.ts';
import { isBlockedBy } from './dependency-admission.ts';
import type { Elsewhere } from './elsewhere.ts';

import { IdempotencyKeys } from './idempotency.ts';
import { checkKeys } from './key-admission.ts';
import { LiveExecution } from './live-execution.ts';
import type { LiveExecutions } from './live-executions.ts';
import { type AdmissionTime, chartInput, newRecord } from './new-execution.ts';
import { toStore } from './recovery/stored-invocation.ts';
import { replaceWaiting } from './superseding.ts';

export interface AdmissionsOptions {
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly store: Store;
  readonly executions: LiveExecutions;
  readonly surroundings: LogSurroundings;
  /** Milliseconds since the epoch, as deadlines count. */
  now(): number;
  /** Throws a RequestError where nothing new is taken from callers. */
  checkCordon(): void;
  /** Throws a RequestError where no more of a tenant, of that priority, is accepted now. */
  checkOpen(tenant: string, priority: Priority): void;
  /** Throws a RequestError where nothing of a tenant is accepted now, not even what needs no slot. */
  checkAnswer(tenant: string): void;
  readonly cache: Pick<ExecutionCache, 'find'>;
  /** Throws a RequestError where its task takes none now. */
  checkTask(task: Task, isLater: boolean): void;
  /** Throws a RequestError where no node can run it, and none will. */
  checkPlace(task: Task): void;
  /** Milliseconds from now to the likely end of one with this record that would be accepted now, whatever its deadline. */
  likelyMs(record: ExecutionRecord): number;
  /** A tenant may have so much running and no more: nothing of it starts before it is durable. */
  boundsRunning(tenant: string): boolean;
  /**
   * What attempts of the task take of what is counted; undefined where nothing is. Throws failed_precondition where that
   * is more than there can be.
   */
  reserves(task: Task): Reserved | undefined;
  /** Which nodes of a cluster may run it; undefined where any may. */
  placement(task: Task): string | undefined;
  /** Live, or live again; undefined where there is none that waits or runs. */
  revive(executionId: string): Promise<LiveExecution | undefined>;
  /** So many more bytes of a tenant go to the store. */
  stores(tenant: string, bytes: number): void;
  /** It is among the live ones from now on. */
  spawn(execution: LiveExecution): void;
  cancel(executionId: string, reason: string): void;
  /** Rejects where the cluster has as many as a key of its task refuses beyond; absent where the node is of none. */
  checkShared?(record: ExecutionRecord): Promise<void>;
  /** Of other nodes; undefined where the node is alone. */
  readonly elsewhere: Elsewhere | undefined;
}

/** Of a record with the usual fields; it is counted as it is later. */
const usualRecordBytes = 1024;

/** Accepts requests as new executions, or joins them to the one that has their invocation id. */
export class Admissions {
  readonly #options: AdmissionsOptions;
  readonly #keys: IdempotencyKeys;

  constructor(options: AdmissionsOptions) {
    this.#options = options;
    const { store, revive, elsewhere } = options;
    this.#keys = new IdempotencyKeys(store, async (executionId) => {
      if (elsewhere !== undefined && !(await elsewhere.isHere(executionId))) return undefined;
      return (await revive(executionId))?.log;
    });
  }

  /** See Executions. */
  async admit(request: AdmissionRequest): Promise<Admission> {
    const { invocationId, payloadDigest, cancelOnDisconnect, scope } = request;
    if (request.schedule !== undefined || request.task.definition.concurrency !== undefined) {
      await this.#checkShared(request);
    }
    if (invocationId === '') {
      const isBlocked = await this.#isBlocked(request);
      return {
        cursor: this.#creatorCursor(this.#create(request, isBlocked), cancelOnDisconnect),
        joined: false,
      };
    }
    const claim = { tenant: tenantOf(request.task), invocationId, payloadDigest, scope };
    // What another request has made is joined, also where what it followed is gone.
    const isBlocked = await this.#isBlocked(request).catch((error: unknown) => ({ error }));
    let made: LiveLog | undefined;
    const create = (): LiveLog => {
      if (typeof isBlocked === 'object') throw isBlocked.error;
      made = this.#create(request, isBlocked);
      // Somebody reads it, although the cursor comes when it is admitted: it must not be let go of before.
      made.opened();
      return made;
    };
    try {
      const { execution, created } = await this.#keys.own(claim, create);
      if (!(execution instanceof LiveLog)) {
        return { cursor: this.#storedCursor(execution), joined: true };
      }
      if (created) return { cursor: this.#creatorCursor(execution, cancelOnDisconnect), joined: false };
      return { cursor: await this.#join(execution), joined: true };
    } finally {
      made?.closed();
    }
  }

  /** A reader of what another request has made, which may have been let go of since it was found. */
  async #join(found: LiveLog): Promise<LogCursor> {
    const { executions, revive, store } = this.#options;
    const { executionId } = found;
    for (;;) {
      if (found.sealed) return new LiveCursor(found);
      const live = executions.get(executionId);
      if (live !== undefined) return new LiveCursor(live.log);
      if ((await revive(executionId)) !== undefined) continue;
      const record = await store.execution(executionId);
      if (executions.has(executionId)) continue;
      return record === undefined ? new LiveCursor(found) : new StoredCursor(store, record);
    }
  }

  /** An execution is live no more. */
  forget({ record }: LiveLog): void {
    if (record.invocationId !== '') this.#keys.release(tenantOf(record), record.invocationId);
  }

  /**
   * What `admit` would do: the execution that it would join, or the record of one that it would accept, without ids.
   * Rejects with what it would.
   */
  async rehearse(request: AdmissionRequest): Promise<{
    readonly joins: boolean;
    readonly record: ExecutionRecord;
    readonly answer?: KeptResult;
  }> {
    const { invocationId, payloadDigest, scope } = request;
    const claim = { tenant: tenantOf(request.task), invocationId, payloadDigest, scope };
    const owner = invocationId === '' ? undefined : await this.#keys.find(claim);
    if (owner !== undefined) return { joins: true, record: owner };
    const isBlocked = await this.#isBlocked(request);
    const answer = this.#options.cache.find(request);
    const ids = { executionId: '', requestId: '' };
    const record = this.#accepted(request, ids, this.#at(), { answer, isBlocked });
    return { joins: false, record, ...(answer !== undefined && { answer }) };
  }

  /** Rejects where another node has as many of a key as its task refuses beyond, unless it joins what is there. */
  async #checkShared(request: AdmissionRequest): Promise<void> {
    const { checkShared, cache } = this.#options;
    if (checkShared === undefined || cache.find(request) !== undefined) return;
    const { invocationId, payloadDigest, scope } = request;
    const record = newRecord(request, { executionId: '', requestId: '' }, this.#at(), {});
    if (!hasToBeKnown(record)) return;
    const claim = { tenant: tenantOf(request.task), invocationId, payloadDigest, scope };
    if (invocationId !== '' && (await this.#keys.find(claim)) !== undefined) return;
    await checkShared(record);
  }

  /** It has to wait for what it follows. Rejects where it cannot follow that. */
  async #isBlocked({ dependsOn, task, scope }: AdmissionRequest): Promise<boolean> {
    if (dependsOn === undefined) return false;
    return isBlockedBy(this.#options, dependsOn, { tenant: tenantOf(task), scope });
  }

  #at(): AdmissionTime {
    return { wall: Math.round(this.#options.clock.now()), steady: this.#options.now() };
  }

  /** Its record, where it may come in; throws a RequestError where not. */
  #accepted(
    request: AdmissionRequest,
    ids: { readonly executionId: string; readonly requestId: string },
    at: AdmissionTime,
    { answer, isBlocked }: { readonly answer: KeptResult | undefined; readonly isBlocked: boolean },
  ): ExecutionRecord {
    const { task } = request;
    if (answer !== undefined) {
      this.#options.checkAnswer(tenantOf(task));
      return newRecord(request, ids, at, { isAnswered: true });
    }
    // A schedule is of no caller, and fires wherever it is read.
    if (request.schedule === undefined) this.#options.checkCordon();
    this.#options.checkOpen(tenantOf(task), request.priority ?? 'normal');
    this.#options.checkPlace(task);
    if (task.definition.restartIntensity !== undefined) {
      this.#options.checkTask(task, request.startAfterMs > 0 || isBlocked);
    }
    const record = newRecord(request, ids, at, {
      ...{ reserves: this.#options.reserves(task), placement: this.#options.placement(task), isBlocked },
    });
    if (request.refuseIfLate === true) this.#assertInTime(record, request);
    checkKeys(record, this.#options.executions);
    return record;
  }

  #create(request: AdmissionRequest, isBlocked: boolean): LiveLog {
    const { clock, ids, executions, surroundings } = this.#options;
    const { task, invocation, invocationId } = request;
    const at = this.#at();
    const admitted = clock.monotonic();
    const claim = invocationId === '' ? undefined : invocationId;
    const answer = this.#options.cache.find(request);
    const made = { executionId: ids('exec_'), requestId: claim ?? ids('req_') };
    const record = this.#accepted(request, made, at, { answer, isBlocked });
    const log = new LiveLog(surroundings, record, task.definition.limits, {
      input: toStore(invocation),
      claimInvocationId: claim,
      rows: request.rows?.(record.executionId),
    });
    const execution = new LiveExecution({
      log,
      task,
      begins: { input: chartInput(record, request, at), invocation, by: request.by },
      answer,
      speculative:
        claim === undefined &&
        request.dependsOn === undefined &&
        request.rows === undefined &&
        hasNoOutsideEffects(task) &&
        !isGated(task.definition) &&
        !this.#options.boundsRunning(tenantOf(task)),
      watched: request.mode !== 'sync',
      pending: true,
      stopwatch: { admitted, dispatched: undefined },
    });
    executions.add(execution);
    this.#options.stores(tenantOf(task), usualRecordBytes + invocation.input.byteLength);
    this.#options.spawn(execution);
    if (answer === undefined) replaceWaiting(execution, executions, this.#options.cancel);
    return log;
  }

  /** Throws a RequestError, deadline_exceeded, where it would likely not be over in time. */
  #assertInTime(record: ExecutionRecord, { timeouts: { totalMs } }: AdmissionRequest): void {
    const likelyMs = this.#options.likelyMs(record);
    if (likelyMs <= totalMs) return;
    throw new RequestError(
      'deadline_exceeded',
      `it would likely take ${durationText(likelyMs)}, and its total timeout is ${durationText(totalMs)}: refused, as refuse_if_late asks`,
      {
        reason: 'WOULD_BE_LATE',
        metadata: { likely_ms: String(Math.round(likelyMs)), total_ms: String(totalMs) },
      },
    );
  }

  /** A reader of one that is not live here. */
  #storedCursor(record: ExecutionRecord): LogCursor {
    const { store, elsewhere } = this.#options;
    if (elsewhere === undefined || isTerminal(record.status)) return new StoredCursor(store, record);
    return elsewhere.roaming(record);
  }

  #creatorCursor(log: LiveLog, cancelWhenGone: boolean): LogCursor {
    const { elsewhere, executions } = this.#options;
    const closed = (how: 'done' | 'gone'): void => {
      if (how === 'done' || log.observers > 0 || log.sealed || log.left) return;
      this.#options.cancel(log.executionId, callerLeft);
    };
    const live = new LiveCursor(log, cancelWhenGone ? { closed } : {});
    return elsewhere === undefined
      ? live
      : elsewhere.roaming(live, {
          closed(how) {
            if (cancelWhenGone && how === 'gone' && !executions.has(log.executionId))
              elsewhere.left(log.executionId);
          },
        });
  }
}

/** The invocation id of an execution that was to be new is another one's. */
export function claimedBy(ownerId: string): RequestError {
  return new RequestError('already_exists', `invocation_id: already used by ${ownerId}`, {
    reason: 'INVOCATION_ID_IN_USE',
    metadata: { execution_id: ownerId },
  });
}
