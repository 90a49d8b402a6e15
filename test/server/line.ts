import type { AddressInfo } from 'node:net';
import { createServer, connect as dial, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { type Connection, connect, type ServiceClient } from '../../src/client/channel.ts';
import { FunctionService } from '../../src/server/gen/spearlet/function_pb.js';

/**
 * A connection of its own to a server: grpc-js lets clients of one address share theirs. It can be cut in the middle
 * of anything, as a machine that loses its power would.
 */
export interface Line {
  readonly address: string;
  readonly connection: Connection;
  readonly functions: ServiceClient<typeof FunctionService>;
  cut(): void;
}

export async function line(address: string): Promise<Line> {
  const colon = address.lastIndexOf(':');
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = dial(Number(address.slice(colon + 1)), address.slice(0, colon));
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const own = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const connection = connect(own);
  const cut = (): void => {
    server.close();
    for (const socket of sockets) socket.resetAndDestroy();
  };
  onTestFinished(() => {
    connection.close();
    cut();
  });
  return { address: own, connection, functions: connection.service(FunctionService), cut };
}
