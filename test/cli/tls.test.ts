/** What the command says of a server that speaks TLS, and of one that does not. */
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import type { ConfigFlags } from '../../src/config.ts';
import { CertificateAuthority } from '../support/certificates.ts';
import { adminToken, type LocalServer, startServer } from '../support/server.ts';
import { run } from './spear.ts';

const here = 'DNS:localhost,IP:127.0.0.1';

async function started(flags: ConfigFlags): Promise<LocalServer> {
  const server = await startServer(flags);
  onTestFinished(() => server.stop());
  return server;
}

function running(authority: CertificateAuthority, names = here, notAfter = '20991231235959Z') {
  const { cert, key } = authority.issue({ names, notAfter });
  return started({ tlsCert: cert, tlsKey: key });
}

test('a token goes to a server over TLS, whichever way the command is told of it', async () => {
  const authority = new CertificateAuthority();
  const server = await running(authority);
  const env = { SPEAR_TOKEN: adminToken(server.dataDir) };
  const { grpcAddress } = server;
  const ca = ['--ca', authority.cert];
  for (const args of [
    ['task', 'list', '--address', `https://${grpcAddress}`, ...ca],
    ['task', 'list', '--address', grpcAddress, '--tls', ...ca],
    ['task', 'list', '--address', `https://localhost:${grpcAddress.split(':')[1]}`, ...ca],
  ]) {
    expect(await run(args, { env })).toMatchObject({
      code: 0,
      stderr: expect.not.stringContaining('spear:'),
    });
  }
  const inEnvironment = { ...env, SPEAR_CA: authority.cert, SPEAR_ADDRESS: `https://${grpcAddress}` };
  expect((await run(['task', 'list'], { env: inEnvironment })).code).toBe(0);
  const link = await run(['page'], { env: inEnvironment });
  expect(link.stdout.toString()).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/#code=/);
});

test('each thing that can be wrong with a certificate has its own words', async () => {
  const authority = new CertificateAuthority();
  const [good, wrongName, expired] = [
    await running(authority),
    await running(authority, 'DNS:other.example'),
    await running(authority, here, '20240101000000Z'),
  ];
  const said = async (server: LocalServer, ca: string): Promise<string> => {
    const args = ['task', 'list', '--address', `https://${server.grpcAddress}`, '--ca', ca];
    const { code, stderr } = await run(args, { env: { SPEAR_TOKEN: adminToken(server.dataDir) } });
    expect(code).toBe(exitCodes.unreachable.code);
    return stderr;
  };
  expect(await said(good, new CertificateAuthority().cert)).toMatch(/nobody whom this command trusts.*--ca/);
  expect(await said(wrongName, authority.cert)).toMatch(/for other names than that.*other\.example/);
  expect(await said(expired, authority.cert)).toMatch(/certificate of .* has expired/);
});

test('a command in the clear at a server of TLS, and the other way round, hears which of the two it is', async () => {
  const authority = new CertificateAuthority();
  const secure = await running(authority);
  const plain = await started({});
  const state = join(authority.folder, 'state');
  const asked = (address: string, ...args: readonly string[]) =>
    run(['task', 'list', '--address', address, ...args], { env: { XDG_STATE_HOME: state } });
  const toTls = await asked(secure.grpcAddress);
  expect(toTls).toMatchObject({ code: exitCodes.unreachable.code });
  expect(toTls.stderr).toContain(`speaks TLS; --address https://${secure.grpcAddress}`);
  const toPlain = await asked(`https://${plain.grpcAddress}`, '--ca', authority.cert);
  expect(toPlain).toMatchObject({ code: exitCodes.unreachable.code });
  expect(toPlain.stderr).toContain(`${plain.grpcAddress} does not speak TLS`);
  const toPage = await asked(`https://${secure.httpAddress}`, '--ca', authority.cert);
  expect(toPage.stderr).toContain(`${secure.httpAddress} does not speak gRPC`);
});

test('a node of the same user says in its note that it speaks TLS, before a token is sent in the clear', async () => {
  const server = await running(new CertificateAuthority());
  const { code, stderr } = await run(['task', 'list', '--address', server.grpcAddress], {
    env: { SPEAR_TOKEN: adminToken(server.dataDir) },
  });
  expect(code).toBe(exitCodes.usage.code);
  expect(stderr).toContain(`SPEAR_TOKEN: the server at ${server.grpcAddress} speaks TLS`);
});

test.each([
  [['--address', 'http://localhost:1'], /--address: is "http:\/\/localhost:1"; allowed is HOST:PORT/],
  [['--address', 'https://localhost'], /--address: is "localhost"; allowed is HOST:PORT/],
  [['--ca', '/nonexistent'], /--ca: is for TLS/],
  [['--tls', '--ca', '/nonexistent'], /--ca: cannot read "\/nonexistent": there is no such file/],
  [['--tls', '--ca', import.meta.filename], /--ca: .* is no PEM file/],
  [['--tls', '--client-cert', '/x'], /--client-key: is missing/],
])('%j is refused with what is allowed', async (args, says) => {
  const { code, stderr } = await run(['task', 'list', ...args]);
  expect(code).toBe(exitCodes.usage.code);
  expect(stderr).toMatch(says);
});

test('a token goes nowhere beyond this machine in the clear', async () => {
  const { code, stderr } = await run(['task', 'list', '--address', 'node.example:1'], {
    env: { SPEAR_TOKEN: 'spear_x' },
  });
  expect(code).toBe(exitCodes.usage.code);
  expect(stderr).toMatch(/only over TLS; allowed is --address https:\/\/node\.example:1/);
});
