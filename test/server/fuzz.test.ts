import {
  create,
  type DescField,
  type DescMessage,
  type DescMethod,
  type Message,
  ScalarType,
  toBinary,
  toJson,
} from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ExecutionMode, FunctionService } from '../../src/server/gen/spearlet/function_pb.js';
import { TaskService } from '../../src/server/gen/spearlet/task_pb.js';
import { example, type LocalServer, startServer } from '../support/server.ts';
import { collect } from './collect.ts';
import { expectWholeLog } from './grammar.ts';
import { frame, type RawAnswer, rawCall } from './raw.ts';

const seed = 20_261_121;
const methods = [...FunctionService.methods, ...TaskService.methods];
/** What a client may hear. Not UNKNOWN and not INTERNAL: those would be bugs of ours. */
const mapped = [
  status.OK,
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
  status.ALREADY_EXISTS,
  status.RESOURCE_EXHAUSTED,
  status.FAILED_PRECONDITION,
  status.OUT_OF_RANGE,
  status.ABORTED,
  status.UNIMPLEMENTED,
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
].map((code) => status[code]);
const insides =
  /node_modules|\.[cm]?[jt]s:\d|\n\s+at |\/(tmp|work|root|home|usr)\/|undefined is not|Cannot read prop/;

let server: LocalServer;
let wasm: Buffer;
let knownExecution = '';

beforeAll(async () => {
  server = await startServer({ queueLimit: '200' });
  wasm = await example('misbehaving/cat.wasm');
  await server.register('count', 'wordcount/wordcount.wasm');
  await server.register('typed', 'typed/typed.wasm');
  knownExecution = (await server.functions.invokeFunction({ task: 'count' })).executionId;
});

afterAll(async () => {
  await server.stop();
});

const loneSurrogate = fc.constantFrom('\ud800', 'a\udc00b', '\udfff\ud800');
const texts = fc.oneof(
  { arbitrary: fc.constantFrom('count', 'typed', 'ping', 'add', 'exec_x', 'task_x', ''), weight: 8 },
  { arbitrary: fc.string({ unit: 'binary', maxLength: 40 }), weight: 4 },
  { arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }), weight: 2 },
  {
    arbitrary: fc.constantFrom('\0', '__proto__', 'constructor', '../../etc/passwd', '%00', '\r\n', '𝕏'),
    weight: 2,
  },
  { arbitrary: loneSurrogate, weight: 1 },
  { arbitrary: fc.integer({ min: 250, max: 20_000 }).map((length) => '漢'.repeat(length)), weight: 1 },
);
const int32 = fc.oneof(fc.integer(), fc.constantFrom(0, 1, -1, 2 ** 31 - 1, -(2 ** 31)));
const uint32 = fc.oneof(fc.nat({ max: 2 ** 32 - 1 }), fc.constantFrom(0, 1, 1000, 2 ** 32 - 1));
const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(0n, 1n, -1n, 60n),
);
const uint64 = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.constantFrom(0n, 1n, 2n ** 53n));
const bytes = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.constant(new Uint8Array()));

function scalar(type: ScalarType): fc.Arbitrary<unknown> {
  switch (type) {
    case ScalarType.STRING:
      return texts;
    case ScalarType.BYTES:
      return bytes;
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return fc.double();
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return uint32;
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return int64;
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return uint64;
    default:
      return int32;
  }
}

/** A small message where the field is one, so that a request is neither always empty nor endless. */
function value(field: DescField, depth: number): fc.Arbitrary<unknown> {
  switch (field.fieldKind) {
    case 'scalar':
      return scalar(field.scalar);
    case 'enum':
      return fc.oneof(fc.constantFrom(...field.enum.values.map((each) => each.number)), int32);
    case 'message':
      return message(field.message, depth - 1);
    case 'list':
      return fc.array(
        field.listKind === 'scalar'
          ? scalar(field.scalar)
          : field.listKind === 'enum'
            ? int32
            : message(field.message, depth - 1),
        { maxLength: 4 },
      );
    case 'map':
      return fc.dictionary(
        texts,
        field.mapKind === 'scalar'
          ? scalar(field.scalar)
          : field.mapKind === 'enum'
            ? int32
            : message(field.message, depth - 1),
        { maxKeys: 4 },
      );
  }
}

