import type { NewEvent } from '../../domain/event.ts';
import { type ExecutionRecord, type Invocation, isTerminal } from '../../domain/execution.ts';
import { assertMayReachHost } from '../../domain/host-reach.ts';
import { recoveryOf } from '../../domain/interruption.ts';
import { loosened } from '../../domain/loosened.ts';
import { assertMayName, owned, tenantToMakeIn } from '../../domain/scope.ts';
import type { Header, MachinePart, SnapshotPart, TaskPart } from '../../domain/snapshot/parts.ts';
import type { RestoreOptions } from '../../domain/snapshot/port.ts';
import { isOf, type Task } from '../../domain/task.ts';
import type { Replayed } from '../../machines/replay.ts';
import type { CommitEntry } from '../../stores/store.ts';
import { toStore } from '../executions/recovery/stored-invocation.ts';
import { leavesAttempt } from './left-attempt.ts';
import { asNewEvent, asNewRecord } from './new-origin.ts';
import { checkWishes, executionExists, invocationTaken } from './restore-refusal.ts';
import { restoredMachine } from './restored-context.ts';
import { Content, completed, RestoredInvocation } from './restored-invocation.ts';
import { RestoredLog } from './restored-log.ts';
import { checkAllowed, completedPart, isFree, knownTask, prepareTask } from './restored-task.ts';
import type { RestoringOptions } from './restoring.ts';
import { withoutPlace } from './taken-record.ts';

/** What the commit made. */
interface Restored {
  readonly record: ExecutionRecord;
  readonly header: Header;
}

/** One document on its way to be an execution. Its parts come in their order, each checked by itself. */
export class Restoration {
  readonly notes: string[] = [];
  readonly #options: RestoringOptions;
  readonly #wishes: RestoreOptions;
  readonly #tenant: string;
  #header: Header | undefined;
  #carriedTask: TaskPart | undefined;
  /** The task of this node that equals the document's; undefined where this node has none. */
  #known: Task | undefined;
  #record: ExecutionRecord | undefined;
  #invocation: RestoredInvocation | undefined;
  #machine: MachinePart | undefined;
  #log: RestoredLog | undefined;
  #artifact: Content | undefined;
  #restored: Restored | undefined;

  constructor(options: RestoringOptions, wishes: RestoreOptions) {
    this.#options = options;
    this.#wishes = wishes;
    this.#tenant = tenantToMakeIn(wishes.scope);
  }

