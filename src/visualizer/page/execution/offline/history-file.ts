/** A downloaded history: the record on the first line, then an event on each. */
import { EventLog } from '../../model/event-log.ts';
import { rowOf } from '../../model/execution-row.ts';
import { eventOf, type LogEvent } from '../../model/log-event.ts';
import type { GetExecutionStatusResponseJson, StreamExecutionResultJson } from '../../wire.ts';
import { batchSize, type Document } from './document.ts';
import type { FileLine } from './file-lines.ts';
import { objectOf } from './parsed.ts';
import { UnreadableFile } from './unreadable-file.ts';

/** The first line is a status, and so the file a history. */
export function isHistory(first: { readonly [name: string]: unknown }): boolean {
  const { result } = first;
  return typeof result === 'object' && result !== null && 'executionId' in result;
}

export async function readHistory(first: FileLine, rest: AsyncIterable<FileLine>): Promise<Document> {
  const { result, lastSequence } = objectOf(first) as unknown as GetExecutionStatusResponseJson;
  if (result === undefined) throw new UnreadableFile('its first line has no execution');
  const row = rowOf(complete(result));
  const log = new EventLog();
  let batch: LogEvent[] = [];
  let fault = '';
  for await (const line of rest) {
    if (line.text === '') continue;
    let json: StreamExecutionResultJson;
    try {
      json = objectOf(line) as unknown as StreamExecutionResultJson;
    } catch (error) {
      if (!line.cutOff) throw error;
      fault = 'The file was cut off: its last event is missing.';
      break;
    }
    if (json.executionId !== row.id) {
      throw new UnreadableFile(`line ${line.number} is not an event of ${row.id}`);
    }
    const event = eventOf(json.result === undefined ? json : { ...json, result: complete(json.result) });
    if (event !== undefined) batch.push(event);
    if (batch.length === batchSize) {
      log.append(batch);
      batch = [];
    }
  }
  log.append(batch);
  if (fault === '' && log.lastSequence < Number(lastSequence)) {
    fault = `The file ends with event ${log.lastSequence}; the execution had ${Number(lastSequence)}.`;
  }
  return { row, log, invocation: undefined, task: undefined, signature: undefined, fault };
}

type ResultJson = NonNullable<GetExecutionStatusResponseJson['result']>;

/** Proto JSON may leave out what has its default value; the page's types say that all of it is there. */
function complete(json: ResultJson): ResultJson {
  return { ...defaults, ...json };
}

const defaults = {
  status: 'EXECUTION_STATUS_UNSPECIFIED',
  state: '',
  mode: '',
  isAsync: false,
  isCompleted: false,
  output: '',
  contentType: '',
  errorOutput: '',
  outputBytes: '0',
  outputTruncated: false,
  errorCode: '',
  errorOrigin: '',
  errorMessage: '',
  attempt: 0,
  queueTimeMs: '0',
  executionTimeMs: 0,
  requestId: '',
  metadata: {},
  allowedEvents: [],
  executionId: '',
  taskId: '',
  taskName: '',
  taskRevision: 0,
  functionName: '',
  instanceId: '',
  loosened: [],
  recoveries: 0,
  oldestSequence: '1',
  originExecutionId: '',
} satisfies Partial<ResultJson>;
