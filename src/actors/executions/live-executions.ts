import { Counts } from '../../domain/counts.ts';
import { tenantOf } from '../../domain/scope.ts';
import type { LiveExecution } from './live-execution.ts';

/** The executions that live on this node, by id: at most one for each (I1). */
export class LiveExecutions {
  readonly #executions = new Map<string, LiveExecution>();
  #pending = 0;
  /** By tenant. */
  readonly #pendingOf = new Counts();

  get size(): number {
    return this.#executions.size;
  }

  /** Those of them that count against the queue limit. */
  get pending(): number {
    return this.#pending;
  }

  pendingOf(tenant: string): number {
    return this.#pendingOf.of(tenant);
  }

  get(executionId: string): LiveExecution | undefined {
    return this.#executions.get(executionId);
  }

  has(executionId: string): boolean {
    return this.#executions.has(executionId);
  }

  values(): Iterable<LiveExecution> {
    return this.#executions.values();
  }

  add(execution: LiveExecution): void {
    this.#executions.set(execution.executionId, execution);
    if (!execution.pending) return;
    this.#pending += 1;
    this.#pendingOf.add(tenantOf(execution.log.record), 1);
  }

  /** It runs, has ended, or is forgotten. */
  leavePending(execution: LiveExecution): void {
    if (!execution.pending) return;
    execution.pending = false;
    this.#pending -= 1;
    this.#pendingOf.add(tenantOf(execution.log.record), -1);
  }

  delete(executionId: string): void {
    this.#executions.delete(executionId);
  }
}
