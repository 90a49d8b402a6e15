/** What an execution was given, and what came of it, as a few lines for people. */
import { toJson } from '@bufbuild/protobuf';
import { ValueSchema } from '@bufbuild/protobuf/wkt';
import type { ExecutionResult } from '../server/gen/spearlet/function_pb.js';
import type { GetInvocationResponse } from '../server/gen/spearlet/node_pb.js';
import { printable } from './printable.ts';
import { sizeText } from './size.ts';

type Entry = [string, string];

/** As much of a text as is looked at; the rest is in the log, or was the caller's. */
export const shownBytes = 400;
const shownLength = 120;

/** Nothing for a call without anything. */
export function invocationEntries(invocation: GetInvocationResponse): Entry[] {
  const entries: Entry[] = Object.entries(invocation.parameters).map(([name, value]) => [
    'parameter',
    shortened(`${name}=${JSON.stringify(toJson(ValueSchema, value))}`),
  ]);
  const { args, input, inputBytes, environment } = invocation;
  if (args.length > 0) entries.push(['args', shortened(args.map((each) => JSON.stringify(each)).join(' '))]);
  const names = Object.keys(environment);
  if (names.length > 0) entries.push(['env', shortened(names.join(', '))]);
  if (inputBytes > 0n) entries.push(['input', excerpt(input, Number(inputBytes))]);
  return entries;
}

/** What a typed function returned, and what a command wrote, as far as the answer carries it. */
export function outputEntries({ contentType, output, errorOutput, isCompleted }: ExecutionResult): Entry[] {
  const isValue = contentType === 'application/json' && isCompleted;
  const entries: Entry[] = [];
  if (output.length > 0) entries.push([isValue ? 'result' : 'stdout', excerpt(output)]);
  if (errorOutput.length > 0) entries.push(['stderr', excerpt(errorOutput)]);
  return entries;
}

/** The beginning of it, on one line; `total` is the size of all of it, where that is not told elsewhere. */
function excerpt(bytes: Uint8Array, total?: number): string {
  const text = decoded(bytes);
  const size = total === undefined ? '' : sizeText(total);
  if (text === undefined) return size === '' ? 'not text' : `${size}, not text`;
  const line = shortened(text);
  return size !== '' && line.endsWith('…') ? `${line} (${size})` : line;
}

function decoded(bytes: Uint8Array): string | undefined {
  // A character that is cut in two is no sign of anything else.
  const text = new TextDecoder('utf-8').decode(bytes, { stream: true });
  return text.includes('\ufffd') || text.includes('\0') ? undefined : text;
}

function shortened(text: string): string {
  const line = printable(text, shownLength + 1);
  return line.length > shownLength ? `${line.slice(0, shownLength)}…` : line;
}
