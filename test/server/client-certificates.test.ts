/** Callers that are known by a certificate. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/client/channel.ts';
import type { ConfigFlags } from '../../src/config.ts';
import { AccessService, Role } from '../../src/server/gen/spearlet/access_pb.js';
import { NodeService } from '../../src/server/gen/spearlet/node_pb.js';
import { CertificateAuthority, type CertificateFiles, fingerprintOf } from '../support/certificates.ts';
import { adminToken, type LocalServer, startServer } from '../support/server.ts';
import { refusal } from './refusal.ts';

const here = 'DNS:localhost,IP:127.0.0.1';
const workload = 'spiffe://spear.example/ci';

interface Place {
  readonly server: LocalServer;
  readonly authority: CertificateAuthority;
  readonly admin: ReturnType<typeof adminOf>;
}

async function started(flags: ConfigFlags = {}): Promise<Place> {
  const authority = new CertificateAuthority();
  const { cert, key } = authority.issue({ names: here });
  const server = await startServer({ tlsCert: cert, tlsKey: key, tlsClientCa: authority.cert, ...flags });
  onTestFinished(() => server.stop());
  return { server, authority, admin: adminOf(server, authority) };
}

function connected(
  server: LocalServer,
  authority: CertificateAuthority,
  { files, token }: { readonly files?: CertificateFiles; readonly token?: string },
) {
  const connection = connect(server.grpcAddress, {
    ...(token !== undefined && { token }),
    tls: {
      ca: readFileSync(authority.cert),
      ...(files !== undefined && { cert: readFileSync(files.cert), key: readFileSync(files.key) }),
    },
  });
  onTestFinished(() => connection.close());
  return connection;
}

function adminOf(server: LocalServer, authority: CertificateAuthority) {
  return connected(server, authority, { token: adminToken(server.dataDir) }).service(AccessService);
}

/** The answer of both doors to a caller with a certificate: a code of gRPC, and what is wrong. */
async function asked(place: Place, files?: CertificateFiles): Promise<string> {
  const node = connected(place.server, place.authority, files === undefined ? {} : { files });
  const overGrpc = await node
    .service(NodeService)
    .getNode({})
    .then(
      () => 'answered',
      (error: { readonly details: string }) => error.details,
    );
  const overHttp = await overHttps(place, files);
  expect(overHttp).toBe(overGrpc);
  return overGrpc;
}

function overHttps({ server, authority }: Place, files?: CertificateFiles): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request(
      `https://${server.httpAddress}/api/NodeService/GetNode`,
      {
        ...{ method: 'POST', agent: false, headers: { 'content-type': 'application/json' } },
        ca: readFileSync(authority.cert),
        ...(files !== undefined && { cert: readFileSync(files.cert), key: readFileSync(files.key) }),
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.once('end', () => {
          const body = JSON.parse(Buffer.concat(parts).toString()) as { error?: { message: string } };
          resolve(body.error?.message ?? 'answered');
        });
      },
    );
    call.once('error', reject);
    call.end('{}');
  });
}

test('a certificate counts only where it is bound, and is not needed where a token is shown', async () => {
  const place = await started({ anonymousRole: 'none' });
  const files = place.authority.issue({ names: `DNS:other,URI:${workload}`, use: 'clientAuth' });
  expect(await asked(place, files)).toMatch(/no name of the certificate is one that this node knows/);
  const made = await place.admin.createToken({
    ...{ name: 'ci', role: Role.INVOKE, certificateNames: [`URI:${workload}`] },
  });
  expect(made.secret).toBe('');
  expect(await asked(place, files)).toBe('answered');
  expect(await asked(place)).toMatch(/this node wants a token/);
  const { tokens } = await place.admin.listTokens({});
  expect(tokens).toMatchObject([{ name: 'ci', certificateNames: [`URI:${workload}`] }]);
  expect(tokens[0]?.lastUsedAt).toBeDefined();
});

