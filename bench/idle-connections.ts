/**
 * What idle connections cost a node, in the clear or over TLS: bytes of its memory each, and the time of a call beside
 * them. The process may need more descriptors: `ulimit -n 65536`.
 *
 *     node bench/idle-connections.ts [CONNECTIONS] [tls]
 */
import { readFileSync } from 'node:fs';
import { connect as connectSocket, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls, createSecureContext } from 'node:tls';
import { connect } from '../src/client/channel.ts';
import { NodeService } from '../src/server/gen/spearlet/node_pb.js';
import { startSpear } from './server.ts';
import { median, printTable } from './table.ts';

const wanted = Number(process.argv[2] ?? 10_000);
const secure = process.argv[3] === 'tls';
/** RFC 9113, 3.4: what a client begins with, and SETTINGS without any. */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1');

function residentKb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** One for all: each has the certificates of all authorities. */
const secureContext = createSecureContext();

/** One that the server has answered. */
function idle(address: string): Promise<Socket> {
  const [host, port] = address.split(':');
  return new Promise((resolve, reject) => {
    const socket = secure
      ? connectTls({
          host,
          port: Number(port),
          ALPNProtocols: ['h2'],
          rejectUnauthorized: false,
          secureContext,
        })
      : connectSocket(Number(port), host);
    socket.once('error', reject);
    socket.once('data', () => {
      socket
        .removeAllListeners('error')
        .on('error', () => {})
        .on('close', () => {});
      resolve(socket);
    });
    socket.write(preface);
  });
}

const server = await startSpear({
  SPEAR_MAX_CONNECTIONS: String(2 * wanted),
  SPEAR_MAX_CONNECTIONS_PER_ADDRESS: String(2 * wanted),
  SPEAR_IDLE_CONNECTION_MS: '3600000',
  ...(secure && { SPEAR_TLS_SELF_SIGNED: 'true' }),
});
try {
  const connection = connect(server.grpcAddress, server.credentials);
  const node = connection.service(NodeService);
  const callUs = async (): Promise<number> => {
    const times: number[] = [];
    for (let call = 0; call < 2000; call += 1) {
      const since = performance.now();
      await node.getNode({});
      times.push((performance.now() - since) * 1000);
    }
    return median(times);
  };
  await callUs();
  const alone = await callUs();
  const before = residentKb(server.pid);
  const sockets: Socket[] = [];
  while (sockets.length < wanted) {
    const more = Math.min(100, wanted - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: more }, () => idle(server.grpcAddress)))));
  }
  await sleep(2000);
  const each = (residentKb(server.pid) - before) / wanted;
  const beside = await callUs();
  const open = sockets.filter(({ destroyed }) => !destroyed).length;
  for (const socket of sockets) socket.destroy();
  const again = await callUs();
  connection.close();
  const limit = (alone + again) / 2;
  printTable([
    {
      ...{
        what: `memory of one of ${open} idle connections${secure ? ' over TLS' : ''}, KB`,
        spear: each.toFixed(1),
        limit: '20',
      },
      ...{ ratio: each / 20, goal: '<= 1' },
    },
    {
      ...{ what: 'a call beside them, against alone, median µs', spear: beside.toFixed(0) },
      ...{ limit: limit.toFixed(0), ratio: beside / limit, goal: '<= 1.2' },
    },
  ]);
} finally {
  await server.stop();
}
