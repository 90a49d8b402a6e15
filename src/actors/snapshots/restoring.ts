/**
 * Makes an execution of a document. It goes: all of the document onto disk, its digest and signature → part by part:
 * may it be here, its task, its log into the store → one commit that makes it an execution → the supervisor takes it
 * up. Until that commit nobody sees anything of it, and whatever fails leaves nothing.
 */

import type { Clock } from '../../domain/clock.ts';
import { RequestError } from '../../domain/errors.ts';
import { type Invocation, isTerminal } from '../../domain/execution.ts';
import type { Transfers } from '../../domain/executions.ts';
import type { Reserved } from '../../domain/scheduling/task-gates.ts';
import { tenantOf } from '../../domain/scope.ts';
import type { SnapshotPart } from '../../domain/snapshot/parts.ts';
import type { RestoredExecution, RestoreOptions } from '../../domain/snapshot/port.ts';
import type { Task } from '../../domain/task.ts';
import type { Tasks } from '../../domain/tasks.ts';
import type { CommitEntry } from '../../stores/store.ts';
import type { IdSource } from '../ids.ts';
import { noSpace } from '../log/committer.ts';
import type { NodeTime } from '../time/node-time.ts';
import { partsOf, receive, type SnapshotSpool, type SpooledDocument, throwIfCallerGone } from './arrival.ts';
import { arrivalOf } from './document-clock.ts';
import { Restoration } from './restoration.ts';
import { executionExists, invocationTaken } from './restore-refusal.ts';
import type { TaskSurroundings } from './restored-task.ts';
import { checkSeal, type SnapshotKeys } from './seals.ts';

export interface RestoringOptions extends TaskSurroundings {
  readonly transfers: Pick<Transfers, 'adopt'>;
  readonly checkCall: Tasks['checkCall'];
  /** What attempts of the task take of what is counted here. */
  readonly reserves?: (task: Task) => Reserved | undefined;
  /** As admission has it: a task has another id here than where the document comes from. */
  readonly payloadDigest: (taskId: string, invocation: Invocation) => string;
  readonly spool: SnapshotSpool;
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly time: NodeTime;
  readonly nodeId: string;
  readonly keys: SnapshotKeys;
  /** The length that a line of a document may have, in bytes. */
  readonly maxLineBytes: number;
  /** The size that a document may have, in bytes. */
  readonly maxBytes: number;
  /** How many documents may arrive at the same time. */
  readonly maxAtOnce: number;
  /**
   * Throws unavailable while nothing is taken up, so that a document is refused before it is sent; with a tenant also
   * resource_exhausted, where no more of it may wait.
   */
  readonly checkOpen?: (tenant?: string) => void;
}

/** Executions that are being restored now: one document of each at a time. */
export class Restoring {
  readonly #options: RestoringOptions;
  readonly #underWay = new Set<string>();
  #arriving = 0;

  constructor(options: RestoringOptions) {
    this.#options = options;
  }

  /** See Snapshots.restore. */
  async restore(
    bytes: AsyncIterable<Uint8Array>,
    wishes: RestoreOptions,
    signal: AbortSignal,
  ): Promise<RestoredExecution> {
    const { spool, keys, maxLineBytes, maxBytes, maxAtOnce } = this.#options;
    this.#options.checkOpen?.();
    if (this.#arriving >= maxAtOnce) throw tooManyRestores(maxAtOnce);
    this.#arriving += 1;
    try {
      await using document = closing(await spool.create());
      const seal = await receive(document.it, bytes, { maxLineBytes, maxBytes }, signal);
      const signedBy = checkSeal(seal, keys);
      const parts = partsOf(document.it, maxLineBytes, signal);
      return { ...(await this.#restore(parts, wishes, signal)), signedBy };
    } finally {
      this.#arriving -= 1;
    }
  }

  async #restore(
    parts: AsyncIterable<SnapshotPart>,
    wishes: RestoreOptions,
    signal: AbortSignal,
  ): Promise<Omit<RestoredExecution, 'signedBy'>> {
    const restoration = new Restoration(this.#options, wishes);
    let claimed: string | undefined;
    try {
      for await (const part of parts) {
        if (part.kind === 'record' && !wishes.asNew) claimed = this.#claim(restoration.originId);
        await restoration.take(part);
      }
      const entry = await restoration.finish();
      throwIfCallerGone(signal);
      const { record } = restoration.restored;
      // What has not ended counts as what is invoked does.
      this.#options.checkOpen?.(isTerminal(record.status) ? undefined : tenantOf(record));
      await this.#commit(entry, wishes);
    } catch (error) {
      await restoration.drop();
      throw error;
    } finally {
      if (claimed !== undefined) this.#underWay.delete(claimed);
    }
    return this.#takeUp(restoration, wishes);
  }

  #claim(executionId: string): string {
    if (this.#underWay.has(executionId)) {
      throw new RequestError('aborted', `${executionId} is being restored by another call`, {
        reason: 'RESTORE_UNDER_WAY',
        metadata: { execution_id: executionId },
      });
    }
    this.#underWay.add(executionId);
    return executionId;
  }

  async #commit(entry: CommitEntry, { scope }: RestoreOptions): Promise<void> {
    const { store } = this.#options;
    const [result] = await store.commit([entry]);
    if (result?.ok === true) return;
    if (result?.conflict === 'invocation') {
      throw invocationTaken(entry.claimInvocationId ?? '', await store.execution(result.executionId), scope);
    }
    if (result?.conflict === 'space') throw noSpace();
    throw executionExists(entry.executionId);
  }

  async #takeUp(
    restoration: Restoration,
    { hold, principal }: RestoreOptions,
  ): Promise<Omit<RestoredExecution, 'signedBy'>> {
    const { record, header } = restoration.restored;
    const originId = header.executionId;
    const notes = [...restoration.notes];
    if (isTerminal(record.status)) return { record, originId, notes };
    try {
      const { transfers, time, nodeId } = this.#options;
      const adopted = await transfers.adopt(record.executionId, {
        ...arrivalOf(header, time, nodeId),
        hold,
        by: principal.name,
      });
      const { outcome } = adopted;
      if (outcome !== undefined && outcome.status !== 'completed') {
        notes.push(`it could not go on: ${outcome.code}: ${outcome.message}`);
      }
      return { record: adopted, originId, notes };
    } catch (error) {
      // It is durable: as after any crash, the node finds it when it starts.
      if (!(error instanceof RequestError) || error.kind !== 'unavailable') throw error;
      notes.push(`the node stops: it goes on at its next start${hold ? ', and is not held' : ''}`);
      return { record, originId, notes };
    }
  }
}

function closing(it: SpooledDocument) {
  return { it, [Symbol.asyncDispose]: () => it.close() };
}

function tooManyRestores(most: number): RequestError {
  return new RequestError(
    'resource_exhausted',
    `${most} snapshots are being restored, which is as many as are allowed`,
    { reason: 'TOO_MANY_RESTORES', quota: 'max-restores', retryAfterMs: 1000 },
  );
}
