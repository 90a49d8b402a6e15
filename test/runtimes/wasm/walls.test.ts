import { mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeContainment } from '../../../src/runtimes/containment/containment.ts';
import type { HostLauncher, HostProfile } from '../../../src/runtimes/wasm/host-process.ts';
import { findWalls, WalledHostLauncher } from '../../../src/runtimes/wasm/walled-host.ts';
import { describeWhere, root } from '../../support/needs.ts';
import { run } from '../attempt.ts';
import { systemClock, WasmBench } from './fixture.ts';
import { keepAliveServer } from './network/servers.ts';

const bench = new WasmBench();
let launcher: HostLauncher;
let folder: string;
beforeAll(async () => {
  const made = await makeContainment({
    nodeId: `walls-test-${process.pid}`,
    clock: systemClock,
    wrapper: [],
  });
  if ('reason' in made) throw new Error(made.reason);
  const walls = await findWalls(made.scratch.path, undefined);
  if (walls === undefined) throw new Error('no walls can be had here');
  launcher = new WalledHostLauncher(made, walls, { clock: systemClock });
  folder = await mkdtemp(join(tmpdir(), 'spear preopen#'));
  await writeFile(join(folder, 'inside'), 'seen');
});
afterAll(async () => {
  await bench.close();
  await launcher.close();
  await rm(folder, { recursive: true, force: true });
});

const plain: HostProfile = { preopens: {}, network: false, packages: [] };

/** What a program says that has taken over a guest host: `code` answers with the value of an expression. */
async function inside(profile: HostProfile, code: string): Promise<unknown> {
  const host = launcher.launch({
    text: `import fs from 'node:fs'; import os from 'node:os'; import net from 'node:net';
     const attempt = (act) => { try { return act(); } catch (error) { return error.code; } };
     fs.writeSync(0, JSON.stringify(await (async () => (${code}))()) ?? 'nothing');`,
    flags: [],
    profile,
  });
  const heard: Buffer[] = [];
  host.socket.listen((chunk) => heard.push(chunk));
  const exit = await host.exited;
  expect(exit).toMatchObject({ code: 0, words: '' });
  return JSON.parse(Buffer.concat(heard).toString());
}

const status = (name: string) =>
  `/^${name}:\\s*(\\S+)/m.exec(fs.readFileSync('/proc/self/status', 'latin1'))[1]`;

describeWhere([root()], 'a program that has taken over a guest host', () => {
  it('has a user without a name, no group of the node, no capability and no way to get one', async () => {
    const seen = await inside(
      plain,
      `[process.getuid(), process.getgroups(), ${status('CapEff')}, ${status('CapBnd')}, ${status('NoNewPrivs')}]`,
    );
    const [uid] = seen as [number];
    expect(uid).toBeGreaterThanOrEqual(65_000);
    expect(seen).toEqual([uid, [uid], '0000000000000000', '0000000000000000', '1']);
  });

  it('is another user than the host beside it', async () => {
    const uids = await Promise.all([inside(plain, 'process.getuid()'), inside(plain, 'process.getuid()')]);
    expect(uids[0]).not.toBe(uids[1]);
  });

  it('sees no file of the machine but the program and its libraries, and can write none', async () => {
    const listing = await inside(plain, `fs.readdirSync('/').sort()`);
    expect(listing).toEqual(['etc', 'lib', 'lib64', 'proc', 'spear']);
    expect(await inside(plain, `fs.readdirSync('/etc')`)).toEqual(['ld.so.cache']);
    expect(await inside(plain, `attempt(() => fs.writeFileSync('/spear/new', ''))`)).toBe('EROFS');
    expect(await inside(plain, `attempt(() => fs.readFileSync('/etc/passwd'))`)).toBe('ENOENT');
    expect(await inside(plain, `attempt(() => fs.readFileSync('/proc/1/root/etc/passwd'))`)).toBe('ENOENT');
  });

  it('sees no process but its own, and can signal none', async () => {
    const pids = `fs.readdirSync('/proc').filter((name) => /^\\d+$/.test(name))`;
    expect(await inside(plain, pids)).toEqual(['1']);
    expect(await inside(plain, `attempt(() => process.kill(${process.pid}, 0))`)).toBe('ESRCH');
  });

  it('has no network, not even the loopback of the machine', async () => {
    expect(await inside(plain, 'os.networkInterfaces()')).toEqual({});
  });

  it('has the network where its task has one, and sees no more files of the machine than names need', async () => {
    const network = { preopens: {}, network: true, packages: [] };
    expect(await inside(network, 'Object.keys(os.networkInterfaces())')).toContain('lo');
    expect(await inside(network, `attempt(() => fs.readFileSync('/etc/passwd'))`)).toBe('ENOENT');
  });

  it('reaches the folders of its task with the rights of the node, and has no other right of it', async () => {
    const profile = { preopens: { '/data': folder }, network: false, packages: [] };
    const found = await inside(
      profile,
      `[process.getuid(), fs.readdirSync('/preopens/0'), attempt(() => fs.writeFileSync('/preopens/0/made', 'x')),
        attempt(() => fs.readFileSync('/preopens/0/../../etc/passwd')), ${status('CapEff')}, ${status('NoNewPrivs')}]`,
    );
    expect(found).toEqual([process.getuid?.(), ['inside'], null, 'ENOENT', '000000000000000b', '1']);
  });

  it('has no more descriptors than its bound', async () => {
    const opened = `(() => { let n = 0; for (;; n += 1) { try { fs.openSync('/proc/self/status'); } catch (error) { return [error.code, n < 2048]; } } })()`;
    expect(await inside(plain, opened)).toEqual(['EMFILE', true]);
  });
});