function message(desc: DescMessage, depth: number): fc.Arbitrary<Message> {
  if (depth <= 0) return fc.constant(create(desc));
  const members = desc.members.map((member) => {
    if (member.kind === 'field') {
      // What waits is waited for: an hour of delay would only make the test slow.
      const often = member.name === 'start_after' ? 1 : 12;
      return fc
        .option(value(member, depth), { freq: often })
        .map((found) => [member.localName, found] as const);
    }
    return fc
      .option(
        fc.oneof(
          ...member.fields.map((field) =>
            value(field, depth).map((found) => ({ case: field.localName, value: found })),
          ),
        ),
        { freq: 10 },
      )
      .map((found) => [member.localName, found] as const);
  });
  return fc
    .tuple(...members)
    .map((entries) =>
      create(desc, Object.fromEntries(entries.filter(([, found]) => found !== null)) as never),
    );
}

/** The functions that the others call stay. */
function spared(method: DescMethod, request: Message): Message {
  if (method.name !== 'DeleteTask' || !['count', 'typed'].includes(String(Reflect.get(request, 'task')))) {
    return request;
  }
  return create(method.input, { task: 'fuzzed' } as never);
}

/** Requests near to valid ones: what the server knows, with some fields of an arbitrary message over it. */
function plausible(method: DescMethod): fc.Arbitrary<Message> {
  const basis: Readonly<Record<string, unknown>> = {
    InvokeFunction: { task: 'count', executionMode: ExecutionMode.ASYNC },
    StreamFunction: { task: 'typed', functionName: 'ping' },
    RegisterTask: {
      definition: { name: 'fuzzed', runtime: 1, artifact: { source: { case: 'content', value: wasm } } },
    },
    ListExecutions: {},
    ListTasks: {},
    DeleteTask: { task: 'fuzzed' },
    GetTask: { task: 'typed' },
  };
  const known = () => basis[method.name] ?? { executionId: knownExecution };
  return fc
    .tuple(
      message(method.input, 4),
      fc.constantFrom(...method.input.members.map((member) => member.localName)),
    )
    .map(([request, kept]) => {
      const fields = known() as Record<string, unknown>;
      return create(method.input, { ...fields, [kept]: Reflect.get(request, kept) } as never);
    });
}

const calls = fc.constantFrom(...methods).chain((method) =>
  fc.tuple(
    fc.constant(method),
    fc.oneof(message(method.input, 4), plausible(method)).map((request) => spared(method, request)),
  ),
);

function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

/** How often each code was heard: a fuzz that only ever hears one tests little. */
const heard = new Map<string, number>();

function expectMapped(answer: RawAnswer): void {
  heard.set(answer.status, (heard.get(answer.status) ?? 0) + 1);
  expect(mapped).toContain(answer.status);
  expect(answer.message).not.toMatch(insides);
  expect(answer.message.isWellFormed()).toBe(true);
  // These two come from grpc-js as well, which knows no details.
  if (!['OK', 'UNIMPLEMENTED', 'DEADLINE_EXCEEDED'].includes(answer.status)) {
    expect(answer.reason).toMatch(/^[A-Z][A-Z_]+$/);
  }
}

