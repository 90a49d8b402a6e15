import { create, type DescMessage, toBinary } from '@bufbuild/protobuf';
import { StructSchema, TimestampSchema } from '@bufbuild/protobuf/wkt';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ExecutionResultSchema,
  FunctionService,
  InvokeFunctionResponseSchema,
} from '../../../src/server/gen/spearlet/function_pb.js';
import { InstanceService } from '../../../src/server/gen/spearlet/instance_pb.js';
import { NodeService } from '../../../src/server/gen/spearlet/node_pb.js';
import { TaskService } from '../../../src/server/gen/spearlet/task_pb.js';
import { encoderOf } from '../../../src/server/wire/encoder.ts';
import { message } from '../arbitrary.ts';

function general(desc: DescMessage, value: never): Buffer {
  return Buffer.from(toBinary(desc, value));
}

describe('the bytes are those of the general encoder', () => {
  const outputs = [FunctionService, TaskService, InstanceService, NodeService].flatMap(({ methods }) =>
    methods.map(({ output }) => output),
  );
  it.each(outputs.map((desc) => [desc.typeName, desc] as const))('%s', (_, desc) => {
    const encode = encoderOf<DescMessage>(desc);
    fc.assert(
      fc.property(message(desc, 4), (value) => {
        expect(encode(value as never)).toEqual(general(desc, value as never));
      }),
      { numRuns: 40 },
    );
  });

  it('of one with unknown fields', () => {
    const unknown = [{ no: 900, wireType: 0, data: new Uint8Array([7]) }];
    const result = create(ExecutionResultSchema, { state: 'completed', $unknown: unknown } as never);
    const value = create(InvokeFunctionResponseSchema, { executionId: 'exec_1', result });
    value.result = { ...result, $unknown: unknown };
    const bytes = encoderOf(InvokeFunctionResponseSchema)(value);
    expect(bytes).toEqual(general(InvokeFunctionResponseSchema, value as never));
    expect(bytes.includes(7)).toBe(true);
  });

  it('of one after another that was large, and after one that failed', () => {
    const encode = encoderOf(ExecutionResultSchema);
    const small = create(ExecutionResultSchema, { state: 'completed', attempt: 1 });
    const large = create(ExecutionResultSchema, { output: new Uint8Array(1024 * 1024).fill(7) });
    const wrong = create(ExecutionResultSchema, { state: 'completed', attempt: -1 });
    for (const each of [small, large, small]) {
      expect(encode(each)).toEqual(general(ExecutionResultSchema, each as never));
    }
    expect(() => encode(wrong)).toThrow('ExecutionResult.attempt');
    expect(encode(small)).toEqual(general(ExecutionResultSchema, small as never));
  });
});

it('what one message was encoded to stays when the next is', () => {
  const encode = encoderOf(ExecutionResultSchema);
  const first = encode(create(ExecutionResultSchema, { state: 'completed' }));
  const copy = Buffer.from(first);
  encode(create(ExecutionResultSchema, { state: 'failed', errorMessage: 'x'.repeat(100) }));
  expect(first).toEqual(copy);
});

it('has the messages that are left to the general encoder', () => {
  const value = create(StructSchema, { fields: { a: { kind: { case: 'numberValue', value: 1 } } } });
  expect(encoderOf(StructSchema)(value)).toEqual(general(StructSchema, value as never));
  const time = create(TimestampSchema, { seconds: -5n, nanos: 3 });
  expect(encoderOf(TimestampSchema)(time)).toEqual(general(TimestampSchema, time as never));
});
