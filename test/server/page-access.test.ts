/** How a browser signs in, over HTTP: codes, sessions and tickets. */
import { request } from 'node:http';
import { describe, expect, it, onTestFinished, test } from 'vitest';
import { connect } from '../../src/client/channel.ts';
import type { ConfigFlags } from '../../src/config.ts';
import { PageAccess } from '../../src/server/access/page-access.ts';
import { AccessService, Role } from '../../src/server/gen/spearlet/access_pb.js';
import { FakeClock } from '../support/fake-clock.ts';
import { type LocalServer, startServer } from '../support/server.ts';
import { refusal } from './refusal.ts';

async function started(flags: ConfigFlags = {}): Promise<LocalServer> {
  const server = await startServer({ anonymousRole: 'none', ...flags });
  onTestFinished(() => server.stop());
  return server;
}

type Headers = Readonly<Record<string, string>>;

const json = { 'content-type': 'application/json' };

function post(
  { httpAddress }: LocalServer,
  path: string,
  body: unknown,
  headers: Headers = {},
): Promise<Response> {
  return fetch(`http://${httpAddress}${path}`, {
    method: 'POST',
    headers: { ...json, ...headers },
    body: JSON.stringify(body),
  });
}

async function newCode(server: LocalServer): Promise<string> {
  return (await server.connection.service(AccessService).createPageCode({})).code;
}

async function signIn(server: LocalServer): Promise<Headers> {
  const answer = await post(server, '/api/session', { code: await newCode(server) });
  const { token } = (await answer.json()) as { token: string };
  return { authorization: `Bearer ${token}` };
}

/** As a browser says it for the page of the node itself. */
function own({ httpAddress }: LocalServer): Headers {
  return { origin: `http://${httpAddress}`, 'sec-fetch-site': 'same-origin' };
}

async function reasonOf(answer: Response): Promise<unknown> {
  return ((await answer.json()) as { error: { reason: string } }).error.reason;
}

