import { hasLabels, type Labels } from '../../../src/domain/labels.ts';
import type { TaskAlias } from '../../../src/domain/revisions/alias.ts';
import { type Scope, seesTask, type TaskKey, taskKey, tenantOf } from '../../../src/domain/scope.ts';
import type { Task } from '../../../src/domain/task.ts';

/** Tasks of the memory store: all revisions, and who has which name. */
export class MemoryTasks {
  readonly #revisions = new Map<string, Map<number, Task>>();
  readonly #names = new Map<TaskKey, string>();
  readonly #aliases = new Map<string, Map<string, TaskAlias>>();

  /** How many have a name. */
  named(scope: Scope): number {
    return this.#named().filter((task) => seesTask(scope, task, task.definition.name)).length;
  }

  tenants(): string[] {
    return [...new Set(this.#named().map(tenantOf))].sort();
  }

  hasArtifact(tenant: string, sha256: string): boolean {
    const all = [...this.#revisions.values()].flatMap((revisions) => [...revisions.values()]);
    return all.some((task) => {
      const { artifact } = task.definition;
      return tenantOf(task) === tenant && artifact.kind !== 'docker' && artifact.sha256 === sha256;
    });
  }

  artifactBytes(tenant: string): number {
    const sizes = new Map<string, number>();
    for (const revisions of this.#revisions.values()) {
      for (const task of revisions.values()) {
        const { artifact } = task.definition;
        if (tenantOf(task) === tenant && artifact.kind === 'wasm')
          sizes.set(artifact.sha256, artifact.sizeBytes);
      }
    }
    return [...sizes.values()].reduce((sum, size) => sum + size, 0);
  }

  #named(): Task[] {
    return [...this.#names.values()].map((taskId) => this.byId(taskId)).filter((task) => task !== undefined);
  }

  save(task: Task): void {
    this.saveRevision(task);
    this.#free(task.taskId);
    this.#names.set(taskKey(tenantOf(task), task.definition.name), task.taskId);
  }

  /** Without a name. */
  saveRevision(task: Task): void {
    const revisions = this.#revisions.get(task.taskId) ?? new Map<number, Task>();
    this.#revisions.set(task.taskId, revisions.set(task.revision, structuredClone(task)));
  }

  /** Frees the name, and forgets the aliases. */
  delete(taskId: string): void {
    this.#free(taskId);
    this.#aliases.delete(taskId);
  }

  #free(taskId: string): void {
    for (const [name, owner] of this.#names) if (owner === taskId) this.#names.delete(name);
  }

  byName(tenant: string, name: string): Task | undefined {
    const taskId = this.#names.get(taskKey(tenant, name));
    return taskId === undefined ? undefined : this.byId(taskId);
  }

  byId(taskId: string): Task | undefined {
    const revisions = this.#revisions.get(taskId);
    return revisions === undefined ? undefined : this.revision(taskId, Math.max(...revisions.keys()));
  }

  revision(taskId: string, revision: number): Task | undefined {
    return structuredClone(this.#revisions.get(taskId)?.get(revision));
  }

  revisions(taskId: string, before: number, limit: number): Task[] {
    return [...(this.#revisions.get(taskId)?.values() ?? [])]
      .filter(({ revision }) => revision < before)
      .sort((a, b) => b.revision - a.revision)
      .slice(0, Math.max(0, limit))
      .map((task) => structuredClone(task));
  }

  /** False for the newest, and where there is none. */
  drop(taskId: string, revision: number): boolean {
    const revisions = this.#revisions.get(taskId) ?? new Map<number, Task>();
    return revision < Math.max(...revisions.keys()) && revisions.delete(revision);
  }

  /** By name. */
  aliases(taskId: string): TaskAlias[] {
    const aliases = [...(this.#aliases.get(taskId)?.values() ?? [])];
    return aliases.map((alias) => structuredClone(alias)).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  saveAlias(taskId: string, name: string, alias: TaskAlias | undefined): void {
    const aliases = this.#aliases.get(taskId) ?? new Map<string, TaskAlias>();
    this.#aliases.set(taskId, aliases);
    if (alias === undefined) aliases.delete(name);
    else aliases.set(name, structuredClone(alias));
  }

  list(tenant: string, afterName: string, limit: number, labels?: Labels): Task[] {
    // By the name that it has, whatever a revision of no name calls it.
    const after = taskKey(tenant, afterName);
    return [...this.#names]
      .filter(([key]) => key.startsWith(taskKey(tenant, '')) && key > after)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([, taskId]) => this.byId(taskId) ?? [])
      .filter(({ definition }) => hasLabels(definition.labels, labels))
      .slice(0, Math.max(0, limit));
  }
}
