/** Pages of other origins: those that are listed, and those that only look so. */
import { describe, expect, it, test } from 'vitest';
import { type ConfigFlags, resolveConfig } from '../../src/config.ts';
import { adminToken } from '../support/server.ts';
import { http } from './http.ts';
import { server, withServer } from './local.ts';
import { frame } from './raw.ts';

const listed = 'https://app.example:8443';
const other = 'http://localhost:3000';
let authorization = '';
withServer({ anonymousRole: 'none', corsOrigin: `${listed},${other}` }, async () => {
  authorization = `Bearer ${adminToken(server.dataDir)}`;
  await server.register('count', 'wordcount/wordcount.wasm');
});

const method = '/api/NodeService/GetNode';
const connected = '/spearlet.NodeService/GetNode';
const json = { 'content-type': 'application/json' };
const allow = 'access-control-allow-origin';
const cors = 'access-control-';

function corsOf({ headers }: { readonly headers: Readonly<Record<string, unknown>> }): string[] {
  return Object.keys(headers).filter((name) => name.startsWith(cors));
}

const preflight = (path: string, origin: string, headers = 'authorization, content-type') =>
  http('OPTIONS', path, undefined, {
    ...{ origin, 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'cross-site' },
    'access-control-request-method': 'POST',
    'access-control-request-headers': headers,
  });

describe('a page of a listed origin', () => {
  test.each([method, '/api/spearlet.NodeService/GetNode', connected, '/tasks/count', '/status/exec_nothing'])(
    'may ask, without a token, whether it may call %s',
    async (path) => {
      const answer = await preflight(
        path,
        listed,
        'Authorization,content-type,connect-protocol-version,connect-timeout-ms,x-grpc-web,x-user-agent,grpc-timeout,idempotency-key,prefer,spear-tenant,last-event-id,traceparent,cookie,x-other',
      );
      expect(answer.code).toBe(204);
      expect(answer.headers).toMatchObject({
        [allow]: listed,
        [`${cors}allow-methods`]: 'GET, HEAD, POST',
        [`${cors}allow-headers`]:
          'authorization, content-type, connect-protocol-version, connect-timeout-ms, x-grpc-web, x-user-agent, grpc-timeout, idempotency-key, prefer, spear-tenant, last-event-id, traceparent',
        [`${cors}max-age`]: '86400',
        vary: 'origin, access-control-request-headers',
      });
      expect(answer.headers).not.toHaveProperty(`${cors}allow-credentials`);
    },
  );

  test.each([method, connected])('calls %s with its token, and reads the answer', async (path) => {
    for (const origin of [listed, other]) {
      const headers = { ...json, origin, authorization, 'sec-fetch-site': 'cross-site' };
      const answer = await http('POST', path, '{}', headers);
      expect(answer.code).toBe(200);
      expect(answer.headers).toMatchObject({ [allow]: origin, vary: 'origin' });
      expect(answer.headers[`${cors}expose-headers`]).toContain('grpc-status');
    }
  });

  test('runs a task and reads what stands in its headers', async () => {
    const answer = await http('POST', '/tasks/count', 'a b', { origin: listed, authorization });
    expect(answer.code).toBe(200);
    expect(answer.headers[`${cors}expose-headers`]).toContain('spear-execution-id');
    const id = String(answer.headers['spear-execution-id']);
    const status = await http('GET', `/status/${id}`, undefined, { origin: listed, authorization });
    expect([status.code, status.headers[allow]]).toEqual([200, listed]);
  });

  test('reads why it is refused, and has no rights of its own', async () => {
    for (const [path, type, body] of [
      [method, 'application/json', '{}'],
      [connected, 'application/json', '{}'],
      [connected, 'application/grpc-web+json', frame(Buffer.from('{}'))],
      ['/tasks/count', 'text/plain', 'a'],
    ] as const) {
      const answer = await http('POST', path, body, { 'content-type': type, origin: listed });
      expect(answer.headers[allow]).toBe(listed);
      expect(answer.text).toMatch(/UNAUTHENTICATED|grpc-status: 16/);
    }
  });

  test.each([
    ['POST', '/api/session', '{"code":"x"}'],
    ['POST', '/api/tickets', '{"path":"/api/history/exec_x"}'],
    ['GET', '/api/caller', undefined],
    ['GET', '/api/history/exec_x', undefined],
    ['GET', '/api/snapshots/exec_x', undefined],
    ['GET', '/api/events', undefined],
    ['GET', '/metrics', undefined],
  ])('has nothing of the page of the node: %s %s', async (verb, path, body) => {
    const answer = await http(verb, path, body, { ...json, origin: listed, authorization });
    expect(answer.code).toBe(403);
    expect(corsOf(answer)).toEqual([]);
    const asked = await preflight(path, listed);
    expect(asked.code).toBeGreaterThanOrEqual(400);
    expect(corsOf(asked)).toEqual([]);
  });

  test('reads nothing of the page itself', async () => {
    const answer = await http('GET', '/', undefined, { origin: listed });
    expect(corsOf(answer)).toEqual([]);
  });
});

