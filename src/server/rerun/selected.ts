import type { Batches } from '../../domain/batch/batch.ts';
import type { ExecutionRecord } from '../../domain/execution.ts';
import { type Scope, sees } from '../../domain/scope.ts';
import type { Tasks } from '../../domain/tasks.ts';
import type { ExecutionList } from '../execution-list.ts';
import type { RerunSelection } from './rerun-wish.ts';

/** Executions that are read at once. */
const pageOf = 250;

interface Sources {
  readonly batches: Pick<Batches, 'get'>;
  readonly tasks: Pick<Tasks, 'get'>;
  readonly list: ExecutionList;
}

/**
 * The executions that a filter means, newest first, but for those that the run itself has made. In between others have
 * their turn. Rejects with not_found for a task or a batch that is not there.
 */
export async function* selected(
  { batches, tasks, list }: Sources,
  scope: Scope,
  selection: RerunSelection,
  run: { readonly id: string; readonly before: number },
): AsyncGenerator<ExecutionRecord, void, void> {
  const {
    task,
    statuses,
    createdAfter,
    createdBefore = run.before,
    labels,
    codes,
    batchId,
    schedule,
  } = selection;
  const { tenant } = scope;
  // Those of a deleted task are still found by its id.
  const taskId = task === '' || task.startsWith('task_') ? task : (await tasks.get(scope, task)).taskId;
  if (batchId !== '') await batches.get(scope, batchId);
  const filter = {
    ...{ statuses, createdBefore, limit: pageOf },
    ...(tenant !== undefined && { tenant }),
    ...(taskId !== '' && { taskId }),
    ...(batchId !== '' && { batchId }),
    ...(schedule !== '' && { schedule }),
    ...(createdAfter !== undefined && { createdAfter }),
    ...(Object.keys(labels).length > 0 && { labels }),
  };
  for (let beforeId: string | undefined; ; ) {
    const page: ExecutionRecord[] = await list.executions({
      ...filter,
      ...(beforeId !== undefined && { beforeId }),
    });
    for (const record of page) {
      const { outcome } = record;
      const code = outcome === undefined || outcome.status === 'completed' ? undefined : outcome.code;
      const isMeant = codes.size === 0 || (code !== undefined && codes.has(code));
      if (isMeant && record.rerun?.id !== run.id && sees(scope, record)) yield record;
    }
    const last = page.at(-1);
    if (last === undefined || page.length < pageOf) return;
    beforeId = last.executionId;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
