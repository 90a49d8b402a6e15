import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';

/** A real server and what it has seen. */
export interface Served {
  readonly port: number;
  /** Connections that it has accepted so far. */
  readonly accepted: () => number;
  /** Connections that are open. */
  readonly open: () => Promise<number>;
  close(): Promise<void>;
}

/** Answers every request with `hello`, and keeps connections for as long as its clients do. */
export function keepAliveServer(host = '127.0.0.1'): Promise<Served> {
  const server = createHttpServer({ keepAliveTimeout: 0 }, (_request, response) => {
    response.setHeader('connection', 'keep-alive');
    response.end('hello');
  });
  return serve(server, host);
}

/** Sends the head of an answer and never the rest. */
export function unfinishedServer(): Promise<Served> {
  const server = createHttpServer((_request, response) => {
    response.writeHead(200, { 'content-length': 10 });
    response.write('half');
  });
  return serve(server, '127.0.0.1');
}

/** Accepts connections and says nothing. */
export function silentServer(): Promise<Served> {
  return serve(createServer(), '127.0.0.1');
}

/** An IPv4 address of this machine that is not loopback, where it has one. */
export const machineAddress = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

async function serve(server: Server, host: string): Promise<Served> {
  let accepted = 0;
  server.on('connection', (socket) => {
    accepted += 1;
    socket.on('error', () => {});
    // A client's end is the connection's.
    socket.resume();
  });
  const listening = Promise.withResolvers<void>();
  server.once('error', listening.reject);
  server.listen(0, host, listening.resolve);
  await listening.promise;
  return {
    port: (server.address() as AddressInfo).port,
    accepted: () => accepted,
    open: () =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
      }),
    close: async () => {
      server.close();
    },
  };
}
