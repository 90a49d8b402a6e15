/**
 * A store for tests: what the embedded one does, without a medium. It copies what goes in and out, so that
 * no caller shares state with it, and its medium can be made to fail.
 */
import type { LogEvent, NewEvent } from '../../domain/event.ts';
import { type ExecutionRecord, type Invocation, isTerminal } from '../../domain/execution.ts';
import type { Task } from '../../domain/task.ts';
import { assertNumbered } from '../entry.ts';
import { emptyInvocation, isEmptyInvocation } from '../invocation.ts';
import { EventPage } from '../page.ts';
import {
  type CommitEntry,
  type CommitResult,
  type EventQuery,
  type ExecutionFilter,
  type NodeEvent,
  type Store,
  StoreError,
} from '../store.ts';
import { MemoryTasks } from './tasks.ts';

export interface MemoryStore extends Store {
  /** Every call from now on rejects with a StoreError of that cause, until undefined heals the medium. */
  setFault(cause: Error | undefined): void;
  /** The next call rejects with a StoreError of that cause. */
  failNext(cause: Error): void;
}

export function createMemoryStore(): MemoryStore {
  return new InMemory();
}

class InMemory implements MemoryStore {
  /** Every committed event, in order of position: the event at index i has position i + 1. */
  readonly #events: NodeEvent[] = [];
  /** The events of one execution; the event at index i has sequence i + 1. */
  readonly #logs = new Map<string, NodeEvent[]>();
  readonly #records = new Map<string, ExecutionRecord>();
  readonly #inputs = new Map<string, Invocation>();
  readonly #snapshots = new Map<string, string>();
  readonly #claims = new Map<string, string>();
  readonly #tasks = new MemoryTasks();
  #fault: Error | undefined;
  #nextFault: Error | undefined;
  #closed = false;

  setFault(cause: Error | undefined): void {
    this.#fault = cause;
  }

  failNext(cause: Error): void {
    this.#nextFault = cause;
  }

  async commit(entries: readonly CommitEntry[]): Promise<CommitResult[]> {
    for (const entry of entries) assertNumbered(entry);
    this.#touch();
    return entries.map((entry) => this.#write(entry));
  }

  #write(entry: CommitEntry): CommitResult {
    const { executionId, expectedLastSequence: expected, events, record, claimInvocationId: claim } = entry;
    const lastSequence = this.#logs.get(executionId)?.length ?? 0;
    if (lastSequence !== expected) return { ok: false, conflict: 'sequence', lastSequence };
    const owner = claim === undefined ? undefined : this.#claims.get(claim);
    if (owner !== undefined && owner !== executionId) {
      return { ok: false, conflict: 'invocation', executionId: owner };
    }
    if (claim !== undefined) this.#claims.set(claim, executionId);
    const position = this.#append(executionId, events);
    if (entry.input !== undefined && !isEmptyInvocation(entry.input) && !this.#inputs.has(executionId)) {
      this.#inputs.set(executionId, copyInvocation(entry.input));
    }
    if (record !== undefined) this.#records.set(executionId, structuredClone(record));
    if (record !== undefined && isTerminal(record.status)) this.#snapshots.delete(executionId);
    else if (entry.snapshot !== undefined) this.#snapshots.set(executionId, entry.snapshot);
    return { ok: true, position };
  }

