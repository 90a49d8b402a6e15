/** The lines of a history, held against what a node writes: what is damaged is not shown as if it were known. */
import {
  executionResultDefaults,
  streamExecutionResultDefaults,
  transitionDefaults,
} from '../../gen/defaults.ts';
import { type ExecutionRow, rowOf } from '../../model/execution-row.ts';
import { eventOf, type LogEvent } from '../../model/log-event.ts';
import { isInstant, isWhole } from '../../model/scalar.ts';
import { isStatusName } from '../../model/status.ts';
import type {
  ExecutionResultJson,
  GetExecutionStatusResponseJson,
  StreamExecutionResultJson,
} from '../../wire.ts';
import type { FileLine } from './file-lines.ts';
import { objectOf } from './parsed.ts';
import { UnreadableFile } from './unreadable-file.ts';

const idPattern = /^exec_[0-9a-z]{26}$/;

export interface HistoryHead {
  readonly row: ExecutionRow;
  /** Of the execution when the history was taken. */
  readonly lastSequence: number;
}

/** The first line. Throws an UnreadableFile that says what is wrong with it. */
export function headOf(line: FileLine): HistoryHead {
  const { result, lastSequence = '0' } = objectOf(line) as unknown as GetExecutionStatusResponseJson;
  if (result === undefined) throw new UnreadableFile(`line ${line.number} has no execution`);
  check(line, 'lastSequence', isWhole(lastSequence), lastSequence);
  return { row: read(line, () => rowOf(recordOf(line, result))), lastSequence: Number(lastSequence) };
}

/** An event and its place in the log; without the event where it is of a kind that this page does not know. */
export interface HistoryEvent {
  readonly sequence: number;
  readonly event: LogEvent | undefined;
}

/** A line after the first one. Throws an UnreadableFile that says what is wrong with it. */
export function eventLine(line: FileLine, object: ReturnType<typeof objectOf>, id: string): HistoryEvent {
  // Proto JSON may leave out what has its default value; the page's types say that all of it is there.
  const json = { ...streamExecutionResultDefaults, ...object } as unknown as StreamExecutionResultJson;
  const { executionId, sequence, position, time, status, attempt, transition, chunk, result } = json;
  if (executionId !== id) throw new UnreadableFile(`line ${line.number} is not an event of ${id}`);
  check(line, 'sequence', isWhole(sequence) && Number(sequence) > 0, object.sequence);
  check(line, 'position', isWhole(position), position);
  check(line, 'time', isInstant(time), time);
  check(line, 'status', isStatusName(status), object.status);
  check(line, 'attempt', isWhole(attempt), attempt);
  if (transition !== undefined) {
    check(line, 'transition.to', typeof transition?.to === 'string' && transition.to !== '', transition?.to);
  }
  if (chunk !== undefined) check(line, 'chunk.data', typeof chunk?.data === 'string', chunk?.data);
  const event = read(line, () =>
    eventOf({
      ...json,
      ...(transition !== undefined && { transition: { ...transitionDefaults, ...transition } }),
      ...(result !== undefined && { result: recordOf(line, result) }),
    }),
  );
  return { sequence: Number(sequence), event };
}

function recordOf(line: FileLine, json: Partial<ExecutionResultJson>): ExecutionResultJson {
  // Histories from before there was the field have all of their events.
  const record: ExecutionResultJson = { ...executionResultDefaults, oldestSequence: '1', ...json };
  const { executionId, status, createdAt, attempt, oldestSequence } = record;
  check(line, 'executionId', idPattern.test(executionId), executionId);
  check(line, 'status', isStatusName(status), json.status);
  check(line, 'createdAt', isInstant(createdAt), createdAt);
  check(line, 'attempt', isWhole(attempt), attempt);
  check(line, 'oldestSequence', isWhole(oldestSequence), oldestSequence);
  for (const name of ['startedAt', 'completedAt', 'timestamp'] as const) {
    check(line, name, record[name] === undefined || isInstant(record[name]), record[name]);
  }
  return record;
}

function check({ number }: FileLine, name: string, isRight: boolean, value: unknown): void {
  if (isRight) return;
  const what = value === undefined ? 'none' : (JSON.stringify(value)?.slice(0, 60) ?? 'none');
  throw new UnreadableFile(`line ${number}: its ${name} is ${what}, and no node writes that`);
}

function read<Value>({ number }: FileLine, make: () => Value): Value {
  try {
    return make();
  } catch (error) {
    if (error instanceof UnreadableFile) throw error;
    // What is of the wrong type where nothing above looks, such as bytes that are no base64.
    throw new UnreadableFile(`line ${number} is damaged: ${error instanceof Error ? error.message : error}`);
  }
}
