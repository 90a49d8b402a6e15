/** gRPC and HTTP over TLS, from one pair of files that may change while the node runs. */
import { copyFileSync, readFileSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checkServerIdentity, connect as connectTls, type TLSSocket } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/client/channel.ts';
import type { ConfigFlags } from '../../src/config.ts';
import { AccessService } from '../../src/server/gen/spearlet/access_pb.js';
import { NodeService } from '../../src/server/gen/spearlet/node_pb.js';
import { CertificateAuthority, type CertificateFiles, fingerprintOf } from '../support/certificates.ts';
import {
  adminToken,
  type LocalServer,
  spawnServer,
  startServer,
  temporaryDataDir,
} from '../support/server.ts';
import { getOver } from './https.ts';
import { refusal } from './refusal.ts';

const here = 'DNS:localhost,IP:127.0.0.1';

async function started(flags: ConfigFlags): Promise<LocalServer> {
  const server = await startServer(flags);
  onTestFinished(() => server.stop());
  return server;
}

function flagsOf({ cert, key }: CertificateFiles): ConfigFlags {
  return { tlsCert: cert, tlsKey: key };
}

function nodeOf(address: string, ca: string, token?: string) {
  const connection = connect(address, {
    tls: { ca: readFileSync(ca) },
    ...(token !== undefined && { token }),
  });
  onTestFinished(() => connection.close());
  return connection.service(NodeService);
}

/** A handshake without a look at who has signed the certificate. */
function handshake(address: string, options: object = {}): Promise<TLSSocket> {
  const [host, port] = address.split(':');
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host, port: Number(port), rejectUnauthorized: false, ...options }, () =>
      resolve(socket),
    );
    socket.on('error', reject);
    onTestFinished(() => void socket.destroy());
  });
}

