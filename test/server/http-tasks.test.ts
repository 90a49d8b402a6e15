/** Tasks that are run by plain HTTP, and the events of one execution. */
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { idempotencyKey, preferencesOf } from '../../src/server/http-preferences.ts';
import { type LocalServer, startServer } from '../support/server.ts';

let server: LocalServer;
beforeAll(async () => {
  server = await startServer();
  await server.register('wordcount', 'wordcount/wordcount.wasm');
  await server.register('typed', 'typed/typed.wasm');
  await server.register('ticker', 'ticker/ticker.wasm');
  await server.register('exit', 'misbehaving/exit.wasm');
  await server.register('loop', 'misbehaving/loop.wasm', {
    timeouts: { attempt: { seconds: 1n, nanos: 0 } },
  });
  await server.register('flood', 'misbehaving/flood.wasm');
});
afterAll(async () => {
  expect(server.bugs).toEqual([]);
  await server.stop();
});

type Headers = Readonly<Record<string, string>>;

function post(path: string, body = '', headers: Headers = {}): Promise<Response> {
  return fetch(`http://${server.httpAddress}/tasks/${path}`, { method: 'POST', body, headers });
}

describe('a task that is run over HTTP', () => {
  it('has the body as its input, and answers with its output', async () => {
    const answer = await post('wordcount', 'one two\nthree\n', { 'content-type': 'text/whatever' });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('3');
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'content-security-policy': 'sandbox',
      'x-content-type-options': 'nosniff',
      'spear-status': 'COMPLETED',
      'spear-attempt': '1',
    });
    const id = answer.headers.get('spear-execution-id');
    const { result } = await server.functions.getExecutionStatus({ executionId: id ?? '' });
    expect(result?.taskName).toBe('wordcount');
  });

  it('answers in the one type that its caller takes, never on the origin of the page', async () => {
    const answer = await post('wordcount', 'x', { accept: 'text/html' });
    expect(answer.headers.get('content-type')).toBe('text/html');
    expect(answer.headers.get('content-security-policy')).toBe('sandbox');
    const several = await post('wordcount', 'x', { accept: 'text/html, */*' });
    expect(several.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  });

  it('is run once for one key, whoever waits for it', async () => {
    const first = await post('wordcount', 'x y', { 'idempotency-key': '"one-key"' });
    const second = await post('wordcount', 'x y', { 'idempotency-key': 'one-key' });
    const ids = [first, second].map(({ headers }) => headers.get('spear-execution-id'));
    expect(ids[0]).toBe(ids[1]);
    expect(second.headers.get('spear-joined')).toBe('true');
    const other = await post('wordcount', 'other', { 'idempotency-key': 'one-key' });
    expect(other.status).toBe(409);
  });

  it('is accepted, and no more, where its caller prefers that or waits for less than it takes', async () => {
    const accepted = await post('ticker?arg=2', '', { prefer: 'respond-async' });
    expect(accepted.status).toBe(202);
    expect(accepted.headers.get('preference-applied')).toBe('respond-async');
    const location = accepted.headers.get('location') ?? '';
    expect(location).toMatch(/^\/status\/exec_/);
    expect((await fetch(`http://${server.httpAddress}${location}`)).status).toBe(200);
    const late = await post('ticker?arg=60', '', { prefer: 'wait=1' });
    expect(late.status).toBe(202);
    expect(late.headers.get('preference-applied')).toBe('wait=1');
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0);
    const { executionId } = (await late.json()) as { readonly executionId: string };
    await server.functions.cancelExecution({ executionId });
  });
});

describe('a typed function that is called over HTTP', () => {
  const json = { 'content-type': 'application/json; charset=utf-8' };

  it('takes its parameters by name, and answers with its value', async () => {
    const answer = await post('typed/divide', '{"a": 7, "b": 2}', json);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(await answer.json()).toBe(3);
  });

  it('needs no body where it has no parameters, and may be named in full', async () => {
    expect(await (await post('typed/ping')).text()).toMatch(/pong/);
    const whole = encodeURIComponent('spear:examples/calc@0.1.0#greet');
    expect(await (await post(`typed/${whole}`, '{"name": "Ada"}', json)).json()).toContain('Ada');
  });
});

