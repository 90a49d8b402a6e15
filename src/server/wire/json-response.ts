/** A message in JSON with all of its fields, and its output as text beside the bytes where it is one. */
import { isUtf8 } from 'node:buffer';
import {
  type DescField,
  type DescMessage,
  type JsonObject,
  type JsonValue,
  type MessageShape,
  toJson,
} from '@bufbuild/protobuf';
import { type ExecutionResult, ExecutionResultSchema } from '../gen/spearlet/function_pb.js';

export function messageToJson<Desc extends DescMessage>(desc: Desc, message: MessageShape<Desc>): JsonValue {
  const json = toJson(desc, message, { alwaysEmitImplicit: true });
  addTexts(desc, message as unknown as Fields, json as JsonObject);
  return json;
}

type Fields = Readonly<Record<string, unknown>>;

const paths = new WeakMap<DescMessage, readonly DescField[]>();

function addTexts(desc: DescMessage, message: Fields, json: JsonObject): void {
  if (desc.typeName === ExecutionResultSchema.typeName) {
    const { output, errorOutput } = message as unknown as ExecutionResult;
    if (isUtf8(output)) json.outputText = textOf(output);
    if (isUtf8(errorOutput)) json.errorText = textOf(errorOutput);
    return;
  }
  for (const field of fieldsToResults(desc)) {
    const value = memberOf(message, field);
    const inner = json[field.jsonName];
    if (value === undefined || inner === undefined || field.message === undefined) continue;
    addTexts(field.message, value as Fields, inner as JsonObject);
  }
}

/** The fields that have an ExecutionResult somewhere in them; one in a list comes without its output. */
function fieldsToResults(desc: DescMessage): readonly DescField[] {
  let fields = paths.get(desc);
  if (fields === undefined) {
    // What contains itself is not gone through again.
    paths.set(desc, []);
    fields = desc.fields.filter(
      ({ fieldKind, message }) => fieldKind === 'message' && message !== undefined && leadsToResult(message),
    );
    paths.set(desc, fields);
  }
  return fields;
}

function leadsToResult(desc: DescMessage): boolean {
  return desc.typeName === ExecutionResultSchema.typeName || fieldsToResults(desc).length > 0;
}

function memberOf(message: Fields, field: DescField): unknown {
  if (field.oneof === undefined) return message[field.localName];
  const chosen = message[field.oneof.localName] as { readonly case?: string; readonly value?: unknown };
  return chosen.case === field.localName ? chosen.value : undefined;
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}