describe('a code', () => {
  it('is exchanged for a token of 12 hours, once', async () => {
    const server = await started();
    const access = server.connection.service(AccessService);
    const before = Date.now();
    const { code, expiresAt, httpAddress } = await access.createPageCode({});
    expect(httpAddress).toBe(server.httpAddress);
    expect(Math.abs(Number(expiresAt?.seconds) * 1000 - before - 60_000)).toBeLessThan(30_000);
    const answer = await post(server, '/api/session', { code }, own(server));
    const session = (await answer.json()) as { token: string; expiresAt: string };
    expect(answer.status).toBe(200);
    expect(answer.headers.get('set-cookie')).toBeNull();
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(Math.abs(Date.parse(session.expiresAt) - before - 12 * 3_600_000)).toBeLessThan(60_000);
    const headers = { authorization: `Bearer ${session.token}`, ...own(server) };
    expect((await post(server, '/api/AccessService/ListTokens', {}, headers)).status).toBe(200);
    const again = await post(server, '/api/session', { code }, own(server));
    expect([again.status, await reasonOf(again)]).toEqual([401, 'UNAUTHENTICATED']);
  });

  it('is an administrator to make', async () => {
    const server = await started({ anonymousRole: 'operate' });
    const anonymous = connect(server.grpcAddress);
    onTestFinished(() => anonymous.close());
    expect(await refusal(anonymous.service(AccessService).createPageCode({}))).toMatchObject({
      code: 'PERMISSION_DENIED',
      reason: 'ROLE_MISSING',
    });
  });

  it.each([
    ['no code at all', {}, 400],
    ['another field', { code: 'x', role: 'admin' }, 400],
    ['a code that is no text', { code: 7 }, 400],
    ['no object', ['code'], 400],
    ['an empty code', { code: '' }, 401],
    ['a made-up code', { code: 'x'.repeat(43) }, 401],
    ['far too much', { code: 'x'.repeat(10_000) }, 429],
  ])('is refused as %s', async (_what, body, status) => {
    const server = await started();
    expect((await post(server, '/api/session', body)).status).toBe(status);
    expect(server.bugs).toEqual([]);
  });

  it('is neither used up nor exchanged by a page of another site, or by a form', async () => {
    const server = await started();
    const code = await newCode(server);
    for (const headers of [
      { origin: 'http://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' },
      { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' },
    ] satisfies Headers[]) {
      const answer = await post(server, '/api/session', { code }, headers);
      expect([answer.status, await reasonOf(answer)]).toEqual([403, 'CROSS_SITE']);
    }
    const form = { 'content-type': 'text/plain' };
    expect((await post(server, '/api/session', { code }, form)).status).toBe(400);
    expect((await fetch(`http://${server.httpAddress}/api/session?code=${code}`)).status).toBe(405);
    expect((await post(server, '/api/session', { code })).status).toBe(200);
  });
});

describe('a session', () => {
  it('may do no more than its link was made for, and makes no other', async () => {
    const server = await started();
    const access = server.connection.service(AccessService);
    const { code } = await access.createPageCode({ role: Role.INVOKE });
    const session = await post(server, '/api/session', { code });
    const { token } = (await session.json()) as { token: string };
    const headers = { authorization: `Bearer ${token}`, ...own(server) };
    const caller = await fetch(`http://${server.httpAddress}/api/caller`, { headers });
    expect(await caller.json()).toEqual({ name: expect.any(String), role: 'invoke', tenant: 'default' });
    const answers = [
      ['FunctionService/CancelExecution', { executionId: 'exec_nothing' }, 404],
      ['TaskService/DeleteTask', { task: 'none' }, 403],
      ['AccessService/CreatePageCode', { role: 'ROLE_ADMIN' }, 403],
      ['AccessService/CreateToken', { name: 'more', role: 'ROLE_OBSERVE' }, 403],
    ] as const;
    for (const [method, body, status] of answers) {
      expect([method, (await post(server, `/api/${method}`, body, headers)).status]).toEqual([
        method,
        status,
      ]);
    }
    const other = await post(server, '/api/NodeService/GetNode', {}, { ...headers, 'spear-tenant': 'other' });
    expect([other.status, await reasonOf(other)]).toEqual([403, 'OUT_OF_SCOPE']);
    expect(await refusal(access.createPageCode({ role: 17 as Role }))).toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('lets the own page do what its role allows, and a page without a token what callers without one may', async () => {
    const server = await started({ anonymousRole: 'invoke' });
    const headers = await signIn(server);
    const change = (more: Headers) =>
      post(server, '/api/TaskService/DeleteTask', { task: 'none' }, { ...own(server), ...more });
    expect((await change(headers)).status).toBe(404);
    const without = await change({});
    expect([without.status, await reasonOf(without)]).toEqual([403, 'ROLE_MISSING']);
    const foreign = await change({ ...headers, origin: 'http://evil.example' });
    expect([foreign.status, await reasonOf(foreign)]).toEqual([403, 'CROSS_SITE']);
    const wrong = await change({ authorization: 'Bearer wrong' });
    expect([wrong.status, await reasonOf(wrong)]).toEqual([401, 'UNAUTHENTICATED']);
    const { secret } = await server.connection
      .service(AccessService)
      .createToken({ name: 'reader', role: Role.OBSERVE });
    const reader = await change({ authorization: `Bearer ${secret}` });
    expect([reader.status, await reasonOf(reader)]).toEqual([403, 'ROLE_MISSING']);
  });

  it('ends with the token of whoever made its code', async () => {
    const server = await started();
    const access = server.connection.service(AccessService);
    const { secret } = await access.createToken({ name: 'lent', role: Role.ADMIN });
    const lent = connect(server.grpcAddress, { token: secret });
    onTestFinished(() => lent.close());
    const codes = lent.service(AccessService);
    const [used, unused] = [(await codes.createPageCode({})).code, (await codes.createPageCode({})).code];
    const answer = await post(server, '/api/session', { code: used });
    const headers = { authorization: `Bearer ${((await answer.json()) as { token: string }).token}` };
    expect((await post(server, '/api/NodeService/GetNode', {}, headers)).status).toBe(200);
    await access.revokeToken({ name: 'lent' });
    expect((await post(server, '/api/NodeService/GetNode', {}, headers)).status).toBe(401);
    expect((await post(server, '/api/session', { code: unused })).status).toBe(401);
    const other = await signIn(server);
    expect((await post(server, '/api/NodeService/GetNode', {}, other)).status).toBe(200);
  });

  it('lends a stream of events, and has its token nowhere in the log of the node', async () => {
    const server = await started();
    const headers = await signIn(server);
    const stop = new AbortController();
    const events = await fetch(`http://${server.httpAddress}/api/events`, { headers, signal: stop.signal });
    expect(events.status).toBe(200);
    stop.abort();
    expect(JSON.stringify(server.log)).not.toContain(String(headers.authorization).split(' ')[1]);
  });
});

describe('a ticket', () => {
  const file = '/api/history/exec_01m80dpjfbzkg93vj73as2yyye';

  async function ticketFor(server: LocalServer, headers: Headers, path = file): Promise<string> {
    const answer = await post(server, '/api/tickets', { path }, headers);
    expect(answer.status).toBe(200);
    return ((await answer.json()) as { path: string }).path;
  }

  it('is good for the one file, once', async () => {
    const server = await started();
    const headers = await signIn(server);
    const get = async (path: string) => (await fetch(`http://${server.httpAddress}${path}`)).status;
    const path = await ticketFor(server, { ...headers, ...own(server) });
    expect(path).toMatch(/^\/api\/history\/exec_\w+\?ticket=[\w-]{43}$/);
    // There is no such execution; who has no good ticket is not told.
    expect(await get(path)).toBe(404);
    expect(await get(path)).toBe(401);
    const [, query = ''] = (await ticketFor(server, headers)).split('?');
    expect(await get(`/api/snapshots/exec_01m80dpjfbzkg93vj73as2yyye?${query}`)).toBe(401);
    expect(await get(`${file}?${query}`)).toBe(401);
    expect(await get(`${file}?ticket=`)).toBe(401);
    expect(await get(`/api/events?${query}`)).toBe(401);
  });

  it('lends no more than the role of who had it made', async () => {
    const server = await started();
    const { secret } = await server.connection
      .service(AccessService)
      .createToken({ name: 'reader', role: Role.OBSERVE });
    const reader = { authorization: `Bearer ${secret}` };
    const snapshot = await ticketFor(server, reader, file.replace('history', 'snapshots'));
    const answer = await fetch(`http://${server.httpAddress}${snapshot}`);
    expect([answer.status, await reasonOf(answer)]).toEqual([403, 'ROLE_MISSING']);
  });

  it.each(['/api/events', '/api/history/', '/', 'http://evil.example/api/history/x', `${file}?ticket=x`])(
    'is not made for %s',
    async (path) => {
      const server = await started();
      const answer = await post(server, '/api/tickets', { path }, await signIn(server));
      expect([answer.status, await reasonOf(answer)]).toEqual([400, 'INVALID_FIELD']);
    },
  );

  it('is not made for who shows no token, where the node wants one, nor for another site', async () => {
    const server = await started();
    expect((await post(server, '/api/tickets', { path: file })).status).toBe(401);
    const foreign = { ...(await signIn(server)), origin: 'http://evil.example' };
    expect((await post(server, '/api/tickets', { path: file }, foreign)).status).toBe(403);
  });
});

describe('the access of pages', () => {
  const maker = { name: 'socket', role: 'admin' } as const;

  it('ends a code after a minute, a session after 12 hours and a ticket after 30 s', async () => {
    const clock = new FakeClock();
    const access = new PageAccess(clock);
    const late = access.createCode(maker).secret;
    const inTime = access.createCode(maker).secret;
    const ticket = access.createTicket(maker, '/a').secret;
    await clock.advance(30_000);
    expect(() => access.takeTicket(ticket, '/a')).toThrow('ticket');
    await clock.advance(29_000);
    const { secret: token } = access.openSession(inTime);
    await clock.advance(1000);
    expect(() => access.openSession(late)).toThrow('code');
    await clock.advance(12 * 3_600_000 - 1001);
    expect(access.find(token)).toEqual({ ...maker, session: true, expiresAt: expect.any(Number) });
    await clock.advance(1);
    expect(access.find(token)).toBeUndefined();
  });

  it('outlives neither the token behind it, nor by a clock that is set back', async () => {
    const clock = new FakeClock();
    const access = new PageAccess(clock);
    const until = clock.now() + 5000;
    const code = access.createCode({ ...maker, expiresAt: until });
    expect(code.expiresAt).toBe(until);
    const session = access.openSession(code.secret);
    expect(session.expiresAt).toBe(until);
    await clock.advance(5000);
    expect(access.find(session.secret)).toBeUndefined();
    const later = access.createCode(maker).secret;
    await clock.advance(60_000);
    clock.jump(-3_600_000);
    expect(() => access.openSession(later)).toThrow('code');
  });

  it('keeps a bounded number of each, and the oldest goes', () => {
    const access = new PageAccess(new FakeClock());
    const codes = Array.from({ length: 101 }, () => access.createCode(maker).secret);
    expect(() => access.openSession(codes[0] ?? '')).toThrow('code');
    const token = access.openSession(codes[1] ?? '').secret;
    for (let count = 0; count < 1000; count += 1) access.openSession(access.createCode(maker).secret);
    expect(access.find(token)).toBeUndefined();
  });

  it('lets no principal push out the tickets of another', () => {
    const access = new PageAccess(new FakeClock());
    const other = access.createTicket({ ...maker, name: 'other' }, '/a').secret;
    const own = Array.from({ length: 1001 }, () => access.createTicket(maker, '/a').secret);
    expect(() => access.takeTicket(own[900] ?? '', '/a')).toThrow('ticket');
    expect(access.takeTicket(own[901] ?? '', '/a')).toEqual(maker);
    expect(access.takeTicket(other, '/a').name).toBe('other');
  });
});

test('a page that was shown tells nobody where it was', async () => {
  const server = await started();
  const headers = await new Promise<Record<string, unknown>>((resolve) => {
    request(`http://${server.httpAddress}/`, (answer) => {
      answer.resume();
      resolve(answer.headers);
    }).end();
  });
  expect(headers).toMatchObject({ 'referrer-policy': 'no-referrer' });
  expect(headers).not.toHaveProperty('set-cookie');
});
