/** What callers by Connect and gRPC-Web are held to. Requests are bytes here: their clients would not send them. */
import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ErrorInfoSchema } from '../../src/server/gen/google/rpc/error_details_pb.js';
import { StatusSchema } from '../../src/server/gen/google/rpc/status_pb.js';
import { AccessService, Role } from '../../src/server/gen/spearlet/access_pb.js';
import {
  ExecutionMode,
  InvokeFunctionRequestSchema,
  InvokeFunctionResponseSchema,
} from '../../src/server/gen/spearlet/function_pb.js';
import { adminToken, type LocalServer, startServer } from '../support/server.ts';
import { frame } from './raw.ts';
import { unfinishedBody } from './unfinished.ts';

const mostBytes = 100_000;
const mostWatchers = 4;
let server: LocalServer;
let token = '';
beforeAll(async () => {
  server = await startServer({
    anonymousRole: 'none',
    maxRequestBytes: String(mostBytes),
    maxRequestValues: '1000',
    receiveIdleMs: '1000',
    maxWatchersPerPrincipal: String(mostWatchers),
  });
  token = adminToken(server.dataDir);
  await server.register('wordcount', 'wordcount/wordcount.wasm');
  await server.register('loop', 'misbehaving/loop.wasm');
});
afterAll(async () => {
  expect(server.bugs).toEqual([]);
  await server.stop();
});

const invoke = '/spearlet.FunctionService/InvokeFunction';
const watch = '/spearlet.FunctionService/WatchExecution';
type Headers = Readonly<Record<string, string>>;

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

async function post(path: string, type: string, body: Uint8Array | string, headers: Headers = {}) {
  const answer = await fetch(`http://${server.httpAddress}${path}`, {
    ...{ method: 'POST', body: Buffer.from(body) },
    headers: { authorization: `Bearer ${token}`, 'content-type': type, ...headers },
  });
  const seen: Answer = {
    status: answer.status,
    headers: Object.fromEntries(answer.headers),
    body: Buffer.from(await answer.arrayBuffer()),
  };
  return seen;
}

/** Code and reason of the error, in the form of each protocol. */
function errorIn(type: string, { body }: Answer): readonly [code: string, reason: string] {
  const text = body.toString('latin1');
  if (type.includes('grpc-web')) {
    const details = Buffer.from(/grpc-status-details-bin: (\S+)/.exec(text)?.[1] ?? '', 'base64');
    const infos = fromBinary(StatusSchema, details).details.map((any) => anyUnpack(any, ErrorInfoSchema));
    return [/grpc-status: (\d+)/.exec(text)?.[1] ?? '', infos[0]?.reason ?? ''];
  }
  const json = JSON.parse(text.slice(text.indexOf('{'))) as { error?: ConnectJson } & ConnectJson;
  const { code, details } = json.error ?? json;
  return [code, details[0]?.debug.reason ?? ''];
}

interface ConnectJson {
  readonly code: string;
  readonly details: readonly { readonly debug: { readonly reason?: string } }[];
}

const types = [
  'application/json',
  'application/proto',
  'application/grpc-web+proto',
  'application/grpc-web+json',
] as const;

/** A request of the type. */
function encoded(type: string, init: Readonly<Record<string, unknown>>): Buffer {
  const message = type.endsWith('json')
    ? Buffer.from(JSON.stringify(init))
    : Buffer.from(toBinary(InvokeFunctionRequestSchema, create(InvokeFunctionRequestSchema, init)));
  return type.includes('grpc-web') ? frame(message) : message;
}

const codes: Readonly<Record<string, string>> = {
  unauthenticated: '16',
  resource_exhausted: '8',
  unimplemented: '12',
  permission_denied: '7',
};
const codeIn = (type: string, code: string) => (type.includes('grpc-web') ? codes[code] : code);

describe.each(types)('a call of %s', (type) => {
  it('of a stranger is refused before its body has come', async () => {
    const answer = await new Promise<Answer>((resolve, reject) => {
      const call = request(
        `http://${server.httpAddress}${invoke}`,
        { method: 'POST', headers: { 'content-type': type, 'content-length': 50_000 } },
        (response) => {
          const parts: Buffer[] = [];
          response.on('data', (part: Buffer) => parts.push(part));
          response.on('end', () => {
            call.destroy();
            resolve({ status: response.statusCode ?? 0, headers: {}, body: Buffer.concat(parts) });
          });
        },
      );
      call.on('error', reject);
      call.flushHeaders();
    });
    expect(errorIn(type, answer)).toEqual([codeIn(type, 'unauthenticated'), 'UNAUTHENTICATED']);
  });

  it('may be as large as is allowed, and no larger', async () => {
    const large = encoded(type, { task: 'wordcount', functionName: 'x'.repeat(mostBytes) });
    const answer = await post(invoke, type, large);
    expect(errorIn(type, answer)).toEqual([codeIn(type, 'resource_exhausted'), 'REQUEST_TOO_LARGE']);
  });

  it('may have as many values as is allowed, and no more', async () => {
    const many = encoded(type, { task: 'wordcount', args: Array.from({ length: 1001 }, () => 'a') });
    const answer = await post(invoke, type, many);
    expect(errorIn(type, answer)).toEqual([codeIn(type, 'resource_exhausted'), 'TOO_MANY_VALUES']);
  });

  it('is not taken where it is compressed', async () => {
    const header = type.includes('grpc-web') ? 'grpc-encoding' : 'content-encoding';
    const zipped = gzipSync(encoded(type, { task: 'wordcount' }));
    const answer = await post(invoke, type, zipped, { [header]: 'gzip' });
    expect(errorIn(type, answer)).toEqual([codeIn(type, 'unimplemented'), 'ENCODING_NOT_SUPPORTED']);
  });

  it('needs the role of its method', async () => {
    const access = server.connection.service(AccessService);
    const name = `reader-${types.indexOf(type)}`;
    const { secret } = await access.createToken({ name, role: Role.OBSERVE });
    const answer = await post(invoke, type, encoded(type, { task: 'wordcount' }), {
      authorization: `Bearer ${secret}`,
    });
    expect(errorIn(type, answer)).toEqual([codeIn(type, 'permission_denied'), 'ROLE_MISSING']);
  });
});

