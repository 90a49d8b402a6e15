import type { Batch } from '../../../domain/batch/batch.ts';
import type { Quota } from '../../../domain/quota.ts';
import type { TaskAlias } from '../../../domain/revisions/alias.ts';
import type { SideRowChange } from '../../../domain/side-row.ts';
import type { Task } from '../../../domain/task.ts';
import type { BatchResult, CommitResult, MemberEnding, OrderChanges, SuperviseResult } from '../../store.ts';
import type { SqliteFailure } from '../file/failure.ts';
import type { TaskRevision } from '../read/tasks.ts';
import type { Removed } from '../retention/removal.ts';
import type { RetainStep, Target } from '../retention/retainer.ts';
import type { BatchPart } from './committer.ts';
import type { EncodedEntry, EncodedSegment } from './encoded-entry.ts';

/** What the store asks of its writer's thread. Requests are answered in order. */
export type WriterRequest =
  | { readonly kind: 'commit'; readonly entries: readonly EncodedEntry[]; readonly floor: number }
  | {
      readonly kind: 'stage';
      readonly executionId: string;
      readonly segments: readonly EncodedSegment[];
      readonly floor: number;
    }
  | { readonly kind: 'unstage'; readonly executionId: string }
  | {
      readonly kind: 'commitBatch';
      readonly batch: Batch;
      readonly entries: readonly EncodedEntry[];
      readonly part: BatchPart;
      readonly floor: number;
    }
  | { readonly kind: 'saveBatch'; readonly batch: Batch }
  | {
      readonly kind: 'superviseBatch';
      readonly before: Batch;
      readonly batch: Batch;
      readonly entries: readonly EncodedEntry[];
      readonly endings: readonly MemberEnding[];
      readonly floor: number;
    }
  /** One bounded part of it. */
  | { readonly kind: 'dropBatch'; readonly batchId: string }
  /** One bounded part of it. */
  | { readonly kind: 'delete'; readonly executionId: string }
  | { readonly kind: 'retain'; readonly target: Target }
  | { readonly kind: 'saveTask'; readonly task: Task }
  | { readonly kind: 'saveRevision'; readonly task: Task }
  | { readonly kind: 'deleteTask'; readonly taskId: string }
  | { readonly kind: 'saveQuota'; readonly tenant: string; readonly quota: Quota | undefined }
  | { readonly kind: 'saveRows'; readonly rows: readonly SideRowChange[] }
  | { readonly kind: 'saveOrder'; readonly changes: OrderChanges }
  | { readonly kind: 'deleteRevision'; readonly revision: TaskRevision }
  | { readonly kind: 'dropRevision'; readonly revision: TaskRevision }
  | {
      readonly kind: 'saveAlias';
      readonly taskId: string;
      readonly name: string;
      readonly alias: TaskAlias | undefined;
    }
  /** Copies what the write-ahead log holds into the database; does not keep anyone from writing. */
  | { readonly kind: 'checkpoint' }
  | { readonly kind: 'close' };

/** What it answers to each. */
export interface WriterAnswers {
  readonly commit: readonly CommitResult[];
  /** False where there is such an execution. */
  readonly stage: boolean;
  readonly unstage: undefined;
  readonly commitBatch: BatchResult;
  readonly saveBatch: undefined;
  readonly superviseBatch: SuperviseResult;
  /** False where there is more to drop. */
  readonly dropBatch: boolean;
  readonly delete: Removed;
  readonly retain: RetainStep;
  readonly saveTask: undefined;
  readonly saveRevision: undefined;
  readonly deleteTask: undefined;
  readonly saveQuota: undefined;
  readonly saveRows: undefined;
  /** Buckets that were forgotten. */
  readonly saveOrder: number;
  /** False where an execution or an alias uses it, or it is among a named task's newest. */
  readonly deleteRevision: boolean;
  /** False where an execution uses it, or it is its task's newest. */
  readonly dropRevision: boolean;
  readonly saveAlias: undefined;
  readonly checkpoint: undefined;
  readonly close: undefined;
}

export type WriterReply =
  | { readonly kind: 'ready'; readonly changes: number }
  | {
      readonly kind: 'done';
      readonly answer: WriterAnswers[keyof WriterAnswers];
      readonly nextPosition: number;
      /** See Progress. */
      readonly changes: number;
    }
  /** SQLite refused; nothing was written and the writer goes on. */
  | { readonly kind: 'failed'; readonly failure: SqliteFailure }
  /** A bug of ours. */
  | { readonly kind: 'bug'; readonly message: string };
