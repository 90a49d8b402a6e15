/** Callers over TLS that begin something and do not go on, and callers in the clear. */
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { connect as connectClient } from '../../src/client/channel.ts';
import { NodeService } from '../../src/server/gen/spearlet/node_pb.js';
import type { LocalServer } from '../support/server.ts';
import { refusal } from './refusal.ts';
import { another } from './snapshots.ts';

const flags = { tlsSelfSigned: true, maxConnectionsPerAddress: '2', receiveIdleMs: '300' };

const ports = [
  ['gRPC', ({ grpcAddress }: LocalServer) => grpcAddress],
  ['HTTP', ({ httpAddress }: LocalServer) => httpAddress],
] as const;

function split(address: string): { readonly host: string; readonly port: number } {
  const [host = '', port] = address.split(':');
  return { host, port: Number(port) };
}

/** Reads all that comes, and never ends its own side. */
function open(address: string): Socket {
  const socket = connect({ ...split(address), allowHalfOpen: true });
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  return socket;
}

async function secured(address: string, protocol: string): Promise<Socket> {
  const socket = connectTls({
    ...{ socket: open(address), rejectUnauthorized: false, ALPNProtocols: [protocol] },
    ...{ allowHalfOpen: true },
  });
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  return socket;
}

/** All that comes until the other side ends. */
async function told(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (part: Buffer) => {
    text += part.toString('latin1');
  });
  await once(socket, 'end');
  return text;
}

/** There is room for it only where those of before are gone. */
async function expectRoom({ httpAddress }: LocalServer): Promise<void> {
  const code = async () => {
    const socket = await secured(httpAddress, 'http/1.1');
    socket.write(`GET /healthz HTTP/1.1\r\nhost: ${httpAddress}\r\nconnection: close\r\n\r\n`);
    return (await told(socket)).slice(9, 12);
  };
  await expect.poll(code).toBe('200');
}

/** A record of a handshake of 512 bytes, of which nothing comes. */
const begunHandshake = Buffer.from([0x16, 3, 1, 2, 0]);

test.each(
  ports.flatMap(([name, addressOf]) => [
    [name, 'says nothing', addressOf, undefined] as const,
    [name, 'begins a handshake', addressOf, begunHandshake] as const,
  ]),
)(
  'a caller at the port of %s that %s and does not go on is hung up on',
  async (_name, _what, addressOf, bytes) => {
    const server = await another(flags);
    const sockets = [1, 2].map(() => open(addressOf(server)));
    for (const socket of sockets) if (bytes !== undefined) socket.write(bytes);
    await Promise.all(sockets.map((socket) => once(socket.resume(), 'end')));
    await expectRoom(server);
  },
);

const head = (address: string) => `POST /api/NodeService/GetNode HTTP/1.1\r\nhost: ${address}\r\n`;

test.each([
  ['half of a head', '', '408'],
  ['half of a body', 'content-type: application/json\r\ncontent-length: 100\r\n\r\n{', '408'],
])(
  'a caller over TLS that sends %s is told so, and its connection does not stay',
  async (_what, rest, code) => {
    const server = await another(flags);
    const sockets = await Promise.all([1, 2].map(() => secured(server.httpAddress, 'http/1.1')));
    for (const socket of sockets) {
      socket.write(head(server.httpAddress) + rest);
      expect(await told(socket)).toContain(`HTTP/1.1 ${code} `);
    }
    await expectRoom(server);
  },
);

test('a caller over TLS that sends half of a message over gRPC is told so', async () => {
  const server = await another(flags);
  const session = connectHttp2(`https://${server.grpcAddress}`, { rejectUnauthorized: false });
  onTestFinished(() => session.destroy());
  const call = session.request({
    ...{ ':method': 'POST', ':path': '/spearlet.NodeService/GetNode' },
    ...{ 'content-type': 'application/grpc', te: 'trailers' },
  });
  call.write(Buffer.from([0, 0, 0, 0, 100, 1]));
  const [headers] = (await once(call, 'response')) as [Record<string, string>];
  expect(decodeURIComponent(headers['grpc-message'] ?? '')).toContain(
    'brought no byte for more than the allowed 300 ms',
  );
});

test.each(ports)(
  'a caller in the clear at the port of %s is told that it speaks TLS',
  async (_name, addressOf) => {
    const server = await another(flags);
    const answer = await fetch(`http://${addressOf(server)}/`);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      error: { reason: 'TLS_NEEDED', message: expect.stringContaining('https://') },
    });
  },
);

test('a client of gRPC in the clear is told that the port speaks TLS', async () => {
  const server = await another(flags);
  const plain = connectClient(server.grpcAddress);
  onTestFinished(() => plain.close());
  expect(await refusal(plain.service(NodeService).getNode({}))).toMatchObject({
    code: 'UNAVAILABLE',
    reason: 'TLS_NEEDED',
    message: expect.stringContaining('this port speaks TLS'),
  });
});
