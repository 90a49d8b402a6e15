/** Tasks that have labels of their own, and tenants. */
const mostTasks = 1000;
const mostTenants = 1000;
/** Revisions that have labels of their own, of all tasks together. */
const mostRevisions = 1000;
const other = 'other';

/**
 * The labels of a task, so that they are bounded whatever callers register: the first thousand tasks since the start of
 * the node have their own names, those that come later are `other`; tenants likewise.
 */
export class BoundedLabels {
  readonly #tenants = new Map<string, Set<string>>();
  #tasks = 0;

  of(tenant: string, task: string): { readonly tenant: string; readonly task: string } {
    const tasks = this.#tenants.get(tenant);
    if (tasks?.has(task) === true) return { tenant, task };
    if (tasks === undefined && this.#tenants.size >= mostTenants) return { tenant: other, task: other };
    if (this.#tasks >= mostTasks) {
      if (tasks === undefined) this.#tenants.set(tenant, new Set());
      return { tenant, task: other };
    }
    this.#tasks += 1;
    if (tasks === undefined) this.#tenants.set(tenant, new Set([task]));
    else tasks.add(task);
    return { tenant, task };
  }
}

/**
 * The labels of revisions that aliases name: the first thousand since the start of the node have their own numbers, those
 * that come later are `other`.
 */
export class BoundedRevisions {
  readonly #known = new Set<string>();

  of(tenant: string, task: string, revision: number): string {
    const key = `${tenant}/${task}@${revision}`;
    if (!this.#known.has(key)) {
      if (this.#known.size >= mostRevisions) return other;
      this.#known.add(key);
    }
    return String(revision);
  }
}
