/** `traceparent` of a caller, on a node that makes no spans: the function hears of it, and the status says which trace. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  InvokeFunctionRequestSchema,
  InvokeFunctionResponseSchema,
} from '../../src/server/gen/spearlet/function_pb.js';
import { RuntimeKind } from '../../src/server/gen/spearlet/task_pb.js';
import { adminToken, type LocalServer, startServer } from '../support/server.ts';
import { frame, rawCall } from './raw.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
let server: LocalServer;

beforeAll(async () => {
  server = await startServer({ allowHostAccess: true });
  await server.register('env', 'misbehaving/env.wasm');
  await server.register('own', 'misbehaving/env.wasm', { environment: { TRACEPARENT: 'of the task' } });
  await server.tasks.registerTask({
    definition: {
      ...{ name: 'process', runtime: RuntimeKind.PROCESS },
      artifact: { source: { case: 'path', value: '/usr/bin/env' } },
    },
  });
});
afterAll(() => server.stop());

type Headers = Readonly<Record<string, string>>;

async function overGrpc(task: string, headers: Headers, more: { readonly invocationId?: string } = {}) {
  const request = toBinary(
    InvokeFunctionRequestSchema,
    create(InvokeFunctionRequestSchema, { task, ...more }),
  );
  const answer = await rawCall(
    server.grpcAddress,
    '/spearlet.FunctionService/InvokeFunction',
    frame(request),
    { authorization: `Bearer ${adminToken(server.dataDir)}`, ...headers },
  );
  const { result } = fromBinary(InvokeFunctionResponseSchema, answer.bytes.subarray(5));
  if (result === undefined) throw new Error(answer.message);
  return { traceId: result.traceId, variables: variablesIn(new TextDecoder().decode(result.output)) };
}

async function overHttp(task: string, headers: Headers) {
  const answer = await fetch(`http://${server.httpAddress}/tasks/${task}`, { method: 'POST', headers });
  return variablesIn(await answer.text());
}

/** Those of a trace. */
function variablesIn(output: string): string[] {
  return output
    .split('\n')
    .map((line) => line.replace(/^env /, ''))
    .filter((line) => line.startsWith('TRACE'));
}

describe('a traceparent', () => {
  it.each(['env', 'process'])('reaches the function over gRPC and HTTP alike: %s', async (task) => {
    const headers = { traceparent, tracestate: 'a=b' };
    const variables = [`TRACEPARENT=${traceparent}`, 'TRACESTATE=a=b'];
    const { traceId: told, variables: heard } = await overGrpc(task, headers);
    expect(told).toBe(traceId);
    expect(heard.sort()).toEqual(variables);
    expect((await overHttp(task, headers)).sort()).toEqual(variables);
  });

  it('over /api is the same', async () => {
    const answer = await fetch(`http://${server.httpAddress}/api/FunctionService/InvokeFunction`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', traceparent },
      body: '{"task":"env"}',
    });
    expect(await answer.json()).toMatchObject({ result: { traceId } });
  });

  it('over Connect is the same, also where the caller has a deadline', async () => {
    for (const deadline of [{}, { 'connect-timeout-ms': '60000' }]) {
      const answer = await fetch(`http://${server.httpAddress}/spearlet.FunctionService/InvokeFunction`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', traceparent, ...deadline },
        body: '{"task":"env"}',
      });
      expect(await answer.json()).toMatchObject({ result: { traceId } });
    }
  });

  it('that is no good is ignored, and there is no trace then', async () => {
    const { traceId: told, variables } = await overGrpc('env', {
      traceparent: 'nonsense',
      tracestate: 'a=b',
    });
    expect([told, variables]).toEqual(['', []]);
    expect(await overHttp('env', { traceparent: `${traceparent}, ${traceparent}` })).toEqual([]);
  });

  it('gives way to a variable of the task', async () => {
    expect(await overHttp('own', { traceparent })).toEqual(['TRACEPARENT=of the task']);
  });

  it('does not make another request of one with the same invocation id', async () => {
    const first = await overGrpc('env', { traceparent }, { invocationId: 'once' });
    const other = traceparent.replace(traceId, 'f'.repeat(32));
    expect(await overGrpc('env', { traceparent: other }, { invocationId: 'once' })).toEqual(first);
  });
});
