/** Messages as bytes, without what a second look may change: when it was taken. */
import { clone, toBinary, toJsonString } from '@bufbuild/protobuf';
import {
  type ExecutionResult,
  ExecutionResultSchema,
  type StreamExecutionResult,
  StreamExecutionResultSchema,
} from '../../../src/server/gen/spearlet/function_pb.js';

export function eventBytes(event: StreamExecutionResult): Buffer {
  const copy = clone(StreamExecutionResultSchema, event);
  if (copy.event.case === 'result') delete copy.event.value.timestamp;
  return Buffer.from(toBinary(StreamExecutionResultSchema, copy));
}

export function resultBytes(result: ExecutionResult, withOutput: boolean): Buffer {
  const copy = clone(ExecutionResultSchema, result);
  delete copy.timestamp;
  if (!withOutput) {
    copy.output = new Uint8Array();
    copy.errorOutput = new Uint8Array();
    copy.outputTruncated = false;
  }
  return Buffer.from(toBinary(ExecutionResultSchema, copy));
}

/** Both as JSON, from where they part on. */
export function difference(heard: StreamExecutionResult, found: StreamExecutionResult): string {
  const [one, other] = [heard, found].map((event) => toJsonString(StreamExecutionResultSchema, event)) as [
    string,
    string,
  ];
  let at = 0;
  while (at < one.length && one[at] === other[at]) at++;
  const from = Math.max(0, at - 60);
  return `${one.slice(from, at + 120)} and is ${other.slice(from, at + 120)}`;
}