describe(`with seed ${seed}`, () => {
  test('every RPC answers any message with a mapped status', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(calls, { minLength: 4, maxLength: 4 }), async (batch) => {
        const answers = await Promise.all(
          batch.map(([method, request]) =>
            rawCall(server.grpcAddress, pathOf(method), frame(toBinary(method.input, request)), {
              'grpc-timeout': '700m',
            }),
          ),
        );
        for (const answer of answers) expectMapped(answer);
      }),
      { seed, numRuns: 100 },
    );
  });

  test('every RPC answers any bytes with a mapped status', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...methods),
        fc.uint8Array({ maxLength: 300 }),
        fc.boolean(),
        async (method, body, cut) => {
          const sent = cut
            ? toBinary(method.input, create(method.input, { task: 'count' } as never)).subarray(0, 3)
            : body;
          expectMapped(
            await rawCall(server.grpcAddress, pathOf(method), frame(sent), { 'grpc-timeout': '700m' }),
          );
        },
      ),
      { seed, numRuns: 80 },
    );
  });

  test('every path that is none is UNIMPLEMENTED', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.webPath().filter((path) => path !== ''),
          fc.constantFrom(...methods).map((method) => `${pathOf(method)}x`),
        ),
        async (path) => {
          const answer = await rawCall(server.grpcAddress, path, frame(new Uint8Array()));
          expect(answer.status).toBe('UNIMPLEMENTED');
          expectMapped(answer);
        },
      ),
      { seed, numRuns: 30 },
    );
  });

  test('every method answers any JSON over HTTP, lone surrogates too, with an error or an answer', async () => {
    const unary = methods.filter((method) => method.methodKind === 'unary');
    const body = fc.oneof(
      fc.constantFrom(...unary).chain((method) =>
        message(method.input, 4).map((request) => {
          try {
            return [method.name, JSON.stringify(toJson(method.input, spared(method, request)))] as const;
          } catch {
            // Not every message has a JSON form: a Value without a kind, a time out of range.
            return [method.name, '{}'] as const;
          }
        }),
      ),
      fc.tuple(fc.constantFrom(...unary.map(({ name }) => name)), fc.json()),
      fc.tuple(
        fc.constantFrom(...unary.map(({ name }) => name)),
        fc
          .record({ task: texts, executionId: texts }, { requiredKeys: [] })
          .map((each) => JSON.stringify(each)),
      ),
    );
    await fc.assert(
      fc.asyncProperty(body, async ([name, json]) => {
        const service = TaskService.methods.some((method) => method.name === name)
          ? 'TaskService'
          : 'FunctionService';
        const response = await fetch(`http://${server.httpAddress}/api/${service}/${name}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: json,
          signal: AbortSignal.timeout(700),
        }).catch((error: unknown) => {
          if (error instanceof Error && error.name === 'TimeoutError') return undefined;
          throw error;
        });
        if (response === undefined) return;
        const text = await response.text();
        JSON.parse(text);
        expect(response.status, text).not.toBe(500);
        if (response.status !== 200) expect(text).not.toMatch(insides);
      }),
      { seed, numRuns: 100 },
    );
  });

  test('a body without messages in it ends its own stream at most', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...methods),
        fc.uint8Array({ maxLength: 100 }),
        async (method, body) => {
          // Without a whole message grpc-js waits for the rest of it, or resets the stream.
          await rawCall(server.grpcAddress, pathOf(method), body, { 'grpc-timeout': '300m' }).catch(() => {});
        },
      ),
      { seed, numRuns: 30 },
    );
  });
});

test('it has been heard in many ways', () => {
  for (const code of ['OK', 'INVALID_ARGUMENT', 'NOT_FOUND', 'UNIMPLEMENTED', 'DEADLINE_EXCEEDED']) {
    expect([...heard.keys()]).toContain(code);
  }
});

test('after all of this the server is up, correct, and has seen no bug of its own', async () => {
  expect(server.bugs).toEqual([]);
  const events = await collect(server.functions.watchExecution({ executionId: knownExecution }));
  expectWholeLog(events);
  await server.register('after', 'misbehaving/cat.wasm');
  const { result } = await server.functions.invokeFunction({ task: 'after', input: wasm });
  expect(wasm.equals(result?.output ?? new Uint8Array())).toBe(true);
  expect((await fetch(`http://${server.httpAddress}/readyz`)).status).toBe(200);
});
