/** Posts to receivers that answer what no server should: each try comes to an end. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { post } from '../../src/webhooks/sender.ts';

/** A server that sends these bytes as soon as somebody has asked for something. */
async function answering(text: string, then: (socket: Socket) => void = () => {}): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write(text);
      then(socket);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
}

function send(url: string, timeoutMs = 60_000) {
  const message = { id: 'msg_1', url, body: Buffer.from('{}'), timestamp: 1, keys: [Buffer.alloc(32)] };
  const options = { isAllowed: () => true, allowHttp: true, userAgent: 'test', timeoutMs };
  return post(message, options, new AbortController().signal);
}

describe('a receiver', () => {
  it('that wants to speak another protocol has refused', async () => {
    const text = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n';
    expect(await send(await answering(text))).toEqual({
      ...{ kind: 'failed', status: 101 },
      error: 'it answered with HTTP 101',
    });
  });

  it.each([
    ['closes without an answer', ''],
    ['closes after 100', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['closes within its answer', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab'],
    ['speaks something else', 'SSH-2.0-OpenSSH_9.9\r\n'],
  ])('that %s has failed', async (_how, text) => {
    const url = await answering(text, (socket) => socket.end());
    expect(await send(url)).toMatchObject({ kind: 'failed' });
  });

  it.each([
    ['goes on with 100 for ever', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['never ends its answer', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab'],
  ])('that %s has until the time is over', async (_how, text) => {
    expect(await send(await answering(text), 50)).toMatchObject({
      ...{ kind: 'failed', error: 'it did not answer within 0.05 s' },
    });
  });
});
