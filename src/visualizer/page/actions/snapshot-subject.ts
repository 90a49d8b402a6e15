/** What a snapshot file is of, as far as one must know to restore it. */
import type { ExecutionRecord } from '../../../domain/execution.ts';
import { fileLines } from '../execution/offline/file-lines.ts';
import { objectOf } from '../execution/offline/parsed.ts';
import { isSnapshot } from '../execution/offline/snapshot-file.ts';
import { UnreadableFile } from '../execution/offline/unreadable-file.ts';
import { isStatus, type Status } from '../model/status.ts';

export interface SnapshotSubject {
  readonly id: string;
  readonly status: Status;
}

/** Reads no further than the record. Nothing where there is none: what is wrong with the file, the node says. */
export async function snapshotSubject(file: Blob): Promise<SnapshotSubject | undefined> {
  try {
    for await (const line of fileLines(file)) {
      if (line.number === 1) {
        if (!isSnapshot(line.text)) return undefined;
        continue;
      }
      const part = objectOf({ text: line.text.replace(/,$/, ''), number: line.number });
      if (part.kind !== 'record') continue;
      const { executionId, status } = part.record as ExecutionRecord;
      return isStatus(status) ? { id: String(executionId), status } : undefined;
    }
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
  }
  return undefined;
}