describe('a page whose origin only looks like a listed one', () => {
  test.each([
    'null',
    'https://app.example',
    'https://app.example:844',
    'https://app.example:84430',
    'https://app.example:8443.evil.example',
    'https://app.example:8443/',
    'https://evil-app.example:8443',
    'https://evil.app.example:8443',
    'https://APP.example:8443',
    'http://app.example:8443',
    'https://app.example:8443, https://evil.example',
    'http://localhost',
    'http://127.0.0.1:3000',
    '*',
  ])('such as %s may not call, nor ask whether it may', async (origin) => {
    for (const path of [method, connected, '/tasks/count']) {
      const answer = await http('POST', path, '{}', { ...json, origin, authorization });
      expect([answer.code, corsOf(answer)]).toEqual([403, []]);
      // A cache must not give it what a listed one was answered.
      expect(answer.headers.vary).toBe('origin');
      const asked = await preflight(path, origin);
      expect([asked.code, corsOf(asked)]).toEqual([405, []]);
    }
  });
});

test('a name that is not the node is not answered for, whatever the origin', async () => {
  const headers = { ...json, origin: listed, authorization, host: 'rebound.example' };
  expect((await http('POST', method, '{}', headers)).code).toBe(421);
});

describe('the list of origins', () => {
  const resolve = (flags: ConfigFlags) => resolveConfig({ dataDir: '/nowhere', ...flags }, {});

  it('may be of any origin, where nobody may do anything without a token', () => {
    expect(resolve({ corsOrigin: '*' }).corsOrigin).toEqual(['*']);
    expect(() => resolve({ corsOrigin: '*', anonymousRole: 'observe' })).toThrow(
      /--cors-origin: is \*, and callers without a token have the role observe/,
    );
    const tls = { tlsCert: 'a.pem', tlsKey: 'b.pem', tlsClientCa: 'c.pem' };
    expect(() => resolve({ corsOrigin: '*', ...tls })).toThrow(/--tls-client-ca/);
    expect(resolve({ corsOrigin: 'https://app.example', ...tls }).corsOrigin).toHaveLength(1);
  });

  it.each([
    ['app.example', ''],
    ['null', ''],
    ['https://*.example', ''],
    ['file:///a', ''],
    ['https://app.example/', 'https://app.example'],
    ['https://app.example:443', 'https://app.example'],
    ['HTTPS://App.Example', 'https://app.example'],
    ['https://user@app.example', 'https://app.example'],
    ['*,https://app.example', ''],
  ])('has no %s, and says what is allowed', (corsOrigin, hint) => {
    expect(() => resolve({ corsOrigin })).toThrow(/--cors-origin: has .*; allowed/);
    expect(() => resolve({ corsOrigin })).toThrow(hint);
  });
});
