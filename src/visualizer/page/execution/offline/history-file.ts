/** A downloaded history: the record on the first line, then an event on each. */
import { EventLog } from '../../model/event-log.ts';
import type { LogEvent } from '../../model/log-event.ts';
import { batchSize, type Document } from './document.ts';
import type { FileLine } from './file-lines.ts';
import { eventLine, headOf } from './history-line.ts';
import { MissingEvents } from './missing-events.ts';
import { objectOf } from './parsed.ts';
import { UnreadableFile } from './unreadable-file.ts';

/** The first line is a status, and so the file a history. */
export function isHistory(first: { readonly [name: string]: unknown }): boolean {
  const { result } = first;
  return typeof result === 'object' && result !== null && 'executionId' in result;
}

/** Throws an UnreadableFile where a line is not one of a history; what is only missing is the document's fault. */
export async function readHistory(first: FileLine, rest: AsyncIterable<FileLine>): Promise<Document> {
  const { row, lastSequence } = headOf(first);
  const log = new EventLog();
  const missing = new MissingEvents(row.oldestSequence);
  let batch: LogEvent[] = [];
  let cutOff = false;
  for await (const line of rest) {
    if (line.text === '') continue;
    let json: ReturnType<typeof objectOf>;
    try {
      json = objectOf(line);
    } catch (error) {
      if (!line.cutOff) throw error;
      cutOff = true;
      break;
    }
    const read = eventLine(line, json, row.id);
    if (read.sequence <= missing.last) {
      throw new UnreadableFile(
        `line ${line.number}: event ${read.sequence} comes after event ${missing.last}`,
      );
    }
    missing.take(read.sequence);
    if (read.event !== undefined) batch.push(read.event);
    if (batch.length === batchSize) {
      log.append(batch);
      batch = [];
    }
  }
  log.append(batch);
  if (lastSequence === 0 && log.last === undefined) throw new UnreadableFile('it has no events');
  const faults = [missing.fault];
  if (cutOff) faults.push('The file was cut off: its last event is missing.');
  else if (missing.last < lastSequence) {
    faults.push(`The file ends with event ${missing.last}; the execution had ${lastSequence}.`);
  }
  const fault = faults.filter((each) => each !== '').join(' ');
  return { row, log, invocation: undefined, task: undefined, signature: undefined, fault };
}
