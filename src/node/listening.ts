import type { Server as HttpServer } from 'node:http';
import type { Server as GrpcServer } from '@grpc/grpc-js';
import { splitAddress } from '../config.ts';
import { bind } from '../server/grpc-server.ts';

/** Resolves with HOST:PORT as bound. Rejects with an error for people where the address is taken. */
export async function listenGrpc(server: GrpcServer, address: string): Promise<string> {
  const { host } = splitAddress('--grpc-address', address);
  return joined(host, await bind(server, address));
}

/** Resolves with HOST:PORT as bound. Rejects with an error for people where the address is taken. */
export function listenHttp(server: HttpServer, address: string): Promise<string> {
  const { host, port } = splitAddress('--http-address', address);
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new Error(`cannot listen on ${address}: ${error.message}`)));
    server.listen(port, host, () => {
      const bound = server.address();
      resolve(joined(host, bound !== null && typeof bound === 'object' ? bound.port : port));
    });
  });
}

/** Hangs up on everyone. */
export function closeHttp(server: HttpServer): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function joined(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
