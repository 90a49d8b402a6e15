import type { DescMessage, DescMethod, DescService, MessageShape } from '@bufbuild/protobuf';
import { fromBinary, isMessage } from '@bufbuild/protobuf';
import type { ServiceDefinition } from '@grpc/grpc-js';
import type { RequestError } from '../domain/errors.ts';
import { tooManyValues } from './chain.ts';
import { StreamExecutionResultSchema } from './gen/spearlet/function_pb.js';
import { encoderOf } from './wire/encoder.ts';
import { hasMoreFields } from './wire/shape.ts';
import { encodeStreamEvent } from './wire/stream-event.ts';

/** A decoded request and what it weighed on the wire. */
export interface Received<Message> {
  readonly message: Message | undefined;
  /** Why it could not be decoded; `message` is undefined then. */
  readonly malformed: string;
  /** Why it was not decoded at all; `message` is undefined then. */
  readonly refusal?: RequestError;
  readonly bytes: number;
}

/** Values, keys and elements of one request, where nothing else is said. */
const mostValues = 50_000;

function encoder<Desc extends DescMessage>(desc: Desc) {
  const encode = encoderOf(desc);
  return (message: MessageShape<Desc>): Buffer =>
    isMessage(message, StreamExecutionResultSchema) ? encodeStreamEvent(message) : encode(message);
}

/** Takes a message apart, unless it has more than `most` fields and elements. */
export function decoder<Desc extends DescMessage>(desc: Desc, most: number) {
  return (bytes: Buffer): Received<MessageShape<Desc>> => {
    if (hasMoreFields(desc, bytes, most)) {
      return { message: undefined, malformed: '', refusal: tooManyValues(most), bytes: bytes.byteLength };
    }
    try {
      return { message: fromBinary(desc, bytes), malformed: '', bytes: bytes.byteLength };
    } catch (error) {
      const malformed = error instanceof Error ? error.message : 'not a protobuf message';
      return { message: undefined, malformed, bytes: bytes.byteLength };
    }
  };
}

export function methodPath(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

/** A service of ours as grpc-js takes it. Requests arrive as `Received`. */
export function serviceDefinition(service: DescService, maxValues = mostValues): ServiceDefinition {
  const definition: Record<string, ServiceDefinition[string]> = {};
  for (const method of service.methods) {
    definition[method.localName] = {
      path: methodPath(method),
      requestStream: method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming',
      responseStream: method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming',
      requestSerialize: encoder(method.input),
      requestDeserialize: decoder(method.input, maxValues),
      responseSerialize: encoder(method.output),
      responseDeserialize: (bytes: Buffer) => fromBinary(method.output, bytes),
    };
  }
  return definition;
}
