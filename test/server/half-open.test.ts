/** Callers whose side of a connection stays open after ours is over. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { ConfigFlags } from '../../src/config.ts';
import { another } from './snapshots.ts';

/** Reads all that comes, and never ends its own side. */
function halfOpen(address: string): Socket {
  const [host, port] = address.split(':');
  const socket = connect({ host, port: Number(port), allowHalfOpen: true });
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  return socket.resume();
}

const flags: ConfigFlags = { anonymousRole: 'none', maxConnectionsPerAddress: '2', idleConnectionMs: '500' };

const upgrade = (path: string) => `GET ${path} HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n`;

test.each([
  ['an upgrade of another path', upgrade('/nothing'), '404'],
  ['an inspector without a token', upgrade('/api/inspect'), '401'],
  ['a tunnel', 'CONNECT example.com:1 HTTP/1.1\r\n', '405'],
])('%s is refused, and its connection does not stay', async (_what, head, code) => {
  const server = await another(flags);
  const sockets = [1, 2].map(() => halfOpen(server.httpAddress));
  for (const socket of sockets) {
    socket.write(`${head}host: ${server.httpAddress}\r\n\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toContain(`HTTP/1.1 ${code} `);
  }
  const status = async () => (await fetch(`http://${server.httpAddress}/healthz`)).status;
  await expect.poll(status).toBe(200);
});

test('an idle connection over gRPC that was ended does not stay', async () => {
  const server = await another({ ...flags, maxConnectionsPerAddress: '3' });
  const sockets = [1, 2].map(() => halfOpen(server.grpcAddress));
  await Promise.all(sockets.map((socket) => once(socket, 'end')));
  const status = async () => (await fetch(`http://${server.httpAddress}/healthz`)).status;
  const other = halfOpen(server.grpcAddress);
  await once(other, 'connect');
  await expect.poll(status).toBe(200);
});

test.each([
  ['an upgrade', upgrade('/api/inspect')],
  ['a tunnel', 'CONNECT example.com:1 HTTP/1.1\r\n'],
])('%s over a connection that is one too many hears so', async (_what, head) => {
  const server = await another({ maxConnectionsPerAddress: '1' });
  await once(halfOpen(server.grpcAddress), 'connect');
  const socket = halfOpen(server.httpAddress);
  socket.write(
    `${head}host: ${server.httpAddress}\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${'A'.repeat(22)}==\r\n\r\n`,
  );
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toContain('HTTP/1.1 429 ');
});
