/** A typed gRPC client over the generated service descriptors: the public API, and nothing else of the server. */
import { isIP } from 'node:net';
import type { Writable } from 'node:stream';
import { checkServerIdentity as checkIdentity, type PeerCertificate } from 'node:tls';
import type { DescMethod, DescService, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type CallOptions, Client, credentials, Metadata } from '@grpc/grpc-js';

type UnaryCall<Method extends DescMethod> = (
  request: MessageInitShape<Method['input']>,
  options?: CallOptions & { readonly signal?: AbortSignal },
) => Promise<MessageShape<Method['output']>>;

type StreamCall<Method extends DescMethod> = (
  request: MessageInitShape<Method['input']>,
  options?: CallOptions & { readonly signal?: AbortSignal },
) => AsyncIterable<MessageShape<Method['output']>>;

type ClientStreamCall<Method extends DescMethod> = (
  requests: AsyncIterable<MessageInitShape<Method['input']>>,
  options?: CallOptions & { readonly signal?: AbortSignal },
) => Promise<MessageShape<Method['output']>>;

type CallOf<Method extends DescMethod> = Method['methodKind'] extends 'unary'
  ? UnaryCall<Method>
  : Method['methodKind'] extends 'client_streaming'
    ? ClientStreamCall<Method>
    : StreamCall<Method>;

/**
 * One function for each method: a promise for one response, an async iterable for a stream of them. Requests that
 * stream are an async iterable, too. Errors are grpc-js's ServiceError.
 */
export type ServiceClient<Service extends DescService> = {
  readonly [Name in keyof Service['method']]: CallOf<Service['method'][Name]>;
};

/** Responses may carry 3 MiB of output and a task's WIT. */
const mostResponseBytes = 64 * 1024 * 1024;

export interface Connection {
  service<Service extends DescService>(service: Service): ServiceClient<Service>;
  close(): void;
}

