import type { Invocation } from '../../domain/execution.ts';
import type { Task } from '../../domain/task.ts';
import type { Child } from './child.ts';

/** One live execution and what runs it. */
export interface Run {
  readonly child: Child;
  readonly task: Task;
  /** Undefined where it is read back from the store when it is needed. */
  invocation: Invocation | undefined;
  /** Ends the attempt that runs. */
  controller: AbortController | undefined;
}

/** The executions that are live, by id. */
export class Runs {
  readonly #runs = new Map<string, Run>();
  #pending = 0;

  get size(): number {
    return this.#runs.size;
  }

  /** Those of them that count against the queue limit. */
  get pending(): number {
    return this.#pending;
  }

  get(executionId: string): Run | undefined {
    return this.#runs.get(executionId);
  }

  has(executionId: string): boolean {
    return this.#runs.has(executionId);
  }

  values(): Iterable<Run> {
    return this.#runs.values();
  }

  add(child: Child, task: Task, invocation?: Invocation): void {
    this.#runs.set(child.log.executionId, { child, task, invocation, controller: undefined });
    if (child.pending) this.#pending++;
  }

  /** One of them is pending no more. */
  leftPending(): void {
    this.#pending--;
  }

  delete(executionId: string): void {
    this.#runs.delete(executionId);
  }
}
