/** The limit to measure against: grpc-js that decodes and encodes the same messages and does nothing else. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Server, ServerCredentials, type ServerUnaryCall, type ServerWritableStream } from '@grpc/grpc-js';
import {
  ExecutionMode,
  ExecutionResultSchema,
  ExecutionStatus,
  FunctionService,
  type InvokeFunctionRequest,
  InvokeFunctionRequestSchema,
  InvokeFunctionResponseSchema,
  OutputStream,
  type StreamExecutionResult,
  StreamExecutionResultSchema,
} from '../src/server/gen/spearlet/function_pb.js';

const chunk = new Uint8Array(64 * 1024).fill(97);

function serialize(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A response of the size of Spear's own to a no-op. */
function answer(
  call: ServerUnaryCall<InvokeFunctionRequest, unknown>,
  callback: (error: null, value: unknown) => void,
) {
  const now = Date.now();
  callback(
    null,
    create(InvokeFunctionResponseSchema, {
      success: true,
      message: 'completed',
      executionId: 'exec_01h455vb4pex5vsknk084sn02q',
      taskId: 'task_01h455vb4pex5vsknk084sn02q',
      instanceId: 'inst_01h455vb4pex5vsknk084sn02q',
      lastSequence: 3n,
      result: create(ExecutionResultSchema, {
        status: ExecutionStatus.COMPLETED,
        state: 'completed',
        mode: ExecutionMode.SYNC,
        isCompleted: true,
        output: Buffer.from('null'),
        contentType: 'application/json',
        attempt: 1,
        createdAt: timestampFromMs(now),
        startedAt: timestampFromMs(now),
        completedAt: timestampFromMs(now),
        executionTimeMs: 0.5,
        requestId: 'req_01h455vb4pex5vsknk084sn02q',
        timestamp: timestampFromMs(now),
        resourceUse: { peakMemoryBytes: 65536n },
        executionId: 'exec_01h455vb4pex5vsknk084sn02q',
        taskId: 'task_01h455vb4pex5vsknk084sn02q',
        taskName: 'noop',
        taskRevision: 1,
        functionName: call.request.functionName,
        instanceId: 'inst_01h455vb4pex5vsknk084sn02q',
      }),
    }),
  );
}

/** Streams as many 64 KiB chunks as `args[0]` says. */
async function stream(call: ServerWritableStream<InvokeFunctionRequest, StreamExecutionResult>) {
  const count = Number(call.request.args[0]);
  for (let sequence = 1; sequence <= count; sequence++) {
    const message = create(StreamExecutionResultSchema, {
      executionId: 'exec_01h455vb4pex5vsknk084sn02q',
      sequence: BigInt(sequence),
      position: BigInt(sequence),
      time: timestampFromMs(Date.now()),
      status: ExecutionStatus.RUNNING,
      attempt: 1,
      event: { case: 'chunk', value: { stream: OutputStream.STDOUT, data: chunk } },
    });
    if (!call.write(message)) await new Promise((resolve) => call.once('drain', resolve));
  }
  call.end();
}

const server = new Server({ 'grpc.enable_channelz': 0 });
const { invokeFunction, streamFunction } = FunctionService.method;
const requestDeserialize = (bytes: Buffer) => fromBinary(InvokeFunctionRequestSchema, bytes);
server.addService(
  {
    invokeFunction: {
      path: `/${FunctionService.typeName}/${invokeFunction.name}`,
      requestStream: false,
      responseStream: false,
      requestSerialize: serialize,
      requestDeserialize,
      responseSerialize: (value) => serialize(toBinary(InvokeFunctionResponseSchema, value)),
      responseDeserialize: (bytes: Buffer) => bytes,
    },
    streamFunction: {
      path: `/${FunctionService.typeName}/${streamFunction.name}`,
      requestStream: false,
      responseStream: true,
      requestSerialize: serialize,
      requestDeserialize,
      responseSerialize: (value) => serialize(toBinary(StreamExecutionResultSchema, value)),
      responseDeserialize: (bytes: Buffer) => bytes,
    },
  },
  { invokeFunction: answer, streamFunction: stream },
);
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  process.stdout.write(`${JSON.stringify({ grpcAddress: `127.0.0.1:${port}` })}\n`);
});
