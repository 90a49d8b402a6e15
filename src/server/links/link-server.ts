/** Serves the other nodes of a cluster; whoever gets here has shown the certificate of its secret. */
import { createServer, type Socket, type Server as SocketServer } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import { create, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf';
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from '@grpc/grpc-js';
import type { OrderedNode } from '../../domain/cluster.ts';
import { RequestError } from '../../domain/errors.ts';
import { isTerminal } from '../../domain/execution.ts';
import { type LinkAction, type LinkedExecutions, notHere } from '../../domain/links.ts';
import type { LogCursor } from '../../domain/log.ts';
import type { Scope } from '../../domain/scope.ts';
import { followLog } from '../../observers/stream.ts';
import {
  type DeliverRequest,
  DeliverResponseSchema,
  type ExplainRequest,
  ExplainResponseSchema,
  type FollowRequest,
  FollowResponseSchema,
  NodeLink,
  type OrderRequest,
  OrderResponseSchema,
  PingResponseSchema,
  type QueueRequest,
  QueueResponseSchema,
} from '../gen/spearlet/link/node_link_pb.js';
import { MessageOutput } from '../message-output.ts';
import { type Received, serviceDefinition } from '../service-definition.ts';
import { statusOf } from '../status.ts';
import { mostLinkBytes } from './link-client.ts';
import { eventToLink, orderFromLink } from './link-form.ts';
import type { LinkIdentity } from './link-identity.ts';

export interface LinkServerOptions {
  readonly identity: LinkIdentity;
  /** Hears of a connection that was not let in, or could not be accepted. */
  failed(error: Error): void;
  /** Hears errors that are bugs of ours. */
  bug(error: unknown, method: string): RequestError;
}

/** Connections of all other nodes; each has one, and one that it makes anew. */
const mostConnections = 256;
/** Streams of one connection: what the callers of another node follow here. */
const mostStreams = 100_000;
const handshakeMs = 5000;
const keepaliveMs = 10_000;

export class LinkServer {
  readonly #options: LinkServerOptions;
  readonly #grpc: Server;
  readonly #tls: TlsServer;
  readonly #sockets = new Set<Socket>();
  #listener: SocketServer | undefined;
  #executions: LinkedExecutions | undefined;
  #node: OrderedNode | undefined;

  constructor(options: LinkServerOptions) {
    this.#options = options;
    this.#grpc = new Server({
      'grpc.max_receive_message_length': mostLinkBytes,
      'grpc.max_send_message_length': mostLinkBytes,
      'grpc.max_concurrent_streams': mostStreams,
      'grpc.keepalive_time_ms': keepaliveMs,
      'grpc.keepalive_timeout_ms': keepaliveMs,
      'grpc.enable_channelz': 0,
    });
    this.#grpc.addService(serviceDefinition(NodeLink), {
      follow: (call: Followed) => this.#follow(call),
      deliver: this.#unary(NodeLink.method.deliver.name, (request: DeliverRequest) => this.#deliver(request)),
      order: this.#unary(NodeLink.method.order.name, (request: OrderRequest) => this.#order(request)),
      ping: this.#unary(NodeLink.method.ping.name, async () => create(PingResponseSchema, {})),
      queue: this.#unary(NodeLink.method.queue.name, (request: QueueRequest) => this.#queue(request)),
      explain: this.#unary(NodeLink.method.explain.name, (request: ExplainRequest) => this.#explain(request)),
    });
    const injector = this.#grpc.createConnectionInjector(ServerCredentials.createInsecure());
    this.#tls = this.#secure((socket) => injector.injectConnection(socket));
  }

  /** Resolves with the port. Nothing is answered before `serve`. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const listener = createServer({ noDelay: true, keepAlive: true });
      listener.maxConnections = mostConnections;
      listener.on('connection', (socket) => {
        this.#sockets.add(socket);
        socket.on('error', () => {});
        socket.once('close', () => this.#sockets.delete(socket));
        this.#tls.emit('connection', socket);
      });
      listener.once('error', reject);
      listener.listen(port, host, () => {
        listener.off('error', reject);
        listener.on('error', (error) => this.#options.failed(error));
        this.#listener = listener;
        const bound = listener.address();
        resolve(bound !== null && typeof bound === 'object' ? bound.port : port);
      });
    });
  }

  /** From now on calls are answered. */
  serve(executions: LinkedExecutions, node: OrderedNode): void {
    this.#executions = executions;
    this.#node = node;
  }

  /** Hangs up on everyone. */
  close(): void {
    this.#listener?.close();
    this.#grpc.forceShutdown();
    for (const socket of this.#sockets) socket.destroy();
  }

  #secure(take: (socket: Socket) => void): TlsServer {
    const { cert, key, raw } = this.#options.identity;
    const server = createTlsServer({
      ...{ cert, key, ca: cert, requestCert: true, rejectUnauthorized: true },
      ...{ minVersion: 'TLSv1.3', handshakeTimeout: handshakeMs, ALPNProtocols: ['h2'] },
    });
    server.on('secureConnection', (socket: TLSSocket) => {
      socket.on('error', () => {});
      if (socket.authorized && raw.equals(socket.getPeerCertificate().raw)) take(socket);
      else socket.destroy();
    });
    server.on('tlsClientError', (error, socket) => {
      this.#options.failed(error);
      socket.destroy();
    });
    return server;
  }

  get #served(): LinkedExecutions {
    if (this.#executions === undefined) throw starting();
    return this.#executions;
  }

  #follow(call: Followed): void {
    call.on('error', () => {});
    this.#sendLog(call).then(
      () => call.end(),
      (error: unknown) => call.emit('error', this.#statusOf(error, NodeLink.method.follow.name)),
    );
  }

  async #sendLog(call: Followed): Promise<void> {
    const { executionId, fromSequence, observes } = decoded(call.request);
    const cursor = await this.#served.attach(executionId, observes);
    // A link that breaks is a node that went away, and no caller: nothing is cancelled with it.
    call.once('cancelled', () => cursor.close('done'));
    if (call.cancelled) cursor.close('done');
    const output = new MessageOutput(call);
    const send = (message: MessageInitShape<typeof FollowResponseSchema>): Promise<void> | undefined =>
      call.cancelled ? undefined : output.send(create(FollowResponseSchema, message));
    try {
      await send({ record: JSON.stringify(cursor.record) });
      if (fromSequence === 0n) await this.#sendEnd(cursor, send);
      else {
        for await (const events of followLog(cursor, Number(fromSequence))) {
          const isPlain = events.every(({ kind }) => kind === 'chunk');
          await send({
            events: events.map(eventToLink),
            record: isPlain ? '' : JSON.stringify(cursor.record),
          });
        }
      }
    } finally {
      cursor.close('done');
    }
  }

  async #sendEnd(
    cursor: LogCursor,
    send: (message: { readonly record: string }) => Promise<void> | undefined,
  ): Promise<void> {
    await cursor.beyond(Number.POSITIVE_INFINITY);
    const { record } = cursor;
    if (cursor.closed) return;
    if (!isTerminal(record.status)) throw leaving();
    await send({ record: JSON.stringify(record) });
  }

  async #deliver(request: DeliverRequest): Promise<MessageInitShape<typeof DeliverResponseSchema>> {
    const { executionId, by, action } = request;
    const wanted: LinkAction | undefined =
      action.case === undefined
        ? undefined
        : action.case === 'cancel'
          ? { kind: 'cancel', reason: action.value.reason }
          : { kind: action.case };
    if (wanted === undefined) throw unknown();
    const answer = await this.#served.deliver(executionId, wanted, by === '' ? undefined : by);
    return create(DeliverResponseSchema, { changed: answer.changed, record: JSON.stringify(answer.record) });
  }

  async #order({ order, by, heir }: OrderRequest): Promise<MessageShape<typeof OrderResponseSchema>> {
    const wanted = orderFromLink(order);
    if (wanted === undefined) throw unknown();
    if (this.#node === undefined) throw starting();
    return create(OrderResponseSchema, { changed: await this.#node.obey(wanted, by, Number(heir)) });
  }

  async #explain({
    executionId,
    scope,
  }: ExplainRequest): Promise<MessageShape<typeof ExplainResponseSchema>> {
    const explanation = await this.#served.explain(executionId, JSON.parse(scope) as Scope);
    return create(ExplainResponseSchema, { explanation: JSON.stringify(explanation) });
  }

  async #queue({ scope, maxLines }: QueueRequest): Promise<MessageShape<typeof QueueResponseSchema>> {
    const queue = this.#served.queue(JSON.parse(scope) as Scope, maxLines);
    return create(QueueResponseSchema, { queue: JSON.stringify(queue) });
  }

  #unary<Request, Response>(method: string, handler: (request: Request) => Promise<Response>) {
    return (call: ServerUnaryCall<Received<Request>, Response>, callback: sendUnaryData<Response>): void => {
      const answer = async (): Promise<Response> => handler(decoded(call.request));
      answer().then(
        (response) => callback(null, response),
        (error: unknown) => callback(this.#statusOf(error, method)),
      );
    };
  }

  #statusOf(error: unknown, method: string) {
    return statusOf(error instanceof RequestError ? error : this.#options.bug(error, method));
  }
}

type Followed = ServerWritableStream<Received<FollowRequest>, unknown>;

function decoded<Message>({ message, malformed }: Received<Message>): Message {
  if (message !== undefined) return message;
  throw new RequestError('invalid_argument', `cannot be decoded: ${malformed}`, { reason: 'INVALID_FIELD' });
}

function starting(): RequestError {
  return new RequestError('unavailable', 'the node is starting', { reason: notHere });
}

/** A newer node has words that this one does not know. */
function unknown(): RequestError {
  return new RequestError('unimplemented', 'the other node asks for what this one does not know', {
    reason: 'INTERNAL',
  });
}

/** For the other node, which looks then who has the execution. */
function leaving(): RequestError {
  return new RequestError('failed_precondition', 'this node does not have the execution any more', {
    reason: notHere,
  });
}