/** Fills connections to itself that nobody reads, as many as it may have, and stays. */
const hoard = `
  import net from 'node:net';
  const data = Buffer.alloc(1 << 20);
  const server = net.createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1', () => {
    for (let number = 0; number < 900; number += 1) {
      const socket = net.connect(server.address().port, '127.0.0.1');
      socket.on('error', () => {});
      socket.pause();
      for (let part = 0; part < 8; part += 1) socket.write(data);
    }
  });
  setInterval(() => {}, 1000);`;

describeWhere([root()], 'a guest host with a network', () => {
  it('ends with its memory when its sockets hold more than that', async () => {
    const profile = { preopens: {}, network: true, packages: [] };
    const host = launcher.launch({ text: hoard, flags: [], profile });
    host.limitMemory(80 * 1024 * 1024);
    expect(await host.exited).toMatchObject({ signal: 'SIGKILL', ranOutOfMemory: true });
  });
});

/** Sockets that this process has open. */
async function sockets(): Promise<number> {
  const names = await readdir('/proc/self/fd');
  const targets = await Promise.all(names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')));
  return targets.filter((target) => target.startsWith('socket:')).length;
}

describeWhere([root()], 'a guest host that was killed', () => {
  it('leaves none of its sockets open in the node', async () => {
    // Up to four sets of three wait for the next hosts.
    const spare = 12;
    const hosts = 2 * spare;
    await inside(plain, '1');
    const before = await sockets();
    for (let left = hosts; left > 0; left -= 4) {
      const started = Array.from({ length: 4 }, () =>
        launcher.launch({
          text: `import fs from 'node:fs'; fs.writeSync(0, 'up'); setInterval(() => {}, 1e6);`,
          flags: [],
          profile: plain,
        }),
      );
      await Promise.all(started.map(({ socket }) => new Promise<unknown>((up) => socket.listen(up))));
      for (const host of started) host.kill();
      await Promise.all(started.map(({ exited }) => exited));
    }
    await expect.poll(sockets).toBeLessThanOrEqual(before + spare);
  });
});

describeWhere([root()], 'an artifact', () => {
  it('is checked behind walls, with the tools that it takes', async () => {
    const runtime = await bench.runtime(1, 1, {
      launcher: { launch: (program) => launcher.launch(program), close: async () => {} },
    });
    const { functions } = await runtime.prepare(await bench.example('typed/typed'));
    expect(functions.map(({ name }) => name)).toContain('ping');
  });
});

describeWhere([root()], 'a guest behind walls', () => {
  it('runs, and reaches the folder of its preopen alone', async () => {
    const runtime = await bench.runtime(1, 1, {
      launcher: { launch: (program) => launcher.launch(program), close: async () => {} },
    });
    const { outcome, stdout } = await run(runtime, await bench.example('misbehaving/cat'), {
      input: Buffer.from('on'),
    });
    expect(outcome).toMatchObject({ kind: 'completed' });
    expect(stdout.toString()).toBe('on');
  });

  it('opens the files of its preopen, and of no other folder', async () => {
    const runtime = await bench.runtime(1, 1, {
      launcher: { launch: (program) => launcher.launch(program), close: async () => {} },
    });
    await writeFile(join(folder, 'hello.txt'), 'from the host');
    const task = await bench.example('misbehaving/env', { preopens: { '/data': folder } });
    const { stdout } = await run(runtime, task);
    expect(stdout.toString()).toContain('open /data/hello.txt: ok from the host');
    expect(stdout.toString()).toMatch(/open \/etc\/passwd: errno/);
  });

  it('reaches the network as its rules say, and leaves nothing open there', async () => {
    const server = await keepAliveServer();
    let ownPorts: number[] = [];
    const runtime = await bench.runtime(1, 1, {
      launcher: { ...launcher, launch: launcher.launch.bind(launcher), close: async () => {} },
      networkRules: () => ({ loopback: true, ownPorts }),
    });
    const task = await bench.example('misbehaving/fetch', { allowNetwork: true });
    const get = () => {
      const parameters = { authority: `localhost:${server.port}`, path: '/' };
      return run(runtime, task, { functionName: 'get', parameters });
    };
    expect((await get()).outcome).toMatchObject({ kind: 'completed', output: '"hello"' });
    await expect.poll(server.open).toBe(0);
    ownPorts = [server.port];
    expect((await get()).outcome).toMatchObject({ output: '"HTTP-request-denied"' });
    await server.close();
  });

  it('without a network is denied it as WASI says, and does not trap', async () => {
    const runtime = await bench.runtime(1, 1, {
      launcher: { ...launcher, launch: launcher.launch.bind(launcher), close: async () => {} },
    });
    const socket = await run(runtime, await bench.example('misbehaving/net'), {
      functionName: 'connect',
      parameters: { port: 1 },
    });
    expect(socket.outcome).toMatchObject({ output: '"create-tcp-socket: access-denied"' });
    const request = await run(runtime, await bench.example('misbehaving/fetch'), {
      functionName: 'get',
      parameters: { authority: '127.0.0.1:1', path: '/' },
    });
    expect(request.outcome).toMatchObject({ output: '"HTTP-request-denied"' });
  });

  it('whose folder is gone ends as START_FAILED, and says so', async () => {
    const runtime = await bench.runtime(1, 1, {
      launcher: { launch: (program) => launcher.launch(program), close: async () => {} },
    });
    const task = await bench.example('misbehaving/cat', { preopens: { '/data': join(folder, 'nowhere') } });
    const { outcome } = await run(runtime, task);
    expect(outcome).toMatchObject({
      kind: 'failed',
      code: 'START_FAILED',
      message: expect.stringContaining('a folder of its preopens is not there'),
    });
  });
});
