import { create, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import {
  ChunkSchema,
  type StreamExecutionResult,
  StreamExecutionResultSchema,
} from '../gen/spearlet/function_pb.js';

/** Below that the general encoder costs no more. */
const mostGeneral = 4096;
const chunkField = StreamExecutionResultSchema.field.chunk.number;
const dataField = ChunkSchema.field.data.number;

/**
 * The bytes of an event of a stream. Those of a large chunk are copied once, into a buffer of their size: the general
 * encoder copies them five times, through a buffer that it doubles. Fields stand in another order than there, which a
 * reader does not see (https://protobuf.dev/programming-guides/encoding/#order).
 */
export function encodeStreamEvent(message: StreamExecutionResult): Buffer {
  const { event } = message;
  if (event.case !== 'chunk' || event.value.data.byteLength < mostGeneral) {
    const bytes = toBinary(StreamExecutionResultSchema, message);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  const { data } = event.value;
  const around = toBinary(StreamExecutionResultSchema, { ...message, event: { case: undefined } });
  const chunk = toBinary(ChunkSchema, create(ChunkSchema, { stream: event.value.stream }));
  const dataHead = new BinaryWriter()
    .tag(dataField, WireType.LengthDelimited)
    .uint32(data.byteLength)
    .finish();
  const chunkHead = new BinaryWriter()
    .tag(chunkField, WireType.LengthDelimited)
    .uint32(chunk.byteLength + dataHead.byteLength + data.byteLength)
    .finish();
  return Buffer.concat([around, chunkHead, chunk, dataHead, data]);
}
