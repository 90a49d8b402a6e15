/** What `connect` is told: wrong options are named before anything is sent, and a node is reached as the command does. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type ConnectOptions, connect, SpearError } from '../../src/client/main.ts';
import { CertificateAuthority } from '../support/certificates.ts';
import { adminToken, spawnServer, startServer, temporaryDataDir } from '../support/server.ts';

function refusalOf(options: ConnectOptions): unknown {
  try {
    connect(options).close();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(SpearError);
    return (error as SpearError).violations[0]?.field;
  }
}

test.for<[ConnectOptions, string]>([
  [{ address: 'http://127.0.0.1:1' }, 'address'],
  [{ address: 'nowhere' }, 'address'],
  [{ address: '192.0.2.1:1', token: 'abc' }, 'token'],
  [{ token: 'a b' }, 'token'],
  [{ token: 'a', tokenFile: 'b' }, 'tokenFile'],
  [{ tokenFile: '/nonexistent' }, 'tokenFile'],
  [{ tenant: '/' }, 'tenant'],
  [{ retryMs: -1 }, 'retryMs'],
  [{ address: 'https://127.0.0.1:1', tls: false }, 'tls'],
  [{ tls: { ca: 'no certificate' } }, 'tls.ca'],
  [{ tls: { cert: '-----BEGIN CERTIFICATE-----' } }, 'tls.key'],
])('%o is refused, and the field is named', ([options, field]) => {
  expect(refusalOf(options)).toBe(field);
});

test('a node of this user is reached over its socket, where nobody needs a token', async () => {
  const server = await startServer({ anonymousRole: 'none' });
  onTestFinished(() => server.stop());
  const spear = connect({ address: server.grpcAddress });
  onTestFinished(() => spear.close());
  expect(await spear.tasks.list().next()).toMatchObject({ done: true });
});

test('a token of a file goes over TLS, and one that is not good is refused', async () => {
  const authority = new CertificateAuthority();
  const { cert, key } = authority.issue({ names: 'IP:127.0.0.1' });
  const dataDir = await temporaryDataDir();
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const server = await spawnServer(dataDir, { tlsCert: cert, tlsKey: key, anonymousRole: 'none' });
  onTestFinished(async () => void (await server.end('SIGTERM')));
  const folder = mkdtempSync(join(tmpdir(), 'spear-token-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, `${adminToken(dataDir)}\n`);
  const ca = readFileSync(authority.cert);
  const address = `https://${server.grpcAddress}`;
  const good = connect({ address, tokenFile, tls: { ca } });
  onTestFinished(() => good.close());
  expect(await good.tasks.list().next()).toMatchObject({ done: true });
  const bad = connect({ address, token: 'spear_none', tls: { ca } });
  onTestFinished(() => bad.close());
  await expect(bad.tasks.get('x')).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
    reason: 'UNAUTHENTICATED',
  });
  const stranger = connect({
    address,
    token: 'spear_none',
    tls: { ca: readFileSync(new CertificateAuthority().cert) },
    retryMs: 3_600_000,
  });
  onTestFinished(() => stranger.close());
  await expect(stranger.tasks.get('x')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

test('a node in the clear that is called over TLS is not tried again', async () => {
  const server = await startServer();
  onTestFinished(() => server.stop());
  const spear = connect({
    address: `https://${server.grpcAddress}`,
    token: adminToken(server.dataDir),
    retryMs: 3_600_000,
  });
  onTestFinished(() => spear.close());
  await expect(spear.tasks.get('x')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});
