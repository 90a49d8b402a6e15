/** Where gRPC is reached: sockets of our own, so that connections are counted and a failed accept is survived. */
import { lookup } from 'node:dns/promises';
import { createServer, isIP, type Socket, type Server as SocketServer } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import { type Server, ServerCredentials } from '@grpc/grpc-js';
import type { Clock } from '../domain/clock.ts';
import { type Connections, giveNumber, RefusedConnections } from './connections.ts';
import type { GrpcArrivals } from './grpc-arrivals.ts';
import { GrpcRefusals } from './grpc-refusals.ts';
import { closeOnceEnded } from './half-closed.ts';
import type { CertificateSource } from './tls/certificate-source.ts';
import { onFirstBytes, refuseCleartext, wantsTls } from './tls/cleartext.ts';
import type { PeerCertificates } from './tls/peer-certificates.ts';

export interface GrpcListenerOptions {
  readonly connections: Connections;
  readonly arriving: GrpcArrivals;
  readonly clock: Clock;
  /** How long a caller may take for its first byte, and then for its part of a TLS handshake, in milliseconds. */
  readonly handshakeMs: number;
  /** Of its TLS; absent where it speaks in the clear. */
  readonly certificates?: CertificateSource;
  /** Is told of what callers show in their handshakes. */
  readonly peers?: PeerCertificates;
  /** Hears why a connection could not be accepted. */
  failed(error: Error): void;
}

/** How long a connection that is one too many may take to hear so, in milliseconds. */
export const refusalMs = 1000;
/** When the kernel asks a silent peer whether it is there, in milliseconds. */
const keepaliveMs = 60_000;

export class GrpcListener {
  readonly #options: GrpcListenerOptions;
  readonly #inject: (socket: Socket) => void;
  readonly #servers: SocketServer[] = [];
  readonly #refusing = new GrpcRefusals();
  readonly #tls: TlsServer | undefined;
  /** Those whose handshake is under way. */
  readonly #refused = new RefusedConnections();

  constructor(server: Server, options: GrpcListenerOptions) {
    // TLS ends before grpc-js, which can neither change its certificate nor leave those of clients optional.
    const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
    this.#inject = (socket) => injector.injectConnection(socket);
    this.#options = options;
    this.#tls = options.certificates && this.#secure(options.certificates);
  }

  /** All addresses of a host's name, on one port; resolves with it. Rejects with a message that names the address. */
  async listen(host: string, port: number): Promise<number> {
    const hosts =
      isIP(host) !== 0 ? [host] : (await lookup(host, { all: true })).map(({ address }) => address);
    let bound = port;
    let failure: unknown;
    for (const each of new Set(hosts)) {
      try {
        bound = await this.#listenOn(each, bound);
      } catch (error) {
        failure = error;
      }
    }
    if (this.#servers.length === 0) throw failure;
    return bound;
  }

  /** Takes no new connection, and looks at no call that begins. */
  close(): void {
    this.#options.arriving.close();
    for (const server of this.#servers) server.close();
  }

  #listenOn(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: keepaliveMs });
      server.on('connection', (socket) => this.#accept(socket));
      server.once('error', reject);
      server.listen(port, host, () => {
        server.off('error', reject);
        server.on('error', (error) => this.#options.failed(error));
        this.#servers.push(server);
        const bound = server.address();
        resolve(bound !== null && typeof bound === 'object' ? bound.port : port);
      });
    });
  }

  #accept(socket: Socket): void {
    const { connections, clock } = this.#options;
    closeOnceEnded(socket, clock);
    const refusal = connections.admit(socket);
    if (refusal !== undefined) {
      if (!connections.mayHear(socket)) {
        socket.destroy();
        return;
      }
      clock.setTimer(refusalMs, () => socket.destroy());
      if (this.#tls === undefined) {
        giveNumber(socket);
        this.#refusing.take(socket, refusal);
        return;
      }
      this.#refused.add(socket, refusal);
    }
    if (this.#tls === undefined) {
      giveNumber(socket);
      this.#serve(socket);
    } else this.#shakeHands(this.#tls, socket);
  }

  #shakeHands(server: TlsServer, socket: Socket): void {
    const { clock, handshakeMs } = this.#options;
    onFirstBytes(socket, {
      ...{ clock, withinMs: handshakeMs },
      take: (speaks) => {
        if (speaks === 'tls') server.emit('connection', socket);
        else if (speaks === 'http1') refuseCleartext(socket, clock);
        else {
          clock.setTimer(refusalMs, () => socket.destroy());
          giveNumber(socket);
          this.#refusing.take(socket, wantsTls());
        }
      },
    });
  }

  #serve(socket: Socket): void {
    this.#options.arriving.add(socket);
    this.#inject(socket);
  }

  /** It never listens: it shakes hands over the sockets that it is given. */
  #secure(certificates: CertificateSource): TlsServer {
    const server = createTlsServer({
      ...certificates.options,
      handshakeTimeout: this.#options.handshakeMs,
      ALPNProtocols: ['h2'],
    });
    server.on('secureConnection', (socket: TLSSocket) => {
      closeOnceEnded(socket, this.#options.clock);
      const refusal = this.#refused.of(socket);
      if (refusal === 'gone') {
        socket.destroy();
        return;
      }
      giveNumber(socket);
      if (refusal === undefined) {
        this.#options.peers?.add(socket);
        this.#serve(socket);
      } else this.#refusing.take(socket, refusal);
    });
    // Node ends what fails, and not what only takes too long.
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    certificates.follow((context) => server.setSecureContext(context));
    return server;
  }
}
