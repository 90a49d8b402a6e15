import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NetworkRules } from '../../../../src/runtimes/wasm/hosts/protocol.ts';
import { describeWhere } from '../../../support/needs.ts';
import { attemptOf, Collected, run } from '../../attempt.ts';
import { WasmBench, type WasmRuntime } from '../fixture.ts';
import { keepAliveServer, machineAddress, type Served } from './servers.ts';

const bench = new WasmBench();
let everywhere: Served;
let strict: WasmRuntime;
let open: WasmRuntime;
let rules: NetworkRules;
beforeAll(async () => {
  everywhere = await keepAliveServer('::');
  rules = { loopback: false, ownPorts: [] };
  strict = await bench.runtime(1, 1);
  open = await bench.runtime(1, 1, { networkRules: () => rules });
});
afterAll(async () => {
  await bench.close();
  await everywhere.close();
});

async function get(runtime: WasmRuntime, host: string, network?: readonly string[]): Promise<unknown> {
  const list = network === undefined ? {} : { network };
  const task = await bench.example('misbehaving/fetch', { allowNetwork: true, ...list });
  const parameters = { authority: `${host}:${everywhere.port}`, path: '/' };
  const { outcome } = await run(runtime, task, { functionName: 'get', parameters });
  return 'output' in outcome ? outcome.output : outcome;
}

const denied = '"HTTP-request-denied"';

/** Ways to write loopback, as a host of HTTP. */
const loopbackHosts = [
  '127.0.0.1',
  '127.8.9.10',
  'localhost',
  'LOCALHOST',
  'a.localhost',
  '2130706433',
  '0x7f000001',
  '0177.0.0.1',
  '127.1',
  '0.0.0.0',
  '0',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::ffff:0.0.0.0]',
];

describe('a guest with a network', () => {
  it.each(loopbackHosts)('does not reach loopback as %s', async (host) => {
    const before = everywhere.accepted();
    expect(await get(strict, host)).toBe(denied);
    expect(everywhere.accepted()).toBe(before);
  });

  it('does not reach loopback by a socket, and is told as WASI says', async () => {
    const task = await bench.example('misbehaving/net', { allowNetwork: true });
    const parameters = { port: everywhere.port };
    const { outcome } = await run(strict, task, { functionName: 'connect', parameters });
    expect(outcome).toMatchObject({ code: 'FUNCTION_ERROR', output: '"finish-connect: access-denied"' });
  });

  it.each(['127.0.0.1', '[::1]', 'localhost'])(
    'reaches loopback as %s where the operator lets it, and never the ports of the node',
    async (host) => {
      rules = { loopback: true, ownPorts: [] };
      expect(await get(open, host)).toBe('"hello"');
      rules = { loopback: true, ownPorts: [everywhere.port] };
      expect(await get(open, host)).toBe(denied);
    },
  );
});

const noInterface = machineAddress === undefined ? 'this machine has no address but loopback' : '';
describeWhere([noInterface], 'at an address of the machine that is not loopback', () => {
  it.each([machineAddress ?? '', `[::ffff:${machineAddress}]`])(
    'a guest reaches other servers where its list has it, and never the node: %s',
    async (host) => {
      rules = { loopback: false, ownPorts: [] };
      const list = [`${machineAddress}/32`];
      expect(await get(open, host, list)).toBe('"hello"');
      rules = { loopback: false, ownPorts: [everywhere.port] };
      expect(await get(open, host, list)).toBe(denied);
    },
  );
});

describe('a guest with a network list', () => {
  beforeAll(() => {
    rules = { loopback: false, ownPorts: [] };
  });

  it.each([
    ['127.0.0.1', ['127.0.0.0/8']],
    ['127.1', ['127.0.0.1']],
    ['[::ffff:127.0.0.1]', ['127.0.0.0/8']],
    ['localhost', ['127.0.0.1']],
    ['[::1]', ['::1']],
  ])('reaches loopback as %s where it has %s', async (host, list) => {
    expect(await get(open, host, list)).toBe('"hello"');
  });

  it.each([
    ['127.0.0.1', ['public']],
    ['127.0.0.1', ['10.0.0.0/8', '127.0.0.2']],
    ['localhost', ['localhost', 'public']],
    ['127.0.0.1', ['127.0.0.0/8:1']],
    ['169.254.169.254', ['public', '169.254.0.0/16']],
    ['unlisted.example', ['127.0.0.0/8']],
  ])('does not reach %s where it has %s', async (host, list) => {
    const before = everywhere.accepted();
    expect(await get(open, host, list)).toBe(denied);
    expect(everywhere.accepted()).toBe(before);
  });

  it('is not let out by the list of another task', async () => {
    expect(await get(open, '127.0.0.1', ['127.0.0.0/8'])).toBe('"hello"');
    expect(await get(open, '127.0.0.1', ['public'])).toBe(denied);
  });

  it('has each refusal told with host, port and rule', async () => {
    const { port } = everywhere;
    const task = await bench.example('misbehaving/fetch', { allowNetwork: true, network: ['localhost'] });
    const told = async (host: string): Promise<unknown> => {
      const io = new Collected();
      const invocation = { functionName: 'get', parameters: { authority: `${host}:${port}`, path: '/' } };
      await open.run(attemptOf(task, invocation), io, new AbortController().signal);
      return io.refusals;
    };
    expect(await told('2130706433')).toEqual([
      { host: '127.0.0.1', port, address: '', rule: 'loopback', more: 0 },
    ]);
    expect(await told('localhost')).toMatchObject([{ host: 'localhost', port, rule: 'loopback', more: 0 }]);
    expect(await told('else.example')).toEqual([
      { host: 'else.example', port, address: '', rule: 'unlisted', more: 0 },
    ]);
    rules = { loopback: true, ownPorts: [port] };
    expect(await told('127.0.0.1')).toMatchObject([{ host: '127.0.0.1', port, rule: 'node' }]);
  });
});
