/** The Python package against nodes: its own unit tests, in the clear and over TLS, and a node that is killed. */
import { execFile, spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/client/channel.ts';
import { ClusterService } from '../../src/server/gen/spearlet/cluster_pb.js';
import { root } from '../docs/readme.ts';
import { clusterOf } from '../server/links/cluster-nodes.ts';
import { CertificateAuthority } from '../support/certificates.ts';
import { inheritedEnvironment } from '../support/environment.ts';
import { describeWhere, protoc, pythonGrpc, pythonPath } from '../support/needs.ts';
import { postgres, startPostgres } from '../support/postgres.ts';
import {
  adminToken,
  type ChildServer,
  spawnServer,
  startServer,
  temporaryDataDir,
} from '../support/server.ts';

import { deadAddress } from './dead-address.ts';

const execute = promisify(execFile);
const folder = join(root, 'clients/python');

function environment(address: string, more: Readonly<Record<string, string>> = {}) {
  return {
    ...inheritedEnvironment(),
    PYTHONPATH: join(folder, 'src'),
    PYTHONDONTWRITEBYTECODE: '1',
    SPEAR_EXAMPLES: join(root, 'examples'),
    SPEAR_ADDRESS: address,
    ...more,
  };
}

describeWhere([await pythonGrpc()], 'the Python package', () => {
  async function runTests(env: NodeJS.ProcessEnv): Promise<void> {
    const args = ['-m', 'unittest', 'discover', '-s', join(folder, 'tests')];
    const { stderr } = await execute(pythonPath, args, { env });
    expect(stderr).toMatch(/Ran 15 tests[\s\S]*\nOK\n$/);
  }

  test('its tests pass against a node of this machine', async () => {
    const server = await startServer({ slots: '4' });
    onTestFinished(() => server.stop());
    const stranger = new CertificateAuthority();
    await runTests(environment(server.grpcAddress, { SPEAR_STRANGER: stranger.cert }));
    expect(server.bugs).toEqual([]);
  });

  test('they pass over TLS with a token, where a caller without one may do nothing', async () => {
    const authority = new CertificateAuthority();
    const { cert, key } = authority.issue({ names: 'IP:127.0.0.1' });
    const dataDir = await temporaryDataDir();
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
    const server = await spawnServer(dataDir, { tlsCert: cert, tlsKey: key, anonymousRole: 'none' });
    onTestFinished(async () => void (await server.end('SIGTERM')));
    const secured = {
      SPEAR_CA: authority.cert,
      SPEAR_TOKEN: adminToken(dataDir),
      SPEAR_STRANGER: new CertificateAuthority().cert,
    };
    await runTests(environment(`https://${server.grpcAddress}`, secured));
  });

  test('it goes on behind the last event when the node is killed, and has the result of the run after that', async () => {
    const dataDir = await temporaryDataDir();
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
    let server: ChildServer = await spawnServer(dataDir);
    onTestFinished(async () => void (await server.end('SIGTERM')));
    await server.register('ticker', 'ticker/ticker.wasm');
    const { grpcAddress } = server;
    const child = spawn(pythonPath, [join(folder, 'tests/follow.py')], {
      env: environment(grpcAddress),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const sequences: number[] = [];
    let last: Record<string, unknown> = {};
    let killed = false;
    for await (const line of createInterface({ input: child.stdout })) {
      last = JSON.parse(line) as Record<string, unknown>;
      if (typeof last.sequence === 'number') sequences.push(last.sequence);
      if (killed || last.kind !== 'ChunkEvent') continue;
      killed = true;
      await server.end('SIGKILL');
      server = await spawnServer(dataDir, { grpcAddress });
    }
    expect(killed).toBe(true);
    expect(sequences).toEqual(sequences.map((_, index) => index + 1));
    expect(last).toEqual({ attempt: 2, text: 'tick 1\ntick 2\ntick 3\ntick 4\ntick 5\n', again: 'tick 1\n' });
  });
});

describeWhere([await pythonGrpc(), postgres()], 'the Python package with the nodes of a cluster', () => {
  test('goes to the next where one is not there, goes away while it is followed, or is cordoned', async () => {
    const engine = await startPostgres();
    onTestFinished(() => engine.remove());
    const cluster = await clusterOf((await engine.database()).url);
    const nodes = [];
    for (const name of ['one', 'two', 'three']) nodes.push(await cluster.start(name));
    const [one, two, three] = nodes as [ChildServer, ChildServer, ChildServer];
    await one.register('ticker', 'ticker/ticker.wasm');
    const dead = await deadAddress();
    const addresses = [dead, ...nodes.map(({ grpcAddress }) => grpcAddress)].join(', ');
    const child = spawn(pythonPath, [join(folder, 'tests/several.py'), dead], {
      env: environment(addresses),
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const said: Record<string, unknown>[] = [];
    for await (const text of createInterface({ input: child.stdout })) {
      const line = JSON.parse(text) as Record<string, unknown>;
      said.push(line);
      // It is followed by way of the first that is there.
      if (line.kind === 'ChunkEvent' && one.process.exitCode === null) await one.end('SIGKILL');
      if (line.ended !== true) continue;
      const connection = connect(three.grpcAddress, { token: adminToken(three.dataDir) });
      onTestFinished(() => connection.close());
      await connection.service(ClusterService).cordonNode({ node: 'two' });
      child.stdin.write('\n');
    }
    const sequences = said.flatMap(({ sequence }) => (typeof sequence === 'number' ? [sequence] : []));
    expect(sequences.length).toBeGreaterThan(10);
    expect(sequences).toEqual(sequences.map((_, index) => index + 1));
    expect(said.filter(({ sequence }) => sequence === undefined)).toEqual([
      { text: 'tick 1\ntick 2\n' },
      { attempt: expect.any(Number), ended: true },
      { text: 'tick 1\n' },
      { batch: true },
      { code: 'UNAVAILABLE', message: expect.stringContaining(`at ${dead}, ${dead}`) },
    ]);
    expect(two.process.exitCode).toBeNull();
  });
});

describeWhere([await protoc()], 'the messages of the Python package', () => {
  test('are what protoc makes of the protocol now', async () => {
    const script = join(root, 'scripts/python-messages.ts');
    await execute(process.execPath, [script, '--check'], { cwd: root });
  });
});
