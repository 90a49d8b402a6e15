import type { Server as HttpServer } from 'node:http';
import { splitAddress } from '../config.ts';
import type { GrpcListener } from '../server/grpc-listener.ts';

/** Resolves with HOST:PORT as bound. Rejects with an error for people where the address is taken. */
export async function listenGrpc(listener: GrpcListener, address: string): Promise<string> {
  const { host, port } = splitAddress('--grpc-address', address);
  try {
    return joined(host, await listener.listen(host, port));
  } catch (error) {
    throw refusal('--grpc-address', address, error);
  }
}

/** Resolves with HOST:PORT as bound. Rejects with an error for people where the address is taken. */
export function listenHttp(
  server: HttpServer,
  address: string,
  failed: (error: Error) => void,
): Promise<string> {
  const { host, port } = splitAddress('--http-address', address);
  return new Promise((resolve, reject) => {
    const refuse = (error: Error): void => reject(refusal('--http-address', address, error));
    server.once('error', refuse);
    server.listen(port, host, () => {
      server.off('error', refuse);
      // Without a listener a failed accept would end the process.
      server.on('error', failed);
      resolve(boundAddress(server, address));
    });
  });
}

/** HOST as it was asked for, and the port that it has. */
export function boundAddress(server: HttpServer, asked: string): string {
  const { host, port } = splitAddress('--http-address', asked);
  const bound = server.address();
  return joined(host, bound !== null && typeof bound === 'object' ? bound.port : port);
}

function refusal(flag: string, address: string, error: unknown): Error {
  const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
  const why = isTaken
    ? `something listens there already, perhaps another server; ${flag} names another address`
    : error instanceof Error
      ? error.message
      : String(error);
  return new Error(`cannot listen on ${address}: ${why}`, { cause: error });
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
