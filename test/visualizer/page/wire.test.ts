import { create, toJson } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { ExecutionResultSchema } from '../../../src/server/gen/spearlet/function_pb.js';
import { execution } from './made-executions.ts';

test('the page knows every field that an execution has on the wire', () => {
  // What is made for the tests has each field of the page's type that is always there.
  const known = new Set(Object.keys(execution(0, 1)));
  const empty = toJson(ExecutionResultSchema, create(ExecutionResultSchema), { alwaysEmitImplicit: true });
  expect(Object.keys(Object(empty)).filter((name) => !known.has(name))).toEqual([]);
});
