/** The Python package against nodes: its own unit tests, in the clear and over TLS, and a node that is killed. */
import { execFile, spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { root } from '../docs/readme.ts';
import { CertificateAuthority } from '../support/certificates.ts';
import { inheritedEnvironment } from '../support/environment.ts';
import { describeWhere, protoc, pythonGrpc, pythonPath } from '../support/needs.ts';
import {
  adminToken,
  type ChildServer,
  spawnServer,
  startServer,
  temporaryDataDir,
} from '../support/server.ts';

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
    expect(stderr).toMatch(/Ran 14 tests[\s\S]*\nOK\n$/);
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

describeWhere([await protoc()], 'the messages of the Python package', () => {
  test('are what protoc makes of the protocol now', async () => {
    const script = join(root, 'scripts/python-messages.ts');
    await execute(process.execPath, [script, '--check'], { cwd: root });
  });
});
