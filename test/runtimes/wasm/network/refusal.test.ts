import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRefused } from '../../../../src/runtimes/wasm/guest-host/network/rules.ts';
import type { NetworkRules } from '../../../../src/runtimes/wasm/hosts/protocol.ts';
import { describeWhere } from '../../../support/needs.ts';
import { run } from '../../attempt.ts';
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

async function get(runtime: WasmRuntime, host: string): Promise<unknown> {
  const task = await bench.example('misbehaving/fetch', { allowNetwork: true });
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
    'a guest reaches other servers, and not the node: %s',
    async (host) => {
      rules = { loopback: false, ownPorts: [] };
      expect(await get(open, host)).toBe('"hello"');
      rules = { loopback: false, ownPorts: [everywhere.port] };
      expect(await get(open, host)).toBe(denied);
    },
  );
});

describe('the rules', () => {
  const closed: NetworkRules = { loopback: false, ownPorts: [8080] };

  it.each([
    '127.0.0.1',
    '127.255.255.255',
    '0.0.0.0',
    '::',
    '::1',
    '::1%lo',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
  ])('take %s for loopback', (address) => {
    expect(isRefused(closed, address, 1)).toBe(true);
    expect(isRefused({ ...closed, loopback: true }, address, 1)).toBe(false);
    expect(isRefused({ ...closed, loopback: true }, address, 8080)).toBe(true);
  });

  it.each(['128.0.0.1', '8.8.8.8', '2001:db8::1', '64:ff9b::808:808', '::ffff:8.8.8.8'])(
    'let guests reach %s, also on a port that is the node’s elsewhere',
    (address) => {
      expect(isRefused(closed, address, 1)).toBe(false);
      expect(isRefused(closed, address, 8080)).toBe(false);
    },
  );
});
