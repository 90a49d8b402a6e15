import { create, toJson } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ErrorCode, errorCodes } from '../../src/domain/errors.ts';
import { type ExecutionRecord, executionStatuses } from '../../src/domain/execution.ts';
import {
  ExecutionResultSchema,
  StreamExecutionResultSchema,
} from '../../src/server/gen/spearlet/function_pb.js';
import { recordToWire } from '../../src/server/wire/execution.ts';
import { jsonEncoder } from '../../src/server/wire/json-encoder.ts';
import { executionId, recordOf } from '../stores/samples.ts';

const encode = jsonEncoder(ExecutionResultSchema);
const always = { alwaysEmitImplicit: true } as const;

const time = fc.integer({ min: 0, max: 4_000_000_000_000 });
const amount = fc.nat();
const more: fc.Arbitrary<Partial<ExecutionRecord>> = fc.record(
  {
    startedAt: time,
    completedAt: time,
    createdAt: time,
    queueTimeMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
    executionTimeMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
    attempt: amount,
    outputBytes: amount,
    droppedBytes: amount,
    recoveries: amount,
    metadata: fc.dictionary(fc.string(), fc.string()),
    resourceUse: fc.record({ cpuTimeUs: amount, peakMemoryBytes: amount }),
    loosened: fc.array(fc.string()),
    originId: fc.string(),
    taskName: fc.string({ unit: 'binary' }),
  },
  { requiredKeys: ['createdAt'] },
);
const outcome = fc.constantFrom(...(Object.keys(errorCodes) as ErrorCode[])).map((code) => ({
  status: 'failed' as const,
  code,
  message: 'why',
  exitCode: 7,
  termination: { rung: 'kill', tookMs: 5 },
}));

test('a row is what proto JSON makes of it', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...executionStatuses),
      more,
      fc.option(outcome),
      time,
      (status, part, end, now) => {
        const record = { ...recordOf(executionId(1), status, part), ...(end !== null && { outcome: end }) };
        const message = recordToWire(record, now);
        expect(encode(message)).toEqual(toJson(ExecutionResultSchema, message, always));
      },
    ),
  );
});

test('what it does not know how to write is written by proto JSON itself, or refused at the start', () => {
  const odd = create(ExecutionResultSchema, {
    status: 77 as never,
    output: new Uint8Array([1, 2, 255]),
    executionTimeMs: Number.NaN,
    createdAt: { seconds: 5n, nanos: 1 },
    completedAt: { seconds: -5n, nanos: 0 },
  });
  expect(encode(odd)).toEqual(toJson(ExecutionResultSchema, odd, always));
  expect(() => jsonEncoder(StreamExecutionResultSchema)).toThrow('one of several');
});