  #append(executionId: string, events: readonly NewEvent[]): number {
    const position = this.#events.length + 1;
    if (events.length === 0) return position;
    const log = this.#logs.get(executionId) ?? [];
    this.#logs.set(executionId, log);
    for (const [index, event] of events.entries()) {
      const committed = { ...copyEvent(event), position: position + index, executionId };
      log.push(committed);
      this.#events.push(committed);
    }
    return position;
  }

  async execution(executionId: string): Promise<ExecutionRecord | undefined> {
    this.#touch();
    return structuredClone(this.#records.get(executionId));
  }

  async executionByInvocation(invocationId: string): Promise<ExecutionRecord | undefined> {
    this.#touch();
    return structuredClone(this.#records.get(this.#claims.get(invocationId) ?? ''));
  }

  async input(executionId: string): Promise<Invocation | undefined> {
    this.#touch();
    if (!this.#records.has(executionId)) return undefined;
    const invocation = this.#inputs.get(executionId);
    return invocation === undefined ? emptyInvocation() : copyInvocation(invocation);
  }

  async snapshot(executionId: string): Promise<string | undefined> {
    this.#touch();
    return this.#snapshots.get(executionId);
  }

  async executions(filter: ExecutionFilter): Promise<ExecutionRecord[]> {
    this.#touch();
    const { taskId, statuses, createdAfter, createdBefore, beforeId } = filter;
    return this.#sorted()
      .reverse()
      .filter((record) => taskId === undefined || record.taskId === taskId)
      .filter((record) => statuses.length === 0 || statuses.includes(record.status))
      .filter((record) => createdAfter === undefined || record.createdAt >= createdAfter)
      .filter((record) => createdBefore === undefined || record.createdAt < createdBefore)
      .filter((record) => beforeId === undefined || record.executionId < beforeId)
      .slice(0, Math.max(0, filter.limit))
      .map((record) => structuredClone(record));
  }

  async unfinished(afterId: string, limit: number): Promise<ExecutionRecord[]> {
    this.#touch();
    return this.#sorted()
      .filter((record) => !isTerminal(record.status) && record.executionId > afterId)
      .slice(0, Math.max(0, limit))
      .map((record) => structuredClone(record));
  }

  #sorted(): ExecutionRecord[] {
    return [...this.#records.values()].sort((a, b) => (a.executionId < b.executionId ? -1 : 1));
  }

  async events(executionId: string, query: EventQuery): Promise<LogEvent[]> {
    this.#touch();
    const page = new EventPage(query);
    for (const { executionId: _, ...event } of this.#logs.get(executionId) ?? []) {
      if (!page.offer(copyEvent(event))) break;
    }
    return page.events;
  }

  async eventsFromPosition(from: number, limit: number): Promise<NodeEvent[]> {
    this.#touch();
    const start = Math.max(0, from - 1);
    return this.#events.slice(start, start + Math.max(0, limit)).map(copyEvent);
  }

  async saveTask(task: Task): Promise<void> {
    this.#touch();
    this.#tasks.save(task);
  }

  async deleteTask(taskId: string): Promise<void> {
    this.#touch();
    this.#tasks.delete(taskId);
  }

  async taskByName(name: string): Promise<Task | undefined> {
    this.#touch();
    return this.#tasks.byName(name);
  }

  async taskById(taskId: string): Promise<Task | undefined> {
    this.#touch();
    return this.#tasks.byId(taskId);
  }

  async taskRevision(taskId: string, revision: number): Promise<Task | undefined> {
    this.#touch();
    return this.#tasks.revision(taskId, revision);
  }

  async tasks(afterName: string, limit: number): Promise<Task[]> {
    this.#touch();
    return this.#tasks.list(afterName, limit);
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  /** Every call reaches the medium here, and fails here. */
  #touch(): void {
    if (this.#closed) throw new StoreError('the store is closed');
    const cause = this.#nextFault ?? this.#fault;
    this.#nextFault = undefined;
    if (cause !== undefined) throw new StoreError(`the medium failed: ${cause.message}`, { cause });
  }
}

function copyEvent<E extends NewEvent>(event: E): E {
  return event.kind === 'chunk' ? { ...event, data: Uint8Array.from(event.data) } : { ...event };
}

/** The bytes apart: cloning a view would copy all of the buffer below it. */
function copyInvocation(invocation: Invocation): Invocation {
  const { input, ...rest } = invocation;
  return { ...structuredClone(rest), input: Uint8Array.from(input) };
}
