import { createSocket } from 'node:dgram';
import { openSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { RunContext } from '../../../../src/runtimes/wasm/guest-host/host/context.ts';
import { hostFor } from '../../../../src/runtimes/wasm/guest-host/host/imports.ts';
import { networkGuards } from '../../../../src/runtimes/wasm/hosts/host-code.ts';
import type { NetworkRules, ProgramFacts } from '../../../../src/runtimes/wasm/hosts/protocol.ts';

const program: ProgramFacts = {
  key: 1,
  imports: ['wasi:sockets/udp-create-socket'],
  command: '',
  functions: [],
  name: 'guest',
  args: [],
  environment: {},
  preopens: {},
  unsafePreopens: false,
  network: ['public'],
  warm: { min: 0, max: 1, idleTimeoutMs: 60_000, startAhead: false },
};

/** Where refusals are told. */
const nobody = { socket: { fd: openSync('/dev/null', 'w'), lock: new SharedArrayBuffer(4) }, ticket: 0 };

const context: RunContext = {
  input: new Uint8Array(),
  inputAt: 0,
  args: [],
  environment: [],
  write: () => undefined,
  exitCode: undefined,
};

const anyPort = { tag: 'ipv4', val: { port: 0, address: [127, 0, 0, 1] } };
const loopback = (port: number) => ({ tag: 'ipv4', val: { port, address: [127, 0, 0, 1] } });

/** What a guest calls, over a real socket of the shim's thread. */
async function guestSocket(rules: NetworkRules) {
  const factory = await hostFor(program, networkGuards());
  factory.connect(rules, nobody);
  const { imports } = factory.instance(context);
  const member = (name: string, key: string) => Reflect.get(imports[name] ?? {}, key);
  const network = member('wasi:sockets/instance-network', 'instanceNetwork')();
  const socket = member('wasi:sockets/udp-create-socket', 'createUdpSocket')('ipv4');
  socket.startBind(network, anyPort);
  socket.subscribe().block();
  socket.finishBind();
  return { socket, disconnect: () => factory.disconnect() };
}

/** A real receiver. */
async function receiver() {
  const socket = createSocket('udp4');
  const bound = Promise.withResolvers<void>();
  socket.bind(0, '127.0.0.1', bound.resolve);
  await bound.promise;
  const heard: string[] = [];
  socket.on('message', (message) => heard.push(message.toString()));
  return { port: socket.address().port, heard, close: () => socket.close() };
}

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}

const hello = new TextEncoder().encode('hello');

describe('a guest', () => {
  it('sends no datagram to loopback, neither with a peer nor with an address on each', async () => {
    const to = await receiver();
    const { socket, disconnect } = await guestSocket({ loopback: false, ownPorts: [] });
    expect(thrownBy(() => socket.stream(loopback(to.port)))).toBe('access-denied');
    const [, outgoing] = socket.stream(undefined);
    outgoing.checkSend();
    const datagram = { data: hello, remoteAddress: loopback(to.port) };
    expect(thrownBy(() => outgoing.send([datagram]))).toBe('access-denied');
    expect(disconnect()).toBe(true);
    to.close();
    expect(to.heard).toEqual([]);
  });

  it('sends datagrams to loopback where the operator lets it, and none to the ports of the node', async () => {
    const to = await receiver();
    const { socket, disconnect } = await guestSocket({ loopback: true, ownPorts: [1] });
    const [, outgoing] = socket.stream(undefined);
    outgoing.checkSend();
    expect(outgoing.send([{ data: hello, remoteAddress: loopback(to.port) }])).toBe(1n);
    await expect.poll(() => to.heard).toEqual(['hello']);
    expect(thrownBy(() => outgoing.send([{ data: hello, remoteAddress: loopback(1) }]))).toBe(
      'access-denied',
    );
    expect(disconnect()).toBe(true);
    to.close();
  });

  it('has its sockets closed with the execution, and may drop them after', async () => {
    const { socket, disconnect } = await guestSocket({ loopback: true, ownPorts: [] });
    const { port } = socket.localAddress().val;
    expect(disconnect()).toBe(true);
    const another = createSocket('udp4');
    const bound = Promise.withResolvers<void>();
    another.once('error', bound.reject);
    // The port is free only when the socket is closed.
    another.bind(port, '127.0.0.1', bound.resolve);
    await bound.promise;
    another.close();
    expect(thrownBy(() => socket[Symbol.dispose]())).toBeUndefined();
  });
});