describe('a call by Connect', () => {
  it('is a POST, of a method that there is, of a type that it takes', async () => {
    const url = `http://${server.httpAddress}`;
    const got = await fetch(`${url}${invoke}?connect=v1&encoding=json&message=%7B%7D`);
    expect([got.status, got.headers.get('allow')]).toEqual([405, 'POST']);
    const unknown = await post('/spearlet.FunctionService/InvokeFunktion', 'application/json', '{}');
    expect([unknown.status, unknown.body.toString()]).toEqual([404, expect.stringContaining(invoke)]);
    for (const [path, type] of [
      [invoke, 'text/plain'],
      [invoke, 'application/connect+json'],
      [watch, 'application/json'],
    ] as const) {
      const answer = await post(path, type, '{}');
      expect(answer.status).toBe(415);
      expect(answer.headers['accept-post']).toContain('application/grpc-web+proto');
    }
  });

  it('has one version, and a timeout that is a number', async () => {
    for (const headers of [{ 'connect-protocol-version': '2' }, { 'connect-timeout-ms': 'soon' }]) {
      const answer = await post(invoke, 'application/json', '{}', headers);
      expect([answer.status, errorIn('application/json', answer)[1]]).toEqual([400, 'INVALID_FIELD']);
    }
    const answer = await post(invoke, 'application/grpc-web', '', { 'grpc-timeout': '1h' });
    expect(errorIn('application/grpc-web', answer)).toEqual(['3', 'INVALID_FIELD']);
  });

  it('that takes one message has one', async () => {
    const one = encoded('application/grpc-web', { task: 'wordcount' });
    for (const body of [Buffer.alloc(0), Buffer.concat([one, one]), one.subarray(0, one.length - 1)]) {
      const answer = await post(invoke, 'application/grpc-web', body);
      expect(errorIn('application/grpc-web', answer)).toEqual(['3', 'INVALID_FIELD']);
    }
  });

  it('is not waited for where it does not come', async () => {
    const part = Buffer.from('{');
    const { answer } = unfinishedBody(server.httpAddress, invoke, 100, part, token);
    expect(await answer).toContain('REQUEST_TOO_SLOW');
  });

  it('in base64 is answered in base64, message by message', async () => {
    const body = encoded('application/grpc-web', { task: 'wordcount', input: Buffer.from('a b') });
    const { headers, body: text } = await post(invoke, 'application/grpc-web-text', body.toString('base64'));
    expect(headers['content-type']).toBe('application/grpc-web-text');
    const [first = ''] = /^[^=]+=*/.exec(text.toString()) ?? [];
    const bytes = Buffer.from(first, 'base64');
    const message = fromBinary(InvokeFunctionResponseSchema, bytes.subarray(5, 5 + bytes.readUInt32BE(1)));
    expect(Buffer.from(message.result?.output ?? []).toString()).toContain('2');
  });
});

describe('streams that are open', () => {
  async function opened(secret = token): Promise<Response> {
    const { executionId } = await server.functions.invokeFunction({
      ...{ task: 'loop', executionMode: ExecutionMode.ASYNC },
    });
    return fetch(`http://${server.httpAddress}${watch}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/connect+json' },
      body: frame(Buffer.from(JSON.stringify({ executionId }))),
    });
  }

  it('are as many as one caller may have, and no more', async () => {
    const open: Response[] = [];
    for (let each = 0; each < mostWatchers; each += 1) open.push(await opened());
    const one = Buffer.from(await (await opened()).arrayBuffer());
    expect(errorIn('', { status: 200, headers: {}, body: one })).toEqual([
      'resource_exhausted',
      'TOO_MANY_WATCHES',
    ]);
    for (const each of open) await each.body?.cancel();
  });

  it('end with an error that says so where their token is revoked', async () => {
    const access = server.connection.service(AccessService);
    const { secret } = await access.createToken({ name: 'short', role: Role.OBSERVE });
    const answer = await opened(secret);
    await access.revokeToken({ name: 'short' });
    const text = await answer.text();
    expect(text.slice(text.lastIndexOf('{"error"'))).toContain('"code":"unauthenticated"');
  });
});
