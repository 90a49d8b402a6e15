import dgram, { type Socket as UdpSocket } from 'node:dgram';
import dns from 'node:dns';
import http, { type ClientRequest, type RequestOptions } from 'node:http';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import net, { isIP, type LookupFunction, type NetConnectOpts } from 'node:net';
import { type NetworkGate, refused } from '../../../network/gate.ts';
import { literalOfName } from '../../../network/host-name.ts';
import { httpError } from './http-error.ts';

/** What the guards ask. */
export interface Gatekeeper {
  /** Of the guest that runs; undefined between guests, when nothing may be reached. */
  gate(): NetworkGate | undefined;
  /** It is open, or about to be. */
  opened(connection: net.Socket | net.Server | UdpSocket): void;
}

/**
 * Has every connection, datagram and look-up of this thread ask the gatekeeper: preview2-shim opens them here. A name
 * is looked up once, and what is checked is the address that is connected to.
 */
export function installGuards(keeper: Gatekeeper): void {
  guardTcp(keeper);
  guardUdp(keeper);
  guardHttp();
  const find = (name: string) => keeper.gate()?.find(name) ?? Promise.reject({ code: 'ECANCELLED' });
  Object.assign(dns.promises, { lookup: find });
  // The shim has imported these by name.
  syncBuiltinESMExports();
}

function guardTcp(keeper: Gatekeeper): void {
  const { connect } = net.Socket.prototype;
  net.Socket.prototype.connect = function (this: net.Socket, ...parameters: unknown[]) {
    // Node itself passes on what it has parsed already, as one list.
    const [first] = parameters;
    const list: unknown[] = Array.isArray(first) ? first : parameters;
    const options = list[0] as Partial<net.TcpNetConnectOpts & net.IpcNetConnectOpts>;
    const { host = '', port, path } = options;
    keeper.opened(this);
    if (path || (isIP(host) !== 0 && refuses(keeper, host, Number(port)))) {
      process.nextTick(() => this.destroy(refused()));
      return this;
    }
    list[0] = { ...options, lookup: guardedLookup(keeper, Number(port)) } satisfies Partial<NetConnectOpts>;
    return Reflect.apply(connect, this, parameters);
  } as typeof connect;

  const { listen } = net.Server.prototype;
  net.Server.prototype.listen = function (this: net.Server, ...parameters: unknown[]) {
    keeper.opened(this);
    this.prependListener('connection', (socket) => {
      keeper.opened(socket);
      if (keeper.gate()?.accepts(socket.remoteAddress ?? '') !== true) socket.destroy(refused());
    });
    return Reflect.apply(listen, this, parameters);
  } as typeof listen;
}

function guardedLookup(keeper: Gatekeeper, port: number): LookupFunction {
  return (name, { family, all }, callback) => {
    const wanted = family === 4 || family === 'IPv4' ? 4 : family === 6 || family === 'IPv6' ? 6 : 0;
    const finding = keeper.gate()?.open(name, port, wanted) ?? Promise.reject({ code: 'ECANCELLED' });
    finding.then(
      (open) => {
        const [first] = open;
        if (first === undefined) callback(lookupError('ENODATA', name), '');
        else if (all) callback(null, open as dns.LookupAddress[]);
        else callback(null, first.address, first.family);
      },
      (error) => callback(error.code === 'EACCES' ? refused() : lookupError(error.code, name), ''),
    );
  };
}

function refuses(keeper: Gatekeeper, address: string, port: number): boolean {
  return keeper.gate()?.refuses(address, port) ?? true;
}

function lookupError(code: string, name: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code} ${name}`), { code, syscall: 'lookup' });
}

function guardUdp(keeper: Gatekeeper): void {
  const { createSocket } = dgram;
  dgram.createSocket = ((options: dgram.SocketOptions) => {
    const socket = createSocket(options);
    keeper.opened(socket);
    let closed = false;
    socket.once('close', () => {
      closed = true;
    });
    const { close, connect, send } = socket;
    socket.close = (done) => {
      // The guest may drop one that was closed for it.
      if (closed) process.nextTick(() => done?.());
      else Reflect.apply(close, socket, [done]);
      return socket;
    };
    socket.connect = (port: number, address?: unknown) => {
      if (typeof address === 'string' && !refuses(keeper, address, port))
        Reflect.apply(connect, socket, [port, address]);
      else process.nextTick(() => socket.emit('error', refused()));
    };
    socket.send = (message: unknown, ...rest: unknown[]) => {
      const [port, address, done] = rest;
      const named = typeof port === 'number';
      if (!named || (typeof address === 'string' && !refuses(keeper, address, port))) {
        Reflect.apply(send, socket, [message, ...rest]);
      } else if (typeof done === 'function') process.nextTick(() => done(refused()));
    };
    return socket;
  }) as typeof createSocket;
}

/** Requests go over connections of their own, which end with them. */
function guardHttp(): void {
  for (const module of [http, https]) {
    const { request, Agent } = module;
    const agent = new Agent({ keepAlive: false });
    module.request = ((options: RequestOptions) => {
      const host = literalOfName(options.host ?? '');
      const made: ClientRequest = request({ ...options, host, agent });
      made.on('error', () => {});
      made.on('response', (response) => response.on('error', () => {}));
      const emit = made.emit.bind(made);
      // The shim hands on what has a tag, and knows few other errors.
      made.emit = ((event: string, ...values: unknown[]) =>
        event === 'error' ? emit('error', httpError(values[0])) : emit(event, ...values)) as typeof emit;
      return made;
    }) as typeof request;
  }
}
