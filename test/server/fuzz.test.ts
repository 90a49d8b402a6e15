import { create, type DescMethod, type Message, toBinary, toJson } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ExecutionMode, FunctionService } from '../../src/server/gen/spearlet/function_pb.js';
import { TaskService } from '../../src/server/gen/spearlet/task_pb.js';
import { example, type LocalServer, startServer } from '../support/server.ts';
import { message, texts } from './arbitrary.ts';
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

/** The functions that the others call stay, and so does the execution that they ask for. */
function spared(method: DescMethod, request: Message): Message {
  if (method.name === 'DeleteExecution' && Reflect.get(request, 'executionId') === knownExecution) {
    return create(method.input);
  }
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
  for (const code of ['OK', 'INVALID_ARGUMENT', 'NOT_FOUND', 'UNIMPLEMENTED']) {
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
