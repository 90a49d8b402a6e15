/** A file of a batch: a JSON object a line, each an invocation with a name and what it follows. */
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { create, fromJson, type JsonObject, type JsonValue } from '@bufbuild/protobuf';
import { quote } from '../domain/errors.ts';
import { type BatchMember, BatchMemberSchema } from '../server/gen/spearlet/batch_pb.js';
import { InvokeFunctionRequestSchema } from '../server/gen/spearlet/function_pb.js';
import { restartPolicyOf } from './batch-supervision.ts';
import { UsageError } from './usage-error.ts';

/** The members in a stream of bytes. Throws a UsageError that names the line. */
export async function* readMembers(
  bytes: AsyncIterable<Uint8Array>,
  file: string,
  task: string | undefined,
): AsyncGenerator<BatchMember> {
  let number = 0;
  for await (const line of createInterface({ input: Readable.from(bytes), crlfDelay: Infinity })) {
    number += 1;
    if (line.trim() !== '') yield memberOf(line, `${file}, line ${number}`, task);
  }
}

function memberOf(text: string, where: string, task: string | undefined): BatchMember {
  const { name, restart, ...rest } = objectIn(text, where);
  if (name !== undefined && typeof name !== 'string') {
    throw new UsageError(`${where}: name is ${quote(JSON.stringify(name))}; allowed is a text`);
  }
  const policy = restartPolicyOf(restart, where);
  try {
    const invocation = fromJson(InvokeFunctionRequestSchema, {
      ...(task !== undefined && { task }),
      ...invocationOf(rest),
    });
    return create(BatchMemberSchema, { name: name ?? '', invocation, restart: policy });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const said = error.message.replace(
      /^cannot decode message spearlet\.InvokeFunctionRequest from JSON: /,
      '',
    );
    throw new UsageError(`${where}: ${said}`);
  }
}

function objectIn(text: string, where: string): JsonObject {
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch {
    throw new UsageError(`${where}: ${quote(text)} is not JSON; allowed is an object a line`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new UsageError(`${where}: ${quote(text)} is no object; allowed is one a line`);
}

/** `input_text` is the input as a text, and what it follows may be a name alone. */
function invocationOf({ inputText, input_text: snake = inputText, ...rest }: JsonObject): JsonObject {
  const { dependsOn, depends_on: follows = dependsOn, ...others } = rest;
  return {
    ...others,
    ...(typeof snake === 'string' && { input: Buffer.from(snake).toString('base64') }),
    ...(Array.isArray(follows) && { dependsOn: follows.map(dependencyOf) }),
    ...(follows !== undefined && !Array.isArray(follows) && { dependsOn: follows }),
  };
}

function dependencyOf(value: JsonValue): JsonValue {
  if (typeof value !== 'string') return value;
  return value.startsWith('exec_') ? { executionId: value } : { name: value };
}