async function shaken(options: ConnectionOptions & { readonly localPort?: number }): Promise<TLSSocket> {
  const socket = connectTls({ ...options, ALPNProtocols: ['h2'], servername: 'localhost' });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

/** The status of gRPC that a call over a connection ends with. */
async function statusOver(socket: TLSSocket): Promise<unknown> {
  const session = connectHttp2('https://localhost', { createConnection: () => socket });
  onTestFinished(() => session.destroy());
  const call = session.request({
    ...{ ':method': 'POST', ':path': '/spearlet.AccessService/ListTokens' },
    ...{ 'content-type': 'application/grpc', te: 'trailers' },
  });
  const status = new Promise((resolve, reject) => {
    const look = (headers: Readonly<Record<string, unknown>>): void => {
      if (headers['grpc-status'] !== undefined) resolve(Number(headers['grpc-status']));
    };
    call.on('response', look).on('trailers', look).once('error', reject);
  });
  call.resume();
  call.end(Buffer.alloc(5));
  return await status;
}

test('who shows no certificate is not who shows one from the same address and port at another address of the node', async () => {
  const { server, authority } = await started({ anonymousRole: 'none', grpcAddress: '0.0.0.0:0' });
  const port = Number(server.grpcAddress.split(':').at(-1));
  const admin = connect(`127.0.0.1:${port}`, {
    ...{ token: adminToken(server.dataDir), tls: { ca: readFileSync(authority.cert) } },
  });
  onTestFinished(() => admin.close());
  await admin
    .service(AccessService)
    .createToken({ name: 'ci', role: Role.ADMIN, certificateNames: [`URI:${workload}`] });
  const files = authority.issue({ names: `URI:${workload}`, use: 'clientAuth' });
  const shown = { cert: readFileSync(files.cert), key: readFileSync(files.key) };
  const to = (host: string) => ({ host, port, ca: readFileSync(authority.cert), localAddress: '127.0.0.1' });
  const first = await shaken({ ...to('127.0.0.1'), ...shown });
  expect(await statusOver(first)).toBe(status.OK);
  const second = await shaken({ ...to('127.0.0.2'), localPort: first.localPort ?? 0 });
  expect(second.localPort).toBe(first.localPort);
  expect(await statusOver(second)).toBe(status.UNAUTHENTICATED);
  expect(await statusOver(await shaken(to('127.0.0.2')))).toBe(status.UNAUTHENTICATED);
});

test('a token beats a certificate, also one that is not good', async () => {
  const { server, authority, admin } = await started({ anonymousRole: 'none' });
  await admin.createToken({ name: 'ci', role: Role.OPERATE, certificateNames: [`URI:${workload}`] });
  const { secret } = await admin.createToken({ name: 'reader', role: Role.OBSERVE });
  const files = authority.issue({ names: `URI:${workload}`, use: 'clientAuth' });
  const reader = connected(server, authority, { files, token: secret }).service(AccessService);
  expect(await refusal(reader.listTokens({}))).toMatchObject({
    message: expect.stringContaining('"token reader" has observe'),
  });
  const wrong = connected(server, authority, { files, token: 'wrong' }).service(NodeService);
  expect(await refusal(wrong.getNode({}))).toMatchObject({ code: 'UNAUTHENTICATED' });
});

test.each<[string, (authority: CertificateAuthority) => CertificateFiles, RegExp]>([
  [
    'expired',
    (authority) =>
      authority.issue({ names: `URI:${workload}`, use: 'clientAuth', notAfter: '20240101000000Z' }),
    /not one that this node trusts \(CERT_HAS_EXPIRED\)|has expired/,
  ],
  [
    'from another authority',
    () => new CertificateAuthority().issue({ names: `URI:${workload}`, use: 'clientAuth' }),
    /not one that this node trusts/,
  ],
  [
    'for servers',
    (authority) => authority.issue({ names: `URI:${workload}`, use: 'serverAuth' }),
    /not one that this node trusts/,
  ],
  [
    'of another name',
    (authority) => authority.issue({ names: `DNS:ci,URI:${workload}/other`, use: 'clientAuth' }),
    /no name of the certificate/,
  ],
])(
  'a certificate that is %s is refused, also where callers without one may do much',
  async (_what, of, says) => {
    const place = await started({ anonymousRole: 'operate' });
    await place.admin.createToken({ name: 'ci', role: Role.ADMIN, certificateNames: [`URI:${workload}`] });
    expect(await asked(place, of(place.authority))).toMatch(says);
  },
);

test('a revoked certificate is refused on the connection that it came with, and another of the name is not', async () => {
  const place = await started({ anonymousRole: 'none' });
  const { server, authority, admin } = place;
  await admin.createToken({ name: 'ci', role: Role.INVOKE, certificateNames: [`URI:${workload}`] });
  const [first, second] = [1, 2].map(() => authority.issue({ names: `URI:${workload}`, use: 'clientAuth' }));
  if (first === undefined || second === undefined) throw new Error('no certificates');
  const open = connected(server, authority, { files: first }).service(NodeService);
  await open.getNode({});
  const watch = open.watchNode({})[Symbol.asyncIterator]();
  await watch.next();
  await admin.revokeToken({ name: 'ci', fingerprint: fingerprintOf(first.cert) });
  expect(await refusal(open.getNode({}))).toMatchObject({
    code: 'UNAUTHENTICATED',
    message: expect.stringContaining('the certificate was revoked'),
  });
  expect(await refusal(rest(watch))).toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(await asked(place, second)).toBe('answered');
  await admin.revokeToken({ name: 'ci' });
  expect(await asked(place, second)).toMatch(/no name of the certificate/);
});

async function rest(watch: AsyncIterator<unknown>): Promise<void> {
  for (let next = await watch.next(); next.done !== true; next = await watch.next());
}

test('what a certificate stands for ends with its time, and stays over a restart', async () => {
  const place = await started();
  const { admin, authority, server } = place;
  const names = [`URI:${workload}`, 'DNS:ci.example'];
  await admin.createToken({ name: 'ci', role: Role.INVOKE, certificateNames: names });
  await server.node.drain();
  const { cert, key } = authority.issue({ names: here });
  const again = await startServer({
    ...{ dataDir: server.dataDir, tlsCert: cert, tlsKey: key, tlsClientCa: authority.cert },
    anonymousRole: 'none',
  });
  onTestFinished(() => again.stop());
  const later = { server: again, authority, admin: adminOf(again, authority) };
  const files = authority.issue({ names: 'DNS:ci.example', use: 'clientAuth' });
  expect(await asked(later, files)).toBe('answered');
  await later.admin.revokeToken({ name: 'ci' });
  const expiresAt = timestampFromMs(Date.now() + 300);
  await later.admin.createToken({ name: 'ci', role: Role.INVOKE, certificateNames: names, expiresAt });
  await expect.poll(() => asked(later, files)).toMatch(/what the certificate stands for has expired/);
});

test.each([
  [{ certificateNames: ['ci'] }, /certificate_names: has "ci"; allowed are URI/],
  [{ certificateNames: ['email:a@b'] }, /certificate_names: has "email:a@b"/],
  [{ certificateNames: Array.from({ length: 17 }, () => 'DNS:a') }, /certificate_names: has 17 names/],
])('%j is refused', async (wishes, says) => {
  const { admin } = await started();
  const refused = await refusal(admin.createToken({ name: 'ci', role: Role.INVOKE, ...wishes }));
  expect(refused).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(says) });
});

test('two do not stand for one name, and a token has no certificate to revoke', async () => {
  const { admin } = await started();
  await admin.createToken({ name: 'one', role: Role.INVOKE, certificateNames: ['DNS:a'] });
  const two = { name: 'two', role: Role.INVOKE, certificateNames: ['DNS:b', 'DNS:a'] };
  expect(await refusal(admin.createToken(two))).toMatchObject({
    code: 'ALREADY_EXISTS',
    message: expect.stringContaining('"DNS:a" stands for "one" already'),
  });
  await admin.createToken({ name: 'two', role: Role.INVOKE });
  const fingerprint = 'ab'.repeat(32);
  expect(await refusal(admin.revokeToken({ name: 'two', fingerprint }))).toMatchObject({
    code: 'FAILED_PRECONDITION',
    reason: 'TOKEN_HAS_NO_CERTIFICATES',
  });
  expect(await refusal(admin.revokeToken({ name: 'one', fingerprint: 'x' }))).toMatchObject({
    code: 'INVALID_ARGUMENT',
    fields: { fingerprint: expect.stringContaining('SHA-256') },
  });
});
