import { execFile } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Runtime } from '../../../src/runtimes/runtime.ts';
import type { Guest } from '../../../src/runtimes/wasm/guest-host/guest.ts';
import type { RunContext } from '../../../src/runtimes/wasm/guest-host/host/context.ts';
import { hostFor } from '../../../src/runtimes/wasm/guest-host/host/imports.ts';
import { type LiveGuest, LiveGuests } from '../../../src/runtimes/wasm/guest-host/live-guests.ts';
import { networkGuards } from '../../../src/runtimes/wasm/hosts/host-code.ts';
import type { ProgramFacts } from '../../../src/runtimes/wasm/hosts/protocol.ts';
import { attemptOf, Collected, firstOutput, run } from '../attempt.ts';
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

function programOf(rest: Partial<ProgramFacts>): ProgramFacts {
  return {
    key: 1,
    imports: [],
    command: '',
    functions: [],
    name: 'guest',
    args: [],
    environment: {},
    preopens: {},
    unsafePreopens: false,
    network: [],
    warm: { min: 0, max: 1, idleTimeoutMs: 60_000, startAhead: false },
    ...rest,
  };
}

/** A function of an interface that a program with or without a network is given. */
async function hostFunction(allowNetwork: boolean, name: string, member: string) {
  const network = allowNetwork ? ['public'] : [];
  const { imports } = (await hostFor(programOf({ imports: [name], network }), networkGuards())).instance(
    context,
  );
  const found = Reflect.get(imports[name] ?? {}, member);
  if (typeof found !== 'function') throw new Error(`${name} has no ${member}`);
  return found as (...parameters: unknown[]) => unknown;
}

describe('a guest that opens a FIFO with nobody at its other end', () => {
  it('waits until it is stopped, and nobody else waits with it', async () => {
    const folder = join(await bench.folder, 'fifo');
    await mkdir(folder);
    await promisify(execFile)('mkfifo', [join(folder, 'hello.txt')]);
    const own = await bench.runtime(4);
    const task = await bench.example('misbehaving/env', { preopens: { '/data': folder } });
    const stopping = new AbortController();
    const waiting = [1, 2, 3].map(() => {
      const io = new Collected();
      return { io, running: own.run(attemptOf(task), io, stopping.signal) };
    });
    // They say what they see before they open the file.
    await Promise.all(waiting.map(({ io, running }) => firstOutput(io, running)));
    const beside = await run(own, await bench.example('misbehaving/cat'), { input: Buffer.from('on') });
    expect(beside.stdout.toString()).toBe('on');
    stopping.abort();
    for (const { io, running } of waiting) {
      expect(await running).toMatchObject({ kind: 'stopped' });
      expect(io.of('stdout').toString()).not.toContain('open /data/hello.txt');
    }
  });
});

interface SplicingStream {
  splice(source: object, length: bigint): bigint;
  blockingSplice(source: object, length: bigint): bigint;
}

/** The body of a request that is never sent. */
async function requestBody(): Promise<SplicingStream> {
  const named = (name: string): Promise<unknown> => hostFunction(true, 'wasi:http/types', name);
  const Fields = (await named('Fields')) as new () => object;
  const OutgoingRequest = (await named('OutgoingRequest')) as new (
    fields: object,
  ) => { body(): { write(): SplicingStream } };
  return new OutgoingRequest(new Fields()).body().write();
}

/** The files below a folder that this process has open. */
function openBelow(folder: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(folder) ? [path] : [];
    } catch {
      // It was the descriptor that the folder was read with.
      return [];
    }
  });
}

describe('the files of an instance', () => {
  it('are closed with it, whatever it has left open', async () => {
    const folder = join(await bench.folder, 'left');
    await mkdir(folder);
    await writeFile(join(folder, 'file'), 'text');
    const program = programOf({ preopens: { '/data': folder }, openFiles: 3 });
    const host = (await hostFor(program, '')).instance(context);
    const preopens = Reflect.get(host.imports['wasi:filesystem/preopens'] ?? {}, 'getDirectories')();
    const [[root]] = preopens;
    for (let file = 0; file < 3; file += 1) root.openAt({}, 'file', {}, { read: true }).readViaStream(0n);
    expect(() => root.openAt({}, 'file', {}, { read: true })).toThrow('insufficient-memory');
    expect(openBelow(folder)).toHaveLength(4);
    host.close();
    expect(openBelow(folder)).toEqual([]);
  });

  it.each([
    ['when another takes its place', (guests: LiveGuests) => guests.keep(1, liveGuest().entry)],
    ['when it is dropped', (guests: LiveGuests) => guests.drop(1)],
    ['when its program is dismissed', (guests: LiveGuests) => guests.dismiss(1)],
    [
      'when it makes room',
      (guests: LiveGuests) => {
        for (let key = 2; key < 20; key += 1) guests.keep(key, liveGuest().entry);
      },
    ],
  ])('that was kept alive are closed %s, and not before', (_name, end) => {
    const { entry, closed } = liveGuest();
    const guests = new LiveGuests();
    guests.keep(1, entry);
    guests.keep(1, entry);
    expect(closed()).toBe(0);
    end(guests);
    expect(closed()).toBe(1);
  });
});

function liveGuest(): { readonly entry: LiveGuest; readonly closed: () => number } {
  let closed = 0;
  const guest: Guest = {
    context,
    runCommand: () => {},
    call: () => undefined,
    memory: () => ({ used: 0, cap: 0 }),
    close: () => {
      closed += 1;
    },
  };
  return { entry: { guest, instanceId: '1', secrets: '', uses: 0 }, closed: () => closed };
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

  it('can be given bytes of a stream that is not its own', async () => {
    const body = await requestBody();
    const program = programOf({ imports: ['wasi:http/types'], network: ['public'] });
    const { imports } = (await hostFor(program, networkGuards())).instance({
      ...context,
      input: Buffer.from('0123456789'),
    });
    const stdin = Reflect.get(imports['wasi:cli/stdin'] ?? {}, 'getStdin')();
    expect(body.splice(stdin, 4n)).toBe(4n);
    expect(body.blockingSplice(stdin, 100n)).toBe(6n);
    expect(() => body.splice(stdin, 1n)).toThrow(expect.objectContaining({ tag: 'closed' }));
  });

  it('is there with it', async () => {
    const create = await hostFunction(true, 'wasi:sockets/tcp-create-socket', 'createTcpSocket');
    expect(create('ipv4')).toHaveProperty('startConnect');
  });
});
