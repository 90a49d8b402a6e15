/** An execution out of a file: a downloaded history or a snapshot document, shown as a live one is. */
import { signal } from '@preact/signals';
import type { ExecutionSource } from '../model/execution-source.ts';
import type { Machine } from '../model/machine.ts';
import type { Document } from './offline/document.ts';
import { type FileLine, fileLines } from './offline/file-lines.ts';
import { isHistory, readHistory } from './offline/history-file.ts';
import { objectOf } from './offline/parsed.ts';
import { isSnapshot, readSnapshot } from './offline/snapshot-file.ts';
import { UnreadableFile } from './offline/unreadable-file.ts';

/**
 * Reads the file in pieces and keeps what it holds. `machines` are those of the node that serves the page, if any: the
 * chart is drawn with them, and without one it shows what the log has seen. Rejects with an UnreadableFile, whose message
 * says what is wrong with it.
 */
export async function openFile(file: File, machines: readonly Machine[] = []): Promise<ExecutionSource> {
  const document = await read(file);
  const { row, log, invocation, task, signature } = document;
  return {
    id: row.id,
    live: false,
    fileName: file.name,
    record: signal(row),
    events: log,
    machines,
    fault: signal(document.fault),
    gone: signal(false),
    away: signal(false),
    at: signal<number | undefined>(undefined),
    actions: signal([]),
    ...(invocation !== undefined && { invocation: () => Promise.resolve(invocation) }),
    ...(task !== undefined && { task: () => Promise.resolve(task) }),
    ...(signature !== undefined && { signature }),
    close: () => {},
  };
}

async function read(file: File): Promise<Document> {
  const lines = fileLines(file);
  const start = await lines.next();
  if (start.done) throw new UnreadableFile('it is empty');
  const first: FileLine = start.value;
  if (isSnapshot(first.text)) return readSnapshot(first, lines, file);
  let parsed: ReturnType<typeof objectOf>;
  try {
    parsed = objectOf(first);
  } catch {
    throw new UnreadableFile(`it is neither a history nor a snapshot of Spear: ${beginning(first.text)}`);
  }
  if (isHistory(parsed)) return readHistory(first, lines);
  throw new UnreadableFile('it is JSON, but neither a history nor a snapshot of Spear');
}

function beginning(text: string): string {
  return text === '' ? 'its first line is empty' : `it begins with ${JSON.stringify(text.slice(0, 24))}`;
}
