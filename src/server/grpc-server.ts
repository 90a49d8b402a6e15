/** grpc-js underneath the services: calls become plain handlers' arguments, and what they throw a status. */
import type { EventEmitter } from 'node:events';
import type { Readable } from 'node:stream';
import type { DescMethod, DescService } from '@bufbuild/protobuf';
import {
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  logVerbosity,
  Server,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  setLogVerbosity,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { assertRole, type Principal } from '../domain/access.ts';
import type { RequestError } from '../domain/errors.ts';
import type { Scope } from '../domain/scope.ts';
import { type TraceContext, traceContext } from '../domain/trace.ts';
import { roleOf } from './access/method-roles.ts';
import { requestScope, tenantHeader } from './access/request-scope.ts';
import type { CallContext, ClientStreamHandler, StreamHandler, UnaryHandler } from './call.ts';
import {
  type CallOrigin,
  type ChainOptions,
  decoded,
  eachWithinBudget,
  toRequestError,
  withinBudget,
} from './chain.ts';
import { EndedCall } from './ended-call.ts';
import type { ArrivingCall, GrpcArrivals } from './grpc-arrivals.ts';
import { MessageOutput } from './message-output.ts';
import { methodPath, type Received, serviceDefinition } from './service-definition.ts';
import { statusOf } from './status.ts';
import type { PeerCertificates } from './tls/peer-certificates.ts';

/** The largest response: an event's 64 KiB, or 3 MiB of inline output, and their surroundings. */
const mostResponseBytes = 16 * 1024 * 1024;
/** grpc-js overflows on deadlines beyond this and takes them as passed. */
const longestDeadlineMs = 24 * 24 * 60 * 60 * 1000;

export interface GrpcServerOptions extends ChainOptions {
  readonly maxStreamsPerConnection: number;
  /** How long a connection without a call stays open, in milliseconds. */
  readonly idleConnectionMs: number;
}

/** When a silent peer is asked whether it is there, and how long it has to say so, in milliseconds. */
const keepaliveMs = 60_000;
const keepaliveAnswerMs = 20_000;

/** What each method takes is bounded as it arrives, see GrpcArrivals; the library's own bound has no details. */
export function createGrpcServer(options: GrpcServerOptions): Server {
  // Its own lines on stderr say what our errors say, and are not JSON.
  setLogVerbosity(logVerbosity.NONE);
  return new Server({
    'grpc.max_receive_message_length': mostReceived(options),
    'grpc.max_concurrent_streams': options.maxStreamsPerConnection,
    'grpc.max_connection_idle_ms': options.idleConnectionMs,
    'grpc.keepalive_time_ms': keepaliveMs,
    'grpc.keepalive_timeout_ms': keepaliveAnswerMs,
    'grpc.max_send_message_length': mostResponseBytes,
    'grpc.enable_channelz': 0,
  });
}

/** The largest message of any method. */
export function mostReceived({ maxRequestBytes, maxUploadBytes }: ChainOptions): number {
  return Math.max(maxRequestBytes, maxUploadBytes);
}

type Handlers = Readonly<Record<string, unknown>>;

export interface ServiceOptions extends ChainOptions {
  readonly arriving: Pick<GrpcArrivals, 'latest'>;
  /** What callers have shown in their handshakes; absent where there are none. */
  readonly peers?: Pick<PeerCertificates, 'of'>;
}

/** Adds a service whose handlers are named as the methods are in TypeScript. */
export function addService(
  server: Server,
  service: DescService,
  handlers: Handlers,
  options: ServiceOptions,
): void {
  const implementation: UntypedServiceImplementation = {};
  for (const method of service.methods) {
    const handler = handlers[method.localName];
    if (typeof handler !== 'function') throw new Error(`no handler for ${methodPath(method)}`);
    implementation[method.localName] = implement(method, handler, options);
  }
  server.addService(serviceDefinition(service, options.maxRequestValues), implementation);
}

/** `handler` is of the method's kind: its service says so where it is made. */
function implement(
  method: DescMethod,
  handler: unknown,
  options: ServiceOptions,
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
  options: ServiceOptions,
): handleUnaryCall<Received<unknown>, unknown> {
  const path = methodPath(method);
  const allowed = permission(method, options);
  const timed = options.access?.times(path) === true ? options.access : undefined;
  return (call, callback) => {
    const ended = new EndedCall();
    const end = (why: RequestError): void => callback(statusOf(why));
    asCaller({ call, allowed, options, ended, end }, ({ principal }, context) => {
      const answer = (): Promise<unknown> =>
        withinBudget({ bytes: call.request.bytes, method: method.name, principal }, options, () =>
          handler(decoded(call.request), context),
        );
      return timed === undefined
        ? answer()
        : timed.within({ path, principal, address: addressIn(call.getPeer()) }, answer);
    }).then(
      (response) => ended.ended || callback(null, response),
      (error: unknown) =>
        ended.ended || callback(statusOf(toRequestError(error, path, options, originOf(call)))),
    );
  };
}

function streaming(
  method: DescMethod,
  handler: StreamHandler<unknown, unknown>,
  options: ServiceOptions,
): handleServerStreamingCall<Received<unknown>, unknown> {
  const path = methodPath(method);
  const allowed = permission(method, options);
  return (call) => {
    // Without a listener an error on a connection that broke would end the process.
    call.on('error', () => {});
    const output = new MessageOutput(call);
    const ended = new EndedCall();
    const end = (why: RequestError): void => void call.emit('error', statusOf(why));
    const send = (message: unknown): Promise<void> | undefined =>
      ended.ended ? undefined : output.send(message);
    asCaller({ call, allowed, options, ended, end }, ({ principal }, context) =>
      watching(call, principal, options, () =>
        withinBudget({ bytes: call.request.bytes, method: method.name, principal }, options, () =>
          handler(decoded(call.request), context, send),
        ),
      ),
    ).then(
      () => ended.ended || call.end(),
      (error: unknown) =>
        ended.ended || call.emit('error', statusOf(toRequestError(error, path, options, originOf(call)))),
    );
  };
}

interface CallOfCaller {
  readonly call: AnyCall;
  readonly allowed: (call: AnyCall) => Caller | Promise<Caller>;
  readonly options: ChainOptions;
  readonly ended: EndedCall;
  /** Tells a caller that it may hear no more. */
  end(why: RequestError): void;
}

/** Runs `answer` once it is known who calls, and counts the call meanwhile. */
async function asCaller<Answer>(
  { call, allowed, options, ended, end }: CallOfCaller,
  answer: (caller: Caller, context: CallContext) => Promise<Answer>,
): Promise<Answer> {
  const found = allowed(call);
  // A wait for what is there would cost each call a turn.
  const caller = found instanceof Promise ? await found : found;
  const leave = options.calls.enter(caller.principal, addressIn(call.getPeer()), (why) => {
    if (ended.ended) return;
    ended.end();
    end(why);
  });
  try {
    return await answer(caller, contextOf(call, options, caller, ended));
  } catch (error) {
    options.access?.madeBy(error, caller.principal);
    throw error;
  } finally {
    leave();
  }
}

/** Runs `answer` while the caller counts as one that watches. Rejects with resource_exhausted for one too many. */
async function watching(
  call: ServerWritableStream<Received<unknown>, unknown>,
  { name }: Principal,
  { watchers }: ChainOptions,
  answer: () => Promise<void>,
): Promise<void> {
  const leave = watchers.enter(call.getPeer(), name);
  try {
    await answer();
  } finally {
    leave();
  }
}

function receiving(
  method: DescMethod,
  handler: ClientStreamHandler<unknown, unknown>,
  options: ServiceOptions,
): handleClientStreamingCall<Received<unknown>, unknown> {
  const path = methodPath(method);
  const allowed = permission(method, options);
  return (call, callback) => {
    call.on('error', () => {});
    const requests = eachWithinBudget(received(call, options.arriving.latest), method.name, options);
    const ended = new EndedCall();
    const end = (why: RequestError): void => callback(statusOf(why));
    asCaller({ call, allowed, options, ended, end }, (_caller, context) => handler(requests, context)).then(
      (response) => ended.ended || callback(null, response),
      (error: unknown) =>
        ended.ended || callback(statusOf(toRequestError(error, path, options, originOf(call)))),
    );
  };
}

/** The messages as they are asked for; grpc-js reads at most 16 ahead. A connection that breaks ends them. */
async function* received(
  call: ServerReadableStream<Received<unknown>, unknown>,
  arriving: ArrivingCall | undefined,
): AsyncGenerator<Received<unknown>> {
  const stream: Readable = call;
  const messages = stream.iterator({ destroyOnReturn: false });
  for (;;) {
    const next = await messages.next().catch(() => undefined);
    if (next === undefined || next.done === true) return;
    const message = next.value as Received<unknown>;
    arriving?.taken(message.bytes);
    yield message;
  }
}

type AnyCall =
  | ServerUnaryCall<Received<unknown>, unknown>
  | ServerWritableStream<Received<unknown>, unknown>
  | ServerReadableStream<Received<unknown>, unknown>;

interface Caller {
  readonly principal: Principal;
  readonly scope: Scope;
}

/**
 * Who calls, and what they may see. Throws unauthenticated or permission_denied, before anything of the request is
 * looked at; an Error, when the service is added, for a method without a role.
 */
function permission(
  method: DescMethod,
  { authenticator, peers, access }: ServiceOptions,
): (call: AnyCall) => Caller | Promise<Caller> {
  const role = roleOf(method);
  const holding = (principal: Principal, tenant: readonly (string | Buffer)[]): Caller => {
    try {
      assertRole(principal, role, method.name);
      return { principal, scope: requestScope(principal, tenant, role) };
    } catch (error) {
      access?.madeBy(error, principal);
      throw error;
    }
  };
  return (call) => {
    const [authorization] = call.metadata.get('authorization');
    const peer = call.getPeer();
    const shown = {
      ...{ authorization: authorization?.toString(), address: addressIn(peer) },
      certificate: peers?.of(peer),
    };
    const found = authenticator.authenticate(shown);
    const tenant = call.metadata.get(tenantHeader);
    return found instanceof Promise
      ? found.then((principal) => holding(principal, tenant))
      : holding(found, tenant);
  };
}

function originOf(call: AnyCall): CallOrigin {
  return { address: addressIn(call.getPeer()) };
}

/** ADDRESS:PORT without the port. */
function addressIn(peer: string): string {
  return peer.slice(0, Math.max(0, peer.lastIndexOf(':')));
}

function contextOf(
  call: AnyCall,
  options: ChainOptions,
  { principal, scope }: Caller,
  ended: EndedCall,
): CallContext {
  const deadline = call.getDeadline();
  const instant = typeof deadline === 'number' ? deadline : deadline.getTime();
  const remainingMs = (): number | undefined => {
    const left = instant - options.clock.now();
    return left > longestDeadlineMs ? undefined : left;
  };
  return {
    principal,
    scope,
    get trace() {
      return traceOf(call);
    },
    deadlineMs: remainingMs(),
    remainingMs,
    get gone() {
      return call.cancelled || ended.ended;
    },
    onGone(listener) {
      if (call.cancelled) return listener('gone');
      (call as EventEmitter).once('cancelled', () => listener('gone'));
      ended.onEnd(listener);
    },
  };
}

/** One that is said twice is as good as none. */
function traceOf({ metadata }: AnyCall): TraceContext | undefined {
  const [parent, second] = metadata.get('traceparent');
  if (parent === undefined || second !== undefined) return undefined;
  return traceContext(parent.toString(), metadata.get('tracestate').join(','));
}

/** Stops taking calls and waits for those under way until `until` is over; then ends them. */
export async function shutDown(server: Server, until: Promise<void>): Promise<void> {
  const closed = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  await Promise.race([closed, until]);
  server.forceShutdown();
}
