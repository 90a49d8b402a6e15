/**
 * What waits for what, as rows: one for each dependency of an execution, and one for each execution that is blocked, with
 * how many of them have not ended. Records say the same, and these are how it is found.
 *
 * Every call is within the transaction that writes the record, so that an end and what it releases are one commit: a
 * start finds what was released by an index, and reads nothing of what still waits.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import {
  type Dependency,
  type DependencyEnd,
  dependencyEnd,
  failsDependant,
  isReleased,
} from '../../../domain/dependency.ts';
import type { ExecutionRecord } from '../../../domain/execution.ts';

/** A dependency as it crosses to the writer's thread. */
export interface EncodedDependency {
  readonly executionId: string;
  /** The ends that its dependant fails for. */
  readonly failsFor: readonly DependencyEnd[];
}

const ends: readonly DependencyEnd[] = ['completed', 'failed', 'moved'];

export function encodeDependencies(dependencies: readonly Dependency[]): EncodedDependency[] {
  return dependencies.map((dependency) => ({
    executionId: dependency.executionId,
    failsFor: ends.filter((end) => failsDependant(dependency, end)),
  }));
}

export class DependencyRows {
  readonly #status: StatementSync;
  readonly #insert: StatementSync;
  readonly #insertBlocked: StatementSync;
  readonly #dependants: StatementSync;
  readonly #settle: StatementSync;
  readonly #unblock: StatementSync;
  readonly #end: StatementSync;

  constructor(db: DatabaseSync) {
    this.#status = db.prepare('SELECT status, record FROM executions WHERE execution_id = ?');
    this.#insert = db.prepare(
      `INSERT INTO dependencies (dependency_id, dependant_id, fails_for, active) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    );
    this.#insertBlocked = db.prepare(
      'INSERT INTO blocked (execution_id, open, failed_by, released) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
    );
    this.#dependants = db.prepare(
      'SELECT dependant_id, fails_for FROM dependencies WHERE dependency_id = ? AND active = 1',
    );
    this.#settle = db.prepare(
      `UPDATE blocked SET open = open - 1, failed_by = coalesce(failed_by, ?2),
         released = open <= 1 OR failed_by IS NOT NULL OR ?2 IS NOT NULL WHERE execution_id = ?1`,
    );
    this.#unblock = db.prepare('DELETE FROM blocked WHERE execution_id = ?');
    this.#end = db.prepare('UPDATE dependencies SET active = 0 WHERE dependant_id = ?');
  }

  /** How each has ended, in their order; the id of the first that is not there, in its place. */
  endsOf(dependencies: readonly EncodedDependency[]): (DependencyEnd | undefined)[] | string {
    const found: (DependencyEnd | undefined)[] = [];
    for (const { executionId } of dependencies) {
      const row = this.#status.get(executionId);
      if (row === undefined) return executionId;
      found.push(endOf(String(row.status), String(row.record)));
    }
    return found;
  }

  /** An execution is there that follows others, which have ended so. */
  admit(
    executionId: string,
    dependencies: readonly EncodedDependency[],
    ended: readonly (DependencyEnd | undefined)[],
    { blocked, end }: { readonly blocked: boolean; readonly end: DependencyEnd | undefined },
  ): void {
    let open = 0;
    let failedBy: string | undefined;
    for (const [index, { executionId: dependency, failsFor }] of dependencies.entries()) {
      const its = ended[index];
      this.#insert.run(dependency, executionId, failsFor.join(), Number(end === undefined));
      if (its === undefined) open += 1;
      else if (failsFor.includes(its)) failedBy ??= dependency;
    }
    if (!blocked || end !== undefined) return;
    const released = isReleased({ open, ...(failedBy !== undefined && { failedBy }) });
    this.#insertBlocked.run(executionId, open, failedBy ?? null, Number(released));
  }

  /** It waits for others no more. */
  unblock(executionId: string): void {
    this.#unblock.run(executionId);
  }

  /** It has ended: nobody is kept for it, and those that follow it are told. */
  settle(executionId: string, end: DependencyEnd, follows: boolean): void {
    if (follows) this.#end.run(executionId);
    for (const { dependant_id: dependant, fails_for: failsFor } of this.#dependants.all(executionId)) {
      const fails = String(failsFor).split(',').includes(end);
      this.#settle.run(String(dependant), fails ? executionId : null);
    }
  }
}

function endOf(status: string, json: string): DependencyEnd | undefined {
  const record = { status: status as ExecutionRecord['status'] };
  if (dependencyEnd(record) !== 'failed') return dependencyEnd(record);
  try {
    return dependencyEnd({ ...(JSON.parse(json) as ExecutionRecord), ...record });
  } catch {
    // A record that is damaged: that it failed is what its row says.
    return 'failed';
  }
}
