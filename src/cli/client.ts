/** A typed gRPC client over the generated service descriptors: the public API, and nothing else of the server. */
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

/** One function for each method: a promise for unary ones, an async iterable for streams. Errors are grpc-js's ServiceError. */
export type ServiceClient<Service extends DescService> = {
  readonly [Name in keyof Service['method']]: Service['method'][Name]['methodKind'] extends 'unary'
    ? UnaryCall<Service['method'][Name]>
    : StreamCall<Service['method'][Name]>;
};

/** Responses may carry 3 MiB of output and a task's WIT. */
const mostResponseBytes = 64 * 1024 * 1024;

export interface Connection {
  service<Service extends DescService>(service: Service): ServiceClient<Service>;
  close(): void;
}

/** Connects to HOST:PORT without TLS; the connection is made with the first call. */
export function connect(address: string): Connection {
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': mostResponseBytes,
    'grpc.max_send_message_length': -1,
    'grpc.enable_channelz': 0,
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
        calls[method.localName] =
          method.methodKind === 'unary' ? unary(client, method) : streaming(client, method);
      }
      // The loop above gives each method of the service the kind of call that the mapped type names.
      return calls as ServiceClient<Service>;
    },
    close: () => client.close(),
  };
}

function path(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

function serializer(method: DescMethod) {
  return (request: MessageInitShape<DescMethod['input']>): Buffer =>
    Buffer.from(toBinary(method.input, create(method.input, request)));
}

function unary(client: Client, method: DescMethod): UnaryCall<DescMethod> {
  const serialize = serializer(method);
  const deserialize = (bytes: Buffer) => fromBinary(method.output, bytes);
  return (request, { signal, ...options } = {}) =>
    new Promise((resolve, reject) => {
      const call = client.makeUnaryRequest(
        path(method),
        serialize,
        deserialize,
        request,
        new Metadata(),
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

function streaming(client: Client, method: DescMethod): StreamCall<DescMethod> {
  const serialize = serializer(method);
  const deserialize = (bytes: Buffer) => fromBinary(method.output, bytes);
  return async function* (request, { signal, ...options } = {}) {
    const call = client.makeServerStreamRequest(
      path(method),
      serialize,
      deserialize,
      request,
      new Metadata(),
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
