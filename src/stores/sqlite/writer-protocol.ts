import type { Task } from '../../domain/task.ts';
import type { CommitResult } from '../store.ts';
import type { EncodedEntry } from './encoded-entry.ts';
import type { SqliteFailure } from './failure.ts';

/** What the store asks of its writer's thread. Requests are answered in order. */
export type WriterRequest =
  | { readonly kind: 'commit'; readonly entries: readonly EncodedEntry[]; readonly floor: number }
  | { readonly kind: 'saveTask'; readonly task: Task }
  | { readonly kind: 'deleteTask'; readonly taskId: string }
  /** Copies what the write-ahead log holds into the database; does not keep anyone from writing. */
  | { readonly kind: 'checkpoint' }
  | { readonly kind: 'close' };

export type WriterReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly results: readonly CommitResult[]; readonly nextPosition: number }
  /** SQLite refused; nothing was written and the writer goes on. */
  | { readonly kind: 'failed'; readonly failure: SqliteFailure }
  /** A bug of ours. */
  | { readonly kind: 'bug'; readonly message: string };
