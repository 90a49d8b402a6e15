/** What callers over HTTP hear that send their bytes themselves. */
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { withHttp } from './http.ts';
import { server } from './local.ts';

withHttp();

/** Sends all of it before it reads anything. Resolves with all that comes until the server hangs up. */
function exchange(head: readonly string[], body = Buffer.alloc(0)): Promise<string> {
  const [host = '', port] = server.httpAddress.split(':');
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), host);
    let text = '';
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
    socket.pause();
    socket.write(`${head.join('\r\n')}\r\n\r\n`);
    socket.write(body, () => {
      socket.on('data', (data) => {
        text += data.toString();
      });
      socket.resume();
    });
  });
}

const invoke = '/api/FunctionService/InvokeFunction';
const hostLine = () => `host: ${server.httpAddress}`;
const jsonLine = 'content-type: application/json';

test.each([
  ['that closes after it', '1.1', invoke, 429],
  ['of HTTP/1.0', '1.0', invoke, 429],
  ['for a path that is not there', '1.1', '/none', 404],
  ['with a method that is not allowed', '1.1', '/healthz', 405],
])('a request %s is answered although it is sent to its end first', async (_what, version, path, code) => {
  const bytes = 20_000_000;
  const head = [`POST ${path} HTTP/${version}`, hostLine(), jsonLine, `content-length: ${bytes}`];
  const text = await exchange([...head, 'connection: close'], Buffer.alloc(bytes, ' '));
  expect(text).toMatch(new RegExp(`^HTTP/1.1 ${code} `));
  expect(text).toMatch(/\}$/);
});

test('a caller that asks first is not told to send what is too large', async () => {
  const asks = (bytes: number) => [
    `POST ${invoke} HTTP/1.1`,
    hostLine(),
    jsonLine,
    'connection: close',
    'expect: 100-continue',
    `content-length: ${bytes}`,
  ];
  const body = Buffer.from('{"task":"count"}');
  expect(await exchange(asks(body.length), body)).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 /);
  expect(await exchange(asks(200_000), Buffer.alloc(200_000))).toMatch(/^HTTP\/1.1 429 /);
});

test('a target may be a whole URL, whose host is held to the same names', async () => {
  const get = (target: string) => exchange([`GET ${target} HTTP/1.1`, hostLine(), 'connection: close']);
  expect(await get(`http://${server.httpAddress}/healthz`)).toMatch(/^HTTP\/1.1 200 /);
  expect(await get(`http://${server.httpAddress}/none`)).toMatch(/^HTTP\/1.1 404 /);
  expect(await get('http://evil.example/none')).toMatch(/^HTTP\/1.1 421 /);
});

test('a tunnel is refused with an answer', async () => {
  const text = await exchange([`CONNECT ${server.httpAddress} HTTP/1.1`, hostLine()]);
  expect(text).toMatch(/^HTTP\/1.1 405 .*\r\nallow: GET, HEAD, POST\r\n/);
  expect(text).toMatch(/METHOD_NOT_ALLOWED.*\}$/);
});
