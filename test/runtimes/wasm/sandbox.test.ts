import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Runtime } from '../../../src/runtimes/runtime.ts';
import type { RunContext } from '../../../src/runtimes/wasm/guest-host/host/context.ts';
import { importsFor } from '../../../src/runtimes/wasm/guest-host/host/imports.ts';
import type { ProgramFacts } from '../../../src/runtimes/wasm/protocol.ts';
import { run } from '../attempt.ts';
import { WasmBench } from './fixture.ts';

const bench = new WasmBench();
let runtime: Runtime;
beforeAll(async () => {
  runtime = await bench.runtime();
});
afterAll(() => bench.close());

/** Lines of `examples/misbehaving/env` about the files that it tries to read. */
async function opened(preopens: Readonly<Record<string, string>>): Promise<string[]> {
  const { stdout } = await run(runtime, await bench.example('misbehaving/env', { preopens }));
  return stdout
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('open '));
}

describe('files', () => {
  it('are out of reach without preopens', async () => {
    expect(await opened({})).toEqual([
      expect.stringMatching(/^open \/etc\/passwd: errno \d+/),
      expect.stringMatching(/^open \/data\/hello.txt: errno \d+/),
    ]);
  });

  it('of a preopened folder can be read, and no others', async () => {
    const folder = join(await bench.folder, 'files');
    await mkdir(folder);
    await writeFile(join(folder, 'hello.txt'), 'from the host');
    expect(await opened({ '/data': folder })).toEqual([
      expect.stringMatching(/^open \/etc\/passwd: errno \d+/),
      'open /data/hello.txt: ok from the host',
    ]);
  });
});

const context: RunContext = {
  input: new Uint8Array(),
  inputAt: 0,
  args: [],
  environment: [],
  write: () => undefined,
  exitCode: undefined,
};

/** A function of an interface that a program with or without a network is given. */
async function hostFunction(allowNetwork: boolean, name: string, member: string) {
  const program: ProgramFacts = {
    key: 1,
    imports: [name],
    command: '',
    functions: [],
    name: 'guest',
    args: [],
    environment: {},
    preopens: {},
    allowNetwork,
    warm: { min: 0, max: 1, idleTimeoutMs: 60_000, startAhead: false },
  };
  const imports = (await importsFor(program))(context);
  const found = Reflect.get(imports[name] ?? {}, member);
  if (typeof found !== 'function') throw new Error(`${name} has no ${member}`);
  return found as (...parameters: unknown[]) => unknown;
}

describe('the network', () => {
  it.each([
    ['wasi:sockets/tcp-create-socket', 'createTcpSocket', 'access-denied'],
    ['wasi:sockets/udp-create-socket', 'createUdpSocket', 'access-denied'],
    ['wasi:sockets/ip-name-lookup', 'resolveAddresses', 'access-denied'],
    ['wasi:http/outgoing-handler', 'handle', { tag: 'HTTP-request-denied' }],
  ])('is denied at %s without allowNetwork', async (name, member, reason) => {
    const denied = await hostFunction(false, name, member);
    let thrown: unknown;
    try {
      denied('ipv4');
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toEqual(reason);
  });

  it('is there with it', async () => {
    const create = await hostFunction(true, 'wasi:sockets/tcp-create-socket', 'createTcpSocket');
    expect(create('ipv4')).toHaveProperty('startConnect');
  });
});
