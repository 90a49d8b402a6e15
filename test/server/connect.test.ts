/** The Connect protocol and gRPC-Web on the HTTP port, as their own clients speak them. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Client, Transport } from '@connectrpc/connect';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import * as node from '@connectrpc/connect-node';
import * as web from '@connectrpc/connect-web';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BadRequestSchema, ErrorInfoSchema } from '../../src/server/gen/google/rpc/error_details_pb.js';
import {
  ExecutionStatus,
  FunctionService,
  type StreamExecutionResult,
} from '../../src/server/gen/spearlet/function_pb.js';
import { SnapshotService } from '../../src/server/gen/spearlet/snapshot_pb.js';
import { adminToken, type LocalServer, startServer } from '../support/server.ts';
import { collect } from './collect.ts';
import { frame } from './raw.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
let server: LocalServer;
let token = '';
beforeAll(async () => {
  server = await startServer({ anonymousRole: 'none' });
  token = adminToken(server.dataDir);
  await server.register('wordcount', 'wordcount/wordcount.wasm');
  await server.register('ticker', 'ticker/ticker.wasm');
  await server.register('loop', 'misbehaving/loop.wasm');
});
afterAll(async () => {
  expect(server.bugs).toEqual([]);
  await server.stop();
});

type Make = (options: { readonly baseUrl: string; readonly useBinaryFormat: boolean }) => Transport;
const transports: readonly (readonly [name: string, make: Make])[] = [
  ['connect-node, Connect', (options) => node.createConnectTransport({ ...options, httpVersion: '1.1' })],
  ['connect-node, gRPC-Web', (options) => node.createGrpcWebTransport({ ...options, httpVersion: '1.1' })],
  ['connect-web, Connect', (options) => web.createConnectTransport(options)],
  ['connect-web, gRPC-Web', (options) => web.createGrpcWebTransport(options)],
];
const ways = transports.flatMap(([name, make]) =>
  [true, false].map((useBinaryFormat) => ({
    name: `${name}, ${useBinaryFormat ? 'binary' : 'JSON'}`,
    transport: () => make({ baseUrl: `http://${server.httpAddress}`, useBinaryFormat }),
  })),
);

const authorized = () => ({ headers: { authorization: `Bearer ${token}` } });
const input = () => new TextEncoder().encode('one two three\n');

async function refused(call: Promise<unknown>): Promise<ConnectError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof ConnectError) return error;
  throw new Error('the call was not refused', { cause: error });
}

function reasonOf(error: ConnectError): string | undefined {
  return error.findDetails(ErrorInfoSchema)[0]?.reason;
}

describe.each(ways)('a client of $name', ({ transport }) => {
  const functions = (): Client<typeof FunctionService> => createClient(FunctionService, transport());

  it('runs a task and has its output', async () => {
    const { result } = await functions().invokeFunction({ task: 'wordcount', input: input() }, authorized());
    expect(result?.status).toBe(ExecutionStatus.COMPLETED);
    expect(Buffer.from(result?.output ?? []).toString()).toContain('3');
  });

  it('has the events of a stream, to its result', async () => {
    const events: StreamExecutionResult[] = [];
    const stream = functions().streamFunction({ task: 'ticker', args: ['2'] }, authorized());
    for await (const event of stream) events.push(event);
    expect(events.map(({ sequence }) => Number(sequence))).toEqual(events.map((_each, index) => index + 1));
    expect(events.filter(({ event }) => event.case === 'chunk').length).toBeGreaterThan(0);
    expect(events.at(-1)).toMatchObject({ isFinal: true, event: { case: 'result' } });
  });

  it('hears what is wrong, with its details, of a call and of a stream', async () => {
    const wrong = await refused(functions().invokeFunction({ task: 'wordcnt' }, authorized()));
    expect([wrong.code, reasonOf(wrong)]).toEqual([Code.NotFound, 'TASK_NOT_FOUND']);
    const field = await refused(functions().getExecutionStatus({ executionId: 'x y' }, authorized()));
    expect(field.code).toBe(Code.InvalidArgument);
    expect(field.findDetails(BadRequestSchema)[0]?.fieldViolations[0]?.field).toBe('execution_id');
    const stream = functions().watchExecution({ executionId: 'exec_nothing' }, authorized());
    const gone = await refused(collect(stream));
    expect([gone.code, reasonOf(gone)]).toEqual([Code.NotFound, 'EXECUTION_NOT_FOUND']);
  });

  it('is nobody without a token', async () => {
    const unary = await refused(functions().invokeFunction({ task: 'wordcount' }));
    const stream = await refused(collect(functions().streamFunction({ task: 'wordcount' })));
    for (const error of [unary, stream]) {
      expect([error.code, reasonOf(error)]).toEqual([Code.Unauthenticated, 'UNAUTHENTICATED']);
    }
  });

  it('is answered within its own time, or hears that it is over', async () => {
    const { executionId, result } = await functions().invokeFunction(
      { task: 'loop' },
      { ...authorized(), timeoutMs: 1000 },
    );
    expect(result?.isCompleted).toBe(false);
    const waited = await refused(
      collect(functions().watchExecution({ executionId }, { ...authorized(), timeoutMs: 300 })),
    );
    expect(waited.code).toBe(Code.DeadlineExceeded);
    await functions().cancelExecution({ executionId }, authorized());
  });
});

// A browser cannot: its `fetch` sends a body whole.
describe.each(ways.filter(({ name }) => name.startsWith('connect-node')))(
  'a client of $name',
  ({ transport }) => {
    it('sends a stream of messages', async () => {
      const { executionId } = await createClient(FunctionService, transport()).invokeFunction(
        { task: 'wordcount', input: input() },
        authorized(),
      );
      const snapshots = createClient(SnapshotService, transport());
      const document: Uint8Array[] = [];
      for await (const { step } of snapshots.snapshotExecution({ executionId }, authorized())) {
        if (step.case === 'data') document.push(step.value);
      }
      expect(document.length).toBeGreaterThan(0);
      const restored = snapshots.restoreExecution(
        (async function* () {
          yield { step: { case: 'options' as const, value: {} } };
          for (const data of document) yield { step: { case: 'data' as const, value: data } };
        })(),
        authorized(),
      );
      // It is here already: its whole document has come, and was read.
      expect(reasonOf(await refused(restored))).toBe('EXECUTION_EXISTS');
    });
  },
);

const execute = promisify(execFile);

describe('a program that speaks the protocol', () => {
  const buf = (protocol: string, method: string, request: unknown) =>
    execute(
      fileURLToPath(new URL('../../node_modules/.bin/buf', import.meta.url)),
      [
        ...['curl', '--schema', 'proto', '--protocol', protocol],
        ...['--header', `authorization: Bearer ${token}`, '--data', JSON.stringify(request)],
        `http://${server.httpAddress}/spearlet.FunctionService/${method}`,
      ],
      { cwd: root },
    );

  it.each(['connect', 'grpcweb'])('such as buf curl by %s has answers and streams', async (protocol) => {
    const { stdout } = await buf(protocol, 'InvokeFunction', { task: 'wordcount', input: 'YSBiCg==' });
    expect(JSON.parse(stdout)).toMatchObject({ result: { status: 'EXECUTION_STATUS_COMPLETED' } });
    const stream = await buf(protocol, 'StreamFunction', { task: 'ticker', args: ['1'] });
    expect(stream.stdout).toContain('"isFinal": true');
  });

  it('such as curl has an answer, and the messages of a stream as they come', async () => {
    const url = `http://${server.httpAddress}/spearlet.FunctionService`;
    const common = ['-sN', '-H', `authorization: Bearer ${token}`];
    const unary = [
      ...common,
      '-H',
      'content-type: application/json',
      '-d',
      '{"task":"wordcount","inputText":"a b"}',
    ];
    const { stdout } = await execute('curl', [...unary, `${url}/InvokeFunction`]);
    expect(JSON.parse(stdout)).toMatchObject({ result: { outputText: expect.stringContaining('2') } });
    const body = frame(Buffer.from('{"task":"ticker","args":["2"]}'));
    const streaming = execFile('curl', [
      ...[...common, '-H', 'content-type: application/connect+json', '--data-binary', '@-'],
      `${url}/StreamFunction`,
    ]);
    streaming.stdin?.end(body);
    const parts: string[] = [];
    for await (const part of streaming.stdout ?? []) parts.push(String(part));
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.join('')).toContain('"isFinal":true');
    expect(parts.at(-1)).toMatch(/\{\}$/);
  });
});
