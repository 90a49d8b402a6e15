/**
 * What the answer of a sync no-op costs from its record to its bytes: once as the node makes it, once with the general
 * encoder. Prints microseconds of processor time for each, garbage collection included.
 *
 *     node bench/response.ts
 */
import { toBinary } from '@bufbuild/protobuf';
import { syncResponse } from '../src/domain/response.ts';
import {
  type InvokeFunctionResponse,
  InvokeFunctionResponseSchema,
} from '../src/server/gen/spearlet/function_pb.js';
import { encoderOf } from '../src/server/wire/encoder.ts';
import { invokeResponseToWire } from '../src/server/wire/execution.ts';
import { recordOf } from '../test/stores/samples.ts';
import { median } from './table.ts';

const answers = 100_000;
const rounds = 5;
const record = recordOf('exec_01h455vb4pex5vsknk084sn02q', 'completed');
const output = { stdout: Buffer.from('null'), stderr: new Uint8Array(), truncated: false };

function microseconds(encode: (message: InvokeFunctionResponse) => Uint8Array): number {
  const before = process.cpuUsage();
  for (let count = 0; count < answers; count++) {
    const executionTimeMs = count / 7;
    const response = syncResponse({ ...record, executionTimeMs }, output, 0, record.createdAt + count);
    encode(invokeResponseToWire(response, false));
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / answers;
}

const encoders = {
  'the node’s': encoderOf(InvokeFunctionResponseSchema),
  'the general': (message: InvokeFunctionResponse) => toBinary(InvokeFunctionResponseSchema, message),
};
for (const [name, encode] of Object.entries(encoders)) {
  microseconds(encode);
  const times = Array.from({ length: rounds }, () => microseconds(encode));
  console.log(`${name} encoder: ${median(times).toFixed(1)} µs`);
}
