import { hasLabels, type Labels } from '../../../src/domain/labels.ts';
import type { Task } from '../../../src/domain/task.ts';

/** Tasks of the memory store: all revisions, and who has which name. */
export class MemoryTasks {
  readonly #revisions = new Map<string, Map<number, Task>>();
  readonly #names = new Map<string, string>();

  /** How many have a name. */
  get named(): number {
    return this.#names.size;
  }

  save(task: Task): void {
    this.saveRevision(task);
    this.delete(task.taskId);
    this.#names.set(task.definition.name, task.taskId);
  }

  /** Without a name. */
  saveRevision(task: Task): void {
    const revisions = this.#revisions.get(task.taskId) ?? new Map<number, Task>();
    this.#revisions.set(task.taskId, revisions.set(task.revision, structuredClone(task)));
  }

  /** Frees the name only. */
  delete(taskId: string): void {
    for (const [name, owner] of this.#names) if (owner === taskId) this.#names.delete(name);
  }

  byName(name: string): Task | undefined {
    const taskId = this.#names.get(name);
    return taskId === undefined ? undefined : this.byId(taskId);
  }

  byId(taskId: string): Task | undefined {
    const revisions = this.#revisions.get(taskId);
    return revisions === undefined ? undefined : this.revision(taskId, Math.max(...revisions.keys()));
  }

  revision(taskId: string, revision: number): Task | undefined {
    return structuredClone(this.#revisions.get(taskId)?.get(revision));
  }

  list(afterName: string, limit: number, labels?: Labels): Task[] {
    return [...this.#names.keys()]
      .filter((name) => name > afterName)
      .sort()
      .flatMap((name) => this.byName(name) ?? [])
      .filter(({ definition }) => hasLabels(definition.labels, labels))
      .slice(0, Math.max(0, limit));
  }
}
