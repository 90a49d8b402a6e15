import type { DatabaseSync } from 'node:sqlite';
import { wholeNode } from '../../../domain/scope.ts';
import type { KeptExecutions } from '../../store.ts';
import type { Reading } from '../read/reading.ts';
import { Records } from '../read/records.ts';
import { StoredBytesReader } from '../read/stored-bytes.ts';
import type { Tasks } from '../read/tasks.ts';
import type { Inputs } from '../write/inputs.ts';

interface Places {
  readonly db: DatabaseSync;
  /** Batches that are being staged: their members are not there for readers. */
  readonly hidden: ReadonlySet<string>;
  readonly inputs: Inputs;
  readonly tasks: Tasks;
  /** Where large inputs are. */
  readonly blobFolder: string;
}

export function keptExecutions(
  { db, hidden, inputs, tasks, blobFolder }: Places,
  reading: Reading,
): KeptExecutions {
  const records = new Records(db, hidden);
  const stored = new StoredBytesReader(db, blobFolder);
  return {
    execution: async (executionId) => reading.now('cannot read an execution', () => records.get(executionId)),
    executionByInvocation: async (tenant, invocationId) =>
      reading.now('cannot read an execution', () => records.byInvocation(tenant, invocationId)),
    input: async (executionId) =>
      reading.now('cannot read an input', () =>
        records.has(executionId) ? inputs.load(executionId) : undefined,
      ),
    executions: (filter) => reading.list('cannot list executions', () => records.list(filter)),
    unfinished: async (afterId, limit) =>
      reading.now('cannot list executions', () => records.unfinished(afterId, limit)),
    counts: async (scope = wholeNode) =>
      reading.now('cannot count', () => ({ executions: records.counts(scope), tasks: tasks.named(scope) })),
    async storedBytes(tenant, afterId, limit) {
      const { files, ...page } = reading.now('cannot count', () => stored.page(tenant, afterId, limit));
      const artifacts = afterId === '' ? reading.now('cannot count', () => stored.artifacts(tenant)) : 0;
      return { bytes: page.bytes + artifacts + (await stored.files(files)), last: page.last };
    },
  };
}
