import { Counts } from '../../domain/counts.ts';
import { tenantOf } from '../../domain/scope.ts';
import type { LiveExecution } from './live-execution.ts';

const nobody: ReadonlySet<string> = new Set();

/** The executions that live on this node, by id: at most one for each (I1). */
export class LiveExecutions {
  readonly #executions = new Map<string, LiveExecution>();
  #pending = 0;
  /** Those that share a value of a key, in the order in which they came. */
  readonly #byMeter = new Map<string, Set<string>>();
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
    for (const gate of execution.gates) {
      if (gate.kind !== 'concurrency') continue;
      const sharing = this.#byMeter.get(gate.meter);
      if (sharing === undefined) this.#byMeter.set(gate.meter, new Set([execution.executionId]));
      else sharing.add(execution.executionId);
    }
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

  /** Those that count with one another under a key, in the order in which they came. */
  withKey(meter: string): ReadonlySet<string> {
    return this.#byMeter.get(meter) ?? nobody;
  }

  delete(executionId: string): void {
    const execution = this.#executions.get(executionId);
    this.#executions.delete(executionId);
    for (const gate of execution?.gates ?? []) {
      if (gate.kind !== 'concurrency') continue;
      const sharing = this.#byMeter.get(gate.meter);
      sharing?.delete(executionId);
      if (sharing?.size === 0) this.#byMeter.delete(gate.meter);
    }
  }
}