async function shownAt(address: string): Promise<string> {
  const socket = await handshake(address, { ALPNProtocols: ['h2', 'http/1.1'] });
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

test('one pair of files serves gRPC and HTTP over TLS, and nothing in the clear', async () => {
  const authority = new CertificateAuthority();
  const files = authority.issue({ names: here });
  const server = await started(flagsOf(files));
  const token = adminToken(server.dataDir);
  for (const host of ['localhost', '127.0.0.1']) {
    const address = `${host}:${server.grpcAddress.split(':')[1]}`;
    expect((await nodeOf(address, authority.cert, token).getNode({})).node?.grpcAddress).toBe(
      server.grpcAddress,
    );
  }
  expect(await getOver(`https://${server.httpAddress}/healthz`, { ca: readFileSync(authority.cert) })).toBe(
    200,
  );
  const plain = connect(server.grpcAddress);
  onTestFinished(() => plain.close());
  expect(await refusal(plain.service(NodeService).getNode({}))).toMatchObject({ code: 'UNAVAILABLE' });
  expect((await fetch(`http://${server.httpAddress}/healthz`)).status).toBe(400);
  const link = await nodeLink(server, authority.cert, token);
  expect(link.tls).toBe(true);
});

function nodeLink(server: LocalServer, ca: string, token: string) {
  const connection = connect(server.grpcAddress, { token, tls: { ca: readFileSync(ca) } });
  onTestFinished(() => connection.close());
  return connection.service(AccessService).createPageCode({});
}

test.each([
  ['TLSv1.1', undefined],
  ['TLSv1.2', 'TLSv1.2'],
  ['TLSv1.3', 'TLSv1.3'],
] as const)('a client that speaks %s gets %s', async (version, expected) => {
  const server = await started(flagsOf(new CertificateAuthority().issue({ names: here })));
  for (const [address, protocol] of [
    [server.grpcAddress, 'h2'],
    [server.httpAddress, 'http/1.1'],
  ] as const) {
    const options = { minVersion: version, maxVersion: version, ALPNProtocols: [protocol] };
    const got = handshake(address, options).then((socket) => {
      expect(socket.alpnProtocol).toBe(protocol);
      return socket.getProtocol();
    });
    if (expected === undefined) await expect(got).rejects.toThrow();
    else expect(await got).toBe(expected);
  }
});

test('files that change are shown to who connects from then on, over both, and open connections stay', async () => {
  const authority = new CertificateAuthority();
  const first = authority.issue({ names: here });
  const second = authority.issue({ names: here });
  const files = { cert: join(authority.folder, 'cert'), key: join(authority.folder, 'key') };
  const put = (from: CertificateFiles, which: readonly ('cert' | 'key')[]): void => {
    for (const each of which) copyFileSync(from[each], files[each]);
  };
  put(first, ['cert', 'key']);
  const server = await started(flagsOf(files));
  const addresses = [server.grpcAddress, server.httpAddress];
  const open = nodeOf(server.grpcAddress, authority.cert, adminToken(server.dataDir));
  await open.getNode({});
  // Between the two the files do not match.
  put(second, ['cert']);
  await server.node.reloadCertificates();
  for (const address of addresses) expect(await shownAt(address)).toBe(fingerprintOf(first.cert));
  expect(server.log.filter(({ msg }) => /not good/.test(String(msg)))).toMatchObject([
    { err: { message: expect.stringContaining('not that of the certificate') } },
  ]);
  put(second, ['key']);
  for (const address of addresses) {
    // Nobody tells the node: it looks by itself.
    await expect.poll(() => shownAt(address)).toBe(fingerprintOf(second.cert));
  }
  expect((await open.getNode({})).node?.nodeId).not.toBe('');
});

test('a certificate that a node makes for itself is good for its names, and stays over a restart', async () => {
  const server = await startServer({ tlsSelfSigned: true, httpHost: 'spear.example,[fd00::1]:8443' });
  const cert = join(server.dataDir, 'tls', 'cert.pem');
  expect(statSync(join(server.dataDir, 'tls', 'key.pem')).mode & 0o777).toBe(0o600);
  const token = adminToken(server.dataDir);
  expect((await nodeOf(server.grpcAddress, cert, token).getNode({})).node?.nodeId).not.toBe('');
  for (const host of ['localhost', '127.0.0.1', 'spear.example', '[fd00::1]']) {
    const code = await getOver(`https://${server.httpAddress}/none`, {
      ca: readFileSync(cert),
      checkServerIdentity: (_named, shown) => checkServerIdentity(host.replace(/[[\]]/g, ''), shown),
      headers: { host },
    });
    // Known there, and by the certificate; the port of the second is another.
    expect(code, host).toBe(404);
  }
  const before = fingerprintOf(cert);
  await server.node.drain();
  const again = await startServer({
    dataDir: server.dataDir,
    tlsSelfSigned: true,
    httpHost: 'spear.example,[fd00::1]:8443',
  });
  expect(fingerprintOf(cert)).toBe(before);
  await again.node.drain();
  const other = await startServer({ dataDir: server.dataDir, tlsSelfSigned: true, httpHost: 'new.example' });
  expect(fingerprintOf(cert)).not.toBe(before);
  await other.stop();
});

test('a name that the certificate has is one that HTTP answers to, and no other is, also on all addresses', async () => {
  const authority = new CertificateAuthority();
  const server = await started({
    ...flagsOf(authority.issue({ names: `${here},DNS:spear.example,DNS:*.nodes.example` })),
    httpAddress: '0.0.0.0:0',
    httpHost: 'proxy.example:444',
  });
  const port = server.httpAddress.split(':')[1];
  const codeFor = (host: string): Promise<number> =>
    getOver(`https://127.0.0.1:${port}/none`, {
      ca: readFileSync(authority.cert),
      servername: 'localhost',
      headers: { host },
    });
  for (const host of [
    ...['spear.example', 'spear.example:9000', 'a.nodes.example', 'proxy.example:444'],
    ...['localhost', `127.0.0.1:${port}`],
  ]) {
    expect(await codeFor(host), host).toBe(404);
  }
  for (const host of [
    ...['evil.example', `evil.example:${port}`, 'nodes.example', 'b.a.nodes.example', 'proxy.example'],
    ...['proxy.example:80', '0.0.0.0', '10.1.2.3', 'spear.example.'],
  ]) {
    expect(await codeFor(host), host).toBe(421);
  }
});

test('a connection that is one too many hears so over TLS, too', async () => {
  const authority = new CertificateAuthority();
  const server = await started({
    ...flagsOf(authority.issue({ names: here })),
    maxConnectionsPerAddress: '1',
  });
  await handshake(server.grpcAddress, { ALPNProtocols: ['h2'] });
  expect(await refusal(nodeOf(server.grpcAddress, authority.cert).getNode({}))).toMatchObject({
    code: 'RESOURCE_EXHAUSTED',
    reason: 'TOO_MANY_CONNECTIONS',
  });
  expect(await getOver(`https://${server.httpAddress}/healthz`, { ca: readFileSync(authority.cert) })).toBe(
    429,
  );
});

test.each([
  ['the key of another', 'first', 'second', /not that of the certificate/],
  ['no certificate', 'text', 'first', /the certificate cannot be used/],
  ['no key', 'first', 'text', /the key cannot be used/],
  ['no file', 'none', 'first', /--tls-cert: .*ENOENT/],
])('a node with %s does not start, and says why', async (_name, cert, key, says) => {
  const authority = new CertificateAuthority();
  const pairs: Record<string, CertificateFiles> = {
    first: authority.issue({ names: here }),
    second: authority.issue({ names: here }),
    text: { cert: import.meta.filename, key: import.meta.filename },
    none: { cert: '/nonexistent/cert', key: '/nonexistent/key' },
  };
  const flags = { tlsCert: pairs[cert]?.cert, tlsKey: pairs[key]?.key };
  await expect(startServer(flags)).rejects.toThrow(says);
});

test('a node in a process of its own reads its certificate again when it is told to hang up', async () => {
  const authority = new CertificateAuthority();
  const files = { cert: join(authority.folder, 'cert'), key: join(authority.folder, 'key') };
  const put = (from: CertificateFiles): void => {
    copyFileSync(from.key, files.key);
    copyFileSync(from.cert, files.cert);
  };
  const [first, second] = [1, 2].map(() => authority.issue({ names: here }));
  if (first === undefined || second === undefined) throw new Error('no certificates');
  put(first);
  const dataDir = await temporaryDataDir();
  const server = await spawnServer(dataDir, flagsOf(files));
  onTestFinished(async () => {
    await server.end('SIGKILL');
    await rm(dataDir, { recursive: true, force: true });
  });
  put(second);
  server.process.kill('SIGHUP');
  await expect.poll(() => shownAt(server.httpAddress)).toBe(fingerprintOf(second.cert));
  expect(await shownAt(server.grpcAddress)).toBe(fingerprintOf(second.cert));
});