describe('a task that fails, run over HTTP', () => {
  it('is a bad gateway, with its code and what it wrote to stderr', async () => {
    const answer = await post('exit?arg=3');
    expect(answer.status).toBe(502);
    expect(answer.headers.get('spear-exit-code')).toBe('3');
    expect(await answer.json()).toMatchObject({
      error: {
        code: 'FAILED',
        reason: 'FUNCTION_EXIT',
        exitCode: 3,
        executionId: expect.stringMatching(/^exec_/),
      },
    });
  });

  it('has the error side of a typed function as it is', async () => {
    const answer = await post('typed/divide', '{"a": 7, "b": 0}', { 'content-type': 'application/json' });
    expect(answer.status).toBe(502);
    expect(await answer.json()).toMatchObject({
      error: { reason: 'FUNCTION_ERROR', value: expect.anything() },
    });
  });

  it('is a gateway that waited too long where its time is over', async () => {
    const answer = await post('loop');
    expect(answer.status).toBe(504);
    expect(await answer.json()).toMatchObject({ error: { code: 'TIMED_OUT', reason: 'ATTEMPT_TIMEOUT' } });
  });
});

it('output that is larger than an answer carries comes whole, from the log', async () => {
  const bytes = 5 * 1024 * 1024 + 17;
  const answer = await post(`flood?arg=${bytes}`);
  const output = Buffer.from(await answer.arrayBuffer());
  expect(output.byteLength).toBe(bytes);
  expect(String.fromCharCode(output[bytes - 1] ?? 0)).toBe(String.fromCharCode(97 + ((bytes - 1) % 26)));
});