/** What TLS is made with; all are PEM. */
export interface ClientTls {
  /** Who may have signed the server's certificate; absent for those whom Node trusts. */
  readonly ca?: Buffer;
  /** The caller's own certificate and its key, both or none. */
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

export interface ConnectOptions {
  /** Goes with each call. */
  readonly token?: string;
  /** Goes with each call: the tenant that it is about. */
  readonly tenant?: string | undefined;
  /** Absent for a connection in the clear. */
  readonly tls?: ClientTls;
}

/** Connects to HOST:PORT or `unix:PATH`; the connection is made with the first call. */
export function connect(address: string, { token, tenant, tls }: ConnectOptions = {}): Connection {
  const metadata = new Metadata();
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
  if (tenant !== undefined) metadata.set('spear-tenant', tenant);
  const { channel, options } = tls === undefined ? inTheClear : secured(address, tls);
  const client = new Client(address, channel, {
    ...options,
    'grpc.max_receive_message_length': mostResponseBytes,
    'grpc.max_send_message_length': -1,
    'grpc.enable_channelz': 0,
    // It would take a proxy of the environment to loopback, too, and show it the token.
    'grpc.enable_http_proxy': 0,
    // A wait may be silent for hours: these notice a connection whose other end has vanished.
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 2000,
  });
  return {
    service<Service extends DescService>(service: Service) {
      const calls: Record<string, unknown> = {};
      for (const method of service.methods) {
        calls[method.localName] = callOf(client, method, metadata);
      }
      // The loop above gives each method of the service the kind of call that the mapped type names.
      return calls as ServiceClient<Service>;
    },
    close: () => client.close(),
  };
}

/** How an error begins whose certificate is for others; their names follow, and a semicolon. */
export const otherNames = 'the certificate is for';

const inTheClear = { channel: credentials.createInsecure(), options: {} };

function secured(address: string, tls: ClientTls) {
  const { ca = null, key = null, cert = null } = tls;
  const host = address.slice(0, address.lastIndexOf(':')).replace(/^\[|\]$/g, '');
  const checkServerIdentity = (_named: string, shown: PeerCertificate): Error | undefined => {
    if (checkIdentity(host, shown) === undefined) return undefined;
    // Node's own text names some of them, and differs by what was asked for.
    return new Error(`${otherNames} ${shown.subjectaltname ?? 'no name'};`);
  };
  return {
    channel: credentials.createSsl(ca, key, cert, { checkServerIdentity }),
    // grpc-js would name an address in the handshake, which RFC 6066, 3 forbids and Node refuses.
    options: isIP(host) === 0 ? {} : { 'grpc.ssl_target_name_override': 'address.invalid' },
  };
}

function path(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

function callOf(client: Client, method: DescMethod, metadata: Metadata) {
  switch (method.methodKind) {
    case 'unary':
      return unary(client, method, metadata);
    case 'client_streaming':
      return sending(client, method, metadata);
    default:
      return streaming(client, method, metadata);
  }
}

function serializer(method: DescMethod) {
  return (request: MessageInitShape<DescMethod['input']>): Buffer =>
    Buffer.from(toBinary(method.input, create(method.input, request)));
}

function unary(client: Client, method: DescMethod, metadata: Metadata): UnaryCall<DescMethod> {
  const serialize = serializer(method);
  const deserialize = (bytes: Buffer) => fromBinary(method.output, bytes);
  return (request, { signal, ...options } = {}) =>
    new Promise((resolve, reject) => {
      const call = client.makeUnaryRequest(
        path(method),
        serialize,
        deserialize,
        request,
        metadata,
        options,
        (error, response) => {
          signal?.removeEventListener('abort', cancel);
          if (error !== null) reject(error);
          else if (response === undefined) reject(new Error(`no response from ${method.name}`));
          else resolve(response);
        },
      );
      const cancel = (): void => call.cancel();
      signal?.addEventListener('abort', cancel, { once: true });
      if (signal?.aborted === true) cancel();
    });
}

function streaming(client: Client, method: DescMethod, metadata: Metadata): StreamCall<DescMethod> {
  const serialize = serializer(method);
  const deserialize = (bytes: Buffer) => fromBinary(method.output, bytes);
  return async function* (request, { signal, ...options } = {}) {
    const call = client.makeServerStreamRequest(
      path(method),
      serialize,
      deserialize,
      request,
      metadata,
      options,
    );
    const cancel = (): void => call.cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    if (signal?.aborted === true) cancel();
    try {
      yield* call as AsyncIterable<MessageShape<DescMethod['output']>>;
    } finally {
      signal?.removeEventListener('abort', cancel);
      call.cancel();
    }
  };
}

function sending(client: Client, method: DescMethod, metadata: Metadata): ClientStreamCall<DescMethod> {
  const serialize = serializer(method);
  const deserialize = (bytes: Buffer) => fromBinary(method.output, bytes);
  return (requests, { signal, ...options } = {}) =>
    new Promise((resolve, reject) => {
      const answered = new AbortController();
      const call = client.makeClientStreamRequest(
        path(method),
        serialize,
        deserialize,
        metadata,
        options,
        (error, response) => {
          // It may come, as a refusal, before all is sent.
          answered.abort();
          signal?.removeEventListener('abort', cancel);
          if (error !== null) reject(error);
          else if (response === undefined) reject(new Error(`no response from ${method.name}`));
          else resolve(response);
        },
      );
      const cancel = (): void => call.cancel();
      signal?.addEventListener('abort', cancel, { once: true });
      if (signal?.aborted === true) cancel();
      // What a write fails with is what the call is answered with.
      call.on('error', () => {});
      sendAll(call, requests, answered.signal).catch((error: unknown) => {
        reject(error);
        cancel();
      });
    });
}

async function sendAll(
  call: Writable,
  requests: AsyncIterable<unknown>,
  answered: AbortSignal,
): Promise<void> {
  for await (const request of requests) {
    if (answered.aborted) return;
    if (!call.write(request)) await drained(call, answered);
  }
  call.end();
}

/** Resolves when the stream takes more, or the call is answered and takes nothing any more. */
function drained(call: Writable, answered: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      call.off('drain', done);
      answered.removeEventListener('abort', done);
      resolve();
    };
    call.once('drain', done);
    answered.addEventListener('abort', done, { once: true });
    if (answered.aborted) done();
  });
}
