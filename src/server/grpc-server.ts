/** grpc-js underneath the services: calls become plain handlers' arguments, and what they throw a status. */
import type { EventEmitter } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import type { DescMethod, DescService } from '@bufbuild/protobuf';
import {
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  logVerbosity,
  Server,
  ServerCredentials,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  setLogVerbosity,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { CallContext, ClientStreamHandler, StreamHandler, UnaryHandler } from './call.ts';
import { type ChainOptions, decoded, eachWithinBudget, toRequestError, withinBudget } from './chain.ts';
import { methodPath, type Received, serviceDefinition } from './service-definition.ts';
import { statusOf } from './status.ts';

/** The largest response: an event's 64 KiB, or 3 MiB of inline output, and their surroundings. */
const mostResponseBytes = 16 * 1024 * 1024;
/** grpc-js overflows on deadlines beyond this and takes them as passed. */
const longestDeadlineMs = 24 * 24 * 60 * 60 * 1000;

/** Up to twice the limit is read, so that the chain can refuse it with details; grpc-js refuses beyond without. */
export function createGrpcServer(options: ChainOptions): Server {
  // Its own lines on stderr say what our errors say, and are not JSON.
  setLogVerbosity(logVerbosity.NONE);
  return new Server({
    'grpc.max_receive_message_length': 2 * options.maxRequestBytes,
    'grpc.max_send_message_length': mostResponseBytes,
    'grpc.enable_channelz': 0,
  });
}

/** Binds `HOST:PORT`; resolves with the port. Rejects with a message that names the address. */
export function bind(server: Server, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(port);
      else reject(new Error(`cannot listen on ${address}: ${causeOf(error)}`));
    });
  });
}

/** grpc-js puts the system's words in brackets behind its own. */
function causeOf(error: Error): string {
  return /errors: \[(.+)\]/.exec(error.message)?.[1] ?? error.message;
}

type Handlers = Readonly<Record<string, unknown>>;

/** Adds a service whose handlers are named as the methods are in TypeScript. */
export function addService(
  server: Server,
  service: DescService,
  handlers: Handlers,
  options: ChainOptions,
): void {
  const implementation: UntypedServiceImplementation = {};
  for (const method of service.methods) {
    const handler = handlers[method.localName];
    if (typeof handler !== 'function') throw new Error(`no handler for ${methodPath(method)}`);
    implementation[method.localName] = implement(method, handler, options);
  }
  server.addService(serviceDefinition(service), implementation);
}

/** `handler` is of the method's kind: its service says so where it is made. */
function implement(
  method: DescMethod,
  handler: unknown,
  options: ChainOptions,
): UntypedServiceImplementation[string] {
  switch (method.methodKind) {
    case 'unary':
      return unary(method, handler as UnaryHandler<unknown, unknown>, options);
    case 'server_streaming':
      return streaming(method, handler as StreamHandler<unknown, unknown>, options);
    case 'client_streaming':
      return receiving(method, handler as ClientStreamHandler<unknown, unknown>, options);
    case 'bidi_streaming':
      throw new Error(`${methodPath(method)} streams both ways, which no service of ours does`);
  }
}

function unary(
  method: DescMethod,
  handler: UnaryHandler<unknown, unknown>,
  options: ChainOptions,
): handleUnaryCall<Received<unknown>, unknown> {
  const path = methodPath(method);
  return (call, callback) => {
    withinBudget(call.request.bytes, options, async () =>
      handler(decoded(call.request), contextOf(call, options)),
    ).then(
      (response) => callback(null, response),
      (error: unknown) => callback(statusOf(toRequestError(error, path, options))),
    );
  };
}

function streaming(
  method: DescMethod,
  handler: StreamHandler<unknown, unknown>,
  options: ChainOptions,
): handleServerStreamingCall<Received<unknown>, unknown> {
  const path = methodPath(method);
  return (call) => {
    // Without a listener an error on a connection that broke would end the process.
    call.on('error', () => {});
    withinBudget(call.request.bytes, options, async () =>
      handler(decoded(call.request), contextOf(call, options), (message) =>
        call.write(message) ? undefined : writable(call),
      ),
    ).then(
      () => call.end(),
      (error: unknown) => call.emit('error', statusOf(toRequestError(error, path, options))),
    );
  };
}

function receiving(
  method: DescMethod,
  handler: ClientStreamHandler<unknown, unknown>,
  options: ChainOptions,
): handleClientStreamingCall<Received<unknown>, unknown> {
  const path = methodPath(method);
  return (call, callback) => {
    call.on('error', () => {});
    const requests = eachWithinBudget(received(call), options);
    handler(requests, contextOf(call, options)).then(
      (response) => callback(null, response),
      (error: unknown) => callback(statusOf(toRequestError(error, path, options))),
    );
  };
}

/** The messages as they are asked for; grpc-js reads at most 16 ahead. A connection that breaks ends them. */
async function* received(
  call: ServerReadableStream<Received<unknown>, unknown>,
): AsyncGenerator<Received<unknown>> {
  const stream: Readable = call;
  const messages = stream.iterator({ destroyOnReturn: false });
  for (;;) {
    const next = await messages.next().catch(() => undefined);
    if (next === undefined || next.done === true) return;
    yield next.value as Received<unknown>;
  }
}

/** Resolves when the stream takes more, or never will: after a cancel grpc-js emits no `drain`. */
function writable(call: ServerWritableStream<unknown, unknown>): Promise<void> {
  return new Promise((resolve) => {
    const stream: Writable = call;
    const events = ['drain', 'cancelled', 'close', 'error'];
    const done = (): void => {
      for (const event of events) stream.off(event, done);
      resolve();
    };
    if (call.cancelled || call.destroyed) resolve();
    else for (const event of events) stream.on(event, done);
  });
}

type AnyCall =
  | ServerUnaryCall<Received<unknown>, unknown>
  | ServerWritableStream<Received<unknown>, unknown>
  | ServerReadableStream<Received<unknown>, unknown>;

function contextOf(call: AnyCall, options: ChainOptions): CallContext {
  const deadline = call.getDeadline();
  const instant = typeof deadline === 'number' ? deadline : deadline.getTime();
  const remainingMs = (): number | undefined => {
    const left = instant - options.clock.now();
    return left > longestDeadlineMs ? undefined : left;
  };
  return {
    deadlineMs: remainingMs(),
    remainingMs,
    get gone() {
      return call.cancelled;
    },
    onGone(listener) {
      if (call.cancelled) listener();
      else (call as EventEmitter).once('cancelled', listener);
    },
  };
}

/** Stops taking calls and waits for those under way until `until` is over; then ends them. */
export async function shutDown(server: Server, until: Promise<void>): Promise<void> {
  const closed = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  await Promise.race([closed, until]);
  server.forceShutdown();
}