  /** The execution that the document is of. */
  get originId(): string {
    return present(this.#header).executionId;
  }

  /** What the caller is told, once the commit went through. */
  get restored(): Restored {
    return present(this.#restored);
  }

  /** Rejects with a RequestError as soon as it is plain that it may not be here. */
  async take(part: SnapshotPart): Promise<void> {
    switch (part.kind) {
      case 'header':
        this.#header = part;
        return;
      case 'task':
        this.#carriedTask = completedPart(part, this.#options);
        return;
      case 'record':
        return this.#begin(part.record);
      case 'invocation':
        this.#invocation = new RestoredInvocation(part.invocation, this.#wishes.environment);
        this.#checkValues(this.#invocation);
        return;
      case 'input':
        this.#invocation?.input.add(part.data);
        return;
      case 'machine':
        this.#machine = part;
        return;
      case 'events':
        return this.#takeEvents(part.events);
      case 'artifact':
        if (part.bytes > 0 && part.bytes <= this.#options.policy.maxArtifactBytes) {
          this.#artifact = new Content(part.bytes);
        }
        return;
      case 'artifactBytes':
        this.#artifact?.add(part.data);
        return;
    }
  }

  /** All of it is here: what makes it an execution. Rejects with a RequestError. */
  async finish(): Promise<CommitEntry> {
    const record = present(this.#record);
    const entry = isTerminal(record.status) ? this.#recordOnly(record) : await this.#goingOn(record);
    this.#restored = { record: present(entry.record), header: present(this.#header) };
    return entry;
  }

  /** Leaves nothing in the store. */
  async drop(): Promise<void> {
    await this.#log?.drop();
  }

  async #begin(record: ExecutionRecord): Promise<void> {
    const { store, policy } = this.#options;
    const { executionId, invocationId } = record;
    const { detached } = present(this.#header);
    const ended = isTerminal(record.status);
    const { definition } = this.#carriedTask?.task ?? {};
    for (const name of [record.taskName, definition?.name ?? record.taskName]) {
      assertMayName(this.#wishes.scope, 'the task of the snapshot', name);
    }
    checkWishes(executionId, { ended, detached }, this.#wishes);
    if (!this.#wishes.asNew) {
      if ((await store.execution(executionId)) !== undefined) throw executionExists(executionId);
      const owner =
        invocationId === '' ? undefined : await store.executionByInvocation(this.#tenant, invocationId);
      if (owner !== undefined) throw invocationTaken(invocationId, owner, this.#wishes.scope);
    }
    const { tenant: _tenant, ...rest } = withoutPlace(record);
    this.#record = await this.#underOwnTask({ ...rest, ...owned(this.#tenant) });
    this.#log = new RestoredLog(store, executionId);
    if (ended) return;
    const task = present(this.#carriedTask);
    this.#known = await knownTask(this.#options, task, this.#tenant);
    // Also one that this node knows: what it is called with comes from the document.
    assertMayReachHost(this.#wishes.principal, (this.#known ?? task.task).definition);
    if (this.#known === undefined) checkAllowed({ ...task.task.definition, environment: {} }, policy);
  }

  /** What the id of its task stands for here may be another's, which a record must not become part of. */
  async #underOwnTask(record: ExecutionRecord): Promise<ExecutionRecord> {
    const { store, ids } = this.#options;
    if (!isTerminal(record.status)) return record;
    const known = await store.taskById(record.taskId);
    return known === undefined || isOf(known, record) ? record : { ...record, taskId: ids('task_') };
  }

  #checkValues(invocation: RestoredInvocation): void {
    const ofTask = this.#carriedTask?.task.definition.environment ?? {};
    invocation.checkGiven(ofTask);
    if (!isTerminal(present(this.#record).status)) {
      invocation.checkComplete(this.#known === undefined ? ofTask : {});
      if (this.#known !== undefined) invocation.checkOwn(ofTask, this.#known.definition);
    } else if (invocation.lacks) {
      this.notes.push('the values of its environment variables are not in the snapshot');
    }
  }

  async #takeEvents(events: readonly NewEvent[]): Promise<void> {
    const log = present(this.#log);
    // A new one begins a log of its own.
    if (this.#wishes.asNew) log.note(events);
    else await log.add(events);
  }

  /** What has ended is kept to be read, and runs nothing. */
  #recordOnly(record: ExecutionRecord): CommitEntry {
    if (this.#wishes.hold) this.notes.push('it has ended: there is nothing to hold');
    const restoredAt = Math.round(this.#options.clock.now());
    return this.#entry({ ...record, restoredAt }, present(this.#invocation).of(record));
  }

  async #goingOn(original: ExecutionRecord): Promise<CommitEntry> {
    const { store, payloadDigest, checkCall } = this.#options;
    const task = await this.#task();
    const invocation = present(this.#invocation).of(original);
    const functionName = checkCall(task, invocation.functionName, invocation.parameters);
    const {
      instanceId: _instanceId,
      inputDelivered: _inputDelivered,
      loosened: _loosened,
      restoredAt: _restoredAt,
      reserves: _reserves,
      // Whoever made the document says what it was called with, and its result is no one else's.
      cache: _cache,
      onEnd: _onEnd,
      ownWebhooks: _ownWebhooks,
      ...rest
    } = original;
    const allowed = loosened(task.definition);
    const reserves = this.#options.reserves?.(task);
    const record: ExecutionRecord = {
      ...rest,
      functionName,
      taskId: task.taskId,
      taskRevision: task.revision,
      ...(task.definition.onEnd !== undefined && { onEnd: task.definition.onEnd }),
      taskName: task.definition.name,
      // Whatever ran where it comes from is not here to be followed.
      instanceId: '',
      payloadDigest:
        original.invocationId === '' ? '' : payloadDigest(task.taskId, { ...invocation, functionName }),
      ...(allowed.length > 0 && { loosened: allowed }),
      ...(reserves !== undefined && { reserves }),
    };
    const log = present(this.#log);
    const machine = restoredMachine(log.changes, original, recoveryOf(task.definition));
    this.#noteWhatIsLost(original, task, machine);
    if (this.#known === undefined) await store.saveRevision(task);
    return this.#wishes.asNew ? this.#asNew(record, machine, invocation) : this.#entry(record, invocation);
  }

  async #task(): Promise<Task> {
    const known = this.#known;
    if (known !== undefined) return prepareTask(this.#options, known, this.#artifact?.bytes);
    const { task } = present(this.#carriedTask);
    const { definition } = task;
    const { store, ids } = this.#options;
    const { tenant: _tenant, ...rest } = task;
    const filled: Task = {
      ...rest,
      // Under its own id it would take the place of another tenant's.
      taskId: (await isFree(store, task.taskId, this.#tenant)) ? task.taskId : ids('task_'),
      ...owned(this.#tenant),
      definition: { ...definition, environment: completed(definition.environment, this.#wishes.environment) },
      updatedAt: Math.round(this.#options.clock.now()),
    };
    const prepared = await prepareTask(this.#options, filled, this.#artifact?.bytes);
    this.notes.push(`its task ${definition.name} came with the snapshot and has no name here`);
    return prepared;
  }

  #asNew(record: ExecutionRecord, machine: Replayed | undefined, invocation: Invocation): CommitEntry {
    const { ids, clock } = this.#options;
    const now = Math.round(clock.now());
    const executionId = ids('exec_');
    const event = asNewEvent(executionId, record, machine ?? present(this.#machine), now);
    return {
      executionId,
      expectedLastSequence: 0,
      events: [event],
      record: asNewRecord(record, executionId, ids('req_'), now),
      input: toStore(invocation),
    };
  }

  #entry(record: ExecutionRecord, invocation: Invocation): CommitEntry {
    const log = present(this.#log);
    return {
      executionId: record.executionId,
      expectedLastSequence: log.staged,
      events: log.rest,
      record,
      input: toStore(invocation),
      ...(record.invocationId !== '' && { claimInvocationId: record.invocationId }),
    };
  }

  #noteWhatIsLost(
    { attempt }: ExecutionRecord,
    { taskId, revision, definition }: Task,
    machine?: Replayed,
  ): void {
    const carried = present(this.#carriedTask).task;
    if (carried.taskId !== taskId || carried.revision !== revision) {
      this.notes.push(
        `it runs revision ${revision} of ${definition.name} (${taskId}), which is equal to its own`,
      );
    }
    if (machine !== undefined && leavesAttempt(machine)) {
      this.notes.push(`attempt ${attempt} was left behind where the snapshot was taken, and is lost`);
    }
    if (this.#wishes.asNew || present(this.#header).detached) return;
    this.notes.push('it was not moved: the one that the snapshot was taken of may go on as well');
  }
}

/** A document's parts come in an order that the reader has checked. */
function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a part of the document is used before it came');
  return value;
}