describe('what there is to hear of one execution', () => {
  it('comes as events, from the first to the result, and from where its reader was', async () => {
    const { headers } = await post('wordcount', 'x');
    const path = `http://${server.httpAddress}/status/${headers.get('spear-execution-id')}`;
    const events = { accept: 'text/event-stream' };
    const whole = await fetch(path, { headers: events });
    expect(whole.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const names = [...(await whole.text()).matchAll(/^id: (\d+)\nevent: (\w+)\ndata: (.*)$/gm)];
    expect(names.map(([, id]) => Number(id))).toEqual(names.map((_each, index) => index + 1));
    expect(names.at(-1)?.[2]).toBe('result');
    expect(JSON.parse(names.at(-1)?.[3] ?? '')).toMatchObject({ isFinal: true });
    const last = String(names.length);
    const rest = await fetch(path, { headers: { ...events, 'last-event-id': String(names.length - 1) } });
    expect(await rest.text()).toMatch(new RegExp(`^id: ${last}\nevent: result\n`));
    const nothing = await fetch(path, { headers: { ...events, 'last-event-id': last } });
    expect(nothing.status).toBe(204);
    const wrong = await fetch(path, { headers: { ...events, 'last-event-id': 'x' } });
    expect(wrong.status).toBe(400);
  });
});

describe('output that retention has taken', () => {
  it('is said to be gone, and what is left of the log is told', async () => {
    const small = await startServer({ retainBytes: String(1024 * 1024) });
    onTestFinished(() => small.stop());
    await small.register('flood', 'misbehaving/flood.wasm');
    const run = () =>
      fetch(`http://${small.httpAddress}/tasks/flood?arg=4000000`, {
        method: 'POST',
        headers: { 'idempotency-key': 'kept' },
      });
    const first = await run();
    expect((await first.arrayBuffer()).byteLength).toBe(4_000_000);
    const executionId = first.headers.get('spear-execution-id') ?? '';
    const oldest = async () =>
      Number((await small.functions.getExecutionStatus({ executionId })).result?.oldestSequence);
    await expect.poll(oldest).toBeGreaterThan(1);
    const again = await run();
    expect(again.status).toBe(410);
    expect(again.headers.get('spear-execution-id')).toBe(executionId);
    expect(await again.json()).toMatchObject({ error: { reason: 'SEQUENCE_GONE', executionId } });
    const events = await fetch(`http://${small.httpAddress}/status/${executionId}`, {
      headers: { accept: 'text/event-stream' },
    });
    expect(await events.text()).toMatch(/event: result\n/);
  });
});

describe('a request that is not good', () => {
  it('with more values than are allowed is refused before any is made, for whatever task', async () => {
    const body = `{"a":[${'{},'.repeat(60_000)}0]}`;
    const answer = await post('nothing/here', body, { 'content-type': 'application/json' });
    expect(answer.status).toBe(429);
    expect(await answer.json()).toMatchObject({ error: { reason: 'TOO_MANY_VALUES' } });
  });

  it.each([
    ['', '', {}, 'path'],
    ['wordcount/', '', {}, 'path'],
    ['wordcount?args=1', '', {}, '"args"'],
    ['wordcount', '', { prefer: 'wait=soon' }, 'Prefer'],
    ['wordcount', '', { 'spear-priority': 'huge' }, 'spear-priority'],
    ['wordcount', 'x', { 'content-encoding': 'gzip' }, 'Content-Encoding'],
    ['typed/nothing', '[]', { 'content-type': 'application/json' }, 'body'],
    ['typed/nothing', '{}}', { 'content-type': 'application/json' }, 'body'],
    ['typed/nothing', '{},"task":{}', { 'content-type': 'application/json' }, 'body'],
    ['typed/nothing', '{}', { 'content-type': 'text/plain' }, 'Content-Type'],
  ] as const)('%s with %j names the field that is wrong', async (path, body, headers, field) => {
    const answer = await post(path, body, headers);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { violations: [{ field }] } });
  });

  it('of a task that is not there is 404, with another method 405, and of a page of another site 403', async () => {
    expect((await post('wordcnt')).status).toBe(404);
    const got = await fetch(`http://${server.httpAddress}/tasks/wordcount`);
    expect([got.status, got.headers.get('allow')]).toEqual([405, 'POST']);
    // `fetch` sets this header itself.
    const foreign = await new Promise((resolve, reject) => {
      const asked = request(
        `http://${server.httpAddress}/tasks/wordcount`,
        { method: 'POST', headers: { origin: 'https://elsewhere.example' } },
        (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        },
      );
      asked.on('error', reject);
      asked.end();
    });
    expect(foreign).toBe(403);
  });
});

describe('what a caller prefers', () => {
  it.each([
    [undefined, { respondAsync: false, waitSeconds: undefined }],
    ['respond-async', { respondAsync: true, waitSeconds: undefined }],
    ['Respond-Async, wait=10', { respondAsync: true, waitSeconds: 10 }],
    ['wait="7"; x=1, wait=9', { respondAsync: false, waitSeconds: 7 }],
    ['return=minimal', { respondAsync: false, waitSeconds: undefined }],
  ])('%j', (header, expected) => {
    expect(preferencesOf(header)).toEqual(expected);
  });

  it.each([
    [undefined, ''],
    ['plain', 'plain'],
    ['"quoted"', 'quoted'],
    ['"with \\" and \\\\"', 'with " and \\'],
    ['"half', '"half'],
    [Buffer.from('clé').toString('latin1'), 'clé'],
  ])('as its key %j', (header, expected) => {
    expect(idempotencyKey(header)).toBe(expected);
  });

  it('in bytes that are no UTF-8 is refused', () => {
    expect(() => idempotencyKey('cl\u00e9')).toThrow(/Idempotency-Key: is not UTF-8/);
  });
});
