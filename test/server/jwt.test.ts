/** Tokens that somebody else has issued and signed. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/cli/client.ts';
import { type ConfigFlags, resolveConfig } from '../../src/config.ts';
import { openCallers } from '../../src/node/callers.ts';
import { JwtKeys } from '../../src/server/access/jwt-keys.ts';
import { JwtVerifier } from '../../src/server/access/jwt-verifier.ts';
import { OpenCalls } from '../../src/server/access/open-calls.ts';
import { PageAccess } from '../../src/server/access/page-access.ts';
import { AccessService } from '../../src/server/gen/spearlet/access_pb.js';
import { NodeService } from '../../src/server/gen/spearlet/node_pb.js';
import { openTokens } from '../../src/stores/token-file.ts';
import { openLog } from '../../src/telemetry/logger.ts';
import { CertificateAuthority } from '../support/certificates.ts';
import { FakeClock } from '../support/fake-clock.ts';
import {
  audience,
  type Claims,
  type IssuedKey,
  issuerName,
  keySet,
  newKey,
  signed,
  signedWithPublicKey,
  unsigned,
  usualClaims,
} from '../support/issuer.ts';
import { type LocalServer, startServer } from '../support/server.ts';
import { refusal } from './refusal.ts';

const key = newKey('first');
const other = newKey('first');

function fileOf(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'spear-jwks-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'jwks.json');
  writeFileSync(path, text);
  return path;
}

async function started(flags: ConfigFlags = {}): Promise<LocalServer> {
  const server = await startServer({
    ...{ jwtJwks: fileOf(keySet(key)), jwtIssuer: issuerName, jwtAudience: audience },
    ...flags,
  });
  onTestFinished(() => server.stop());
  return server;
}

function nodeWith(server: LocalServer, token: string) {
  const connection = connect(server.grpcAddress, { token });
  onTestFinished(() => connection.close());
  return connection.service(NodeService);
}

async function refusalOf(server: LocalServer, token: string) {
  const overGrpc = await refusal(nodeWith(server, token).getNode({}));
  const overHttp = await fetch(`http://${server.httpAddress}/api/NodeService/GetNode`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: '{}',
  });
  const { error } = (await overHttp.json()) as { error: { code: string; message: string } };
  expect(error).toMatchObject({ code: overGrpc.code, message: overGrpc.message });
  return overGrpc;
}

test('a token of the issuer is taken over gRPC and HTTP, and its role holds', async () => {
  const server = await started();
  const token = signed(key, usualClaims());
  expect((await nodeWith(server, token).getNode({})).node?.nodeId).not.toBe('');
  const answer = await fetch(`http://${server.httpAddress}/api/NodeService/GetNode`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: '{}',
  });
  expect(answer.status).toBe(200);
  const connection = connect(server.grpcAddress, { token });
  onTestFinished(() => connection.close());
  expect(await refusal(connection.service(AccessService).listTokens({}))).toMatchObject({
    code: 'PERMISSION_DENIED',
    reason: 'ROLE_MISSING',
    message: expect.stringContaining('"jwt default/ada" has invoke'),
  });
});

const hour = 3600;
const now = (): number => Math.floor(Date.now() / 1000);
const without = (claim: string): Claims => {
  const { [claim]: _left, ...rest } = usualClaims();
  return rest;
};

test.each<[string, () => string, RegExp]>([
  ['expired', () => signed(key, { ...usualClaims(), exp: now() - 31 }), /has expired/],
  ['good only later', () => signed(key, { ...usualClaims(), nbf: now() + hour }), /not good yet/],
  ['signed by somebody else', () => signed(other, usualClaims()), /signature/],
  ['cut short', () => signed(key, usualClaims()).slice(0, -10), /signature|none that this node can check/],
  ['without a signature', () => `${unsigned({ alg: 'none' }, usualClaims())}.`, /not signed by one of/],
  [
    'said to be without one, with one',
    () => signed(key, usualClaims(), { alg: 'none' }),
    /not signed by one of/,
  ],
  ['signed with the public key', () => signedWithPublicKey(key, usualClaims()), /not signed by one of/],
  ['signed by an unknown key', () => signed(newKey('second'), usualClaims()), /key that its issuer does not/],
  ['of another issuer', () => signed(key, { ...usualClaims(), iss: 'https://other' }), /claim "iss"/],
  ['for another audience', () => signed(key, { ...usualClaims(), aud: ['other'] }), /claim "aud"/],
  ['without an end', () => signed(key, without('exp')), /claim "exp"/],
  ['of nobody', () => signed(key, without('sub')), /claim "sub"/],
  ['with an end that is no number', () => signed(key, { ...usualClaims(), exp: 'never' }), /claim "exp"/],
  [
    'with an extension that it must be understood by',
    () => signed(key, usualClaims(), { crit: ['x'], x: 1 }),
    /none that this node can check/,
  ],
  [
    'with a key of its own',
    () => signed(other, usualClaims(), { jwk: other.publicKey.export({ format: 'jwk' }) }),
    /signature/,
  ],
  ['no text in base64url', () => 'a.b.c', /none that this node can check|not signed/],
])('a token that is %s is unauthenticated', async (_what, token, says) => {
  const server = await started();
  expect(await refusalOf(server, token())).toMatchObject({
    code: 'UNAUTHENTICATED',
    reason: 'UNAUTHENTICATED',
    message: expect.stringMatching(says),
  });
  expect(server.bugs).toEqual([]);
});

test.each<[string, string, unknown]>([
  ['no tenant', 'spear_tenant', undefined],
  ['a tenant that is a number', 'spear_tenant', 7],
  ['an empty tenant', 'spear_tenant', ''],
  ['a tenant with a name that no tenant has', 'spear_tenant', 'a/b'],
  ['no role', 'spear_role', undefined],
  ['an unknown role', 'spear_role', 'root'],
  ['several roles', 'spear_role', ['invoke', 'admin']],
  ['a role of the language', 'spear_role', 'toString'],
  ['no tasks', 'spear_tasks', undefined],
  ['tasks that are one text', 'spear_tasks', '*'],
  ['an empty list of tasks', 'spear_tasks', []],
  ['tasks that are numbers', 'spear_tasks', [1]],
  ['the role of an administrator, who is not let in so', 'spear_role', 'admin'],
  ['a name that is a number', 'sub', 42],
  ['a name that is a list', 'sub', ['ada']],
  ['a name that is an object', 'sub', { name: 'ada' }],
  ['a name that is nothing', 'sub', null],
  ['an empty name', 'sub', ''],
  ['a name with half a character', 'sub', '\ud800'],
  ['a name that is too long', 'sub', 'a'.repeat(257)],
])('a token with %s may do nothing', async (_what, claim, value) => {
  const server = await started();
  expect(await refusalOf(server, signed(key, { ...usualClaims(), [claim]: value }))).toMatchObject({
    code: 'PERMISSION_DENIED',
    reason: 'CLAIM_NOT_ALLOWED',
    metadata: { claim },
  });
  expect(server.bugs).toEqual([]);
});

test('two names of an issuer stay two, whatever is in them', async () => {
  const clock = new FakeClock();
  const { keys, verifier } = verifierOf(fileOf(keySet(key)), clock);
  await keys.open();
  const nameOf = async (sub: string): Promise<string> =>
    (await verifier.verify(signed(key, { ...usualClaims(clock.now()), sub }))).name;
  expect(await nameOf('auth0|a_b@c')).toBe('jwt default/auth0|a_b@c');
  expect(await nameOf('a b')).toBe('jwt default/a%20b');
  expect(await nameOf('a%20b')).toBe('jwt default/a%2520b');
  expect(await nameOf('\u202ea\n')).toBe('jwt default/%E2%80%AEa%0A');
  expect(await nameOf('😀'.repeat(128))).toBe(`jwt default/${'%F0%9F%98%80'.repeat(128)}`);
});

test('an administrator comes with a token where the node was told so, and claims may have other names', async () => {
  const server = await started({ jwtAllowAdmin: true, jwtRoleClaim: 'https://spear.example/role' });
  const claims = { ...without('spear_role'), 'https://spear.example/role': 'admin' };
  const connection = connect(server.grpcAddress, { token: signed(key, claims) });
  onTestFinished(() => connection.close());
  expect((await connection.service(AccessService).listTokens({})).tokens).toEqual([]);
});

test('a token that expired a moment ago is taken, as two clocks differ', async () => {
  const server = await started();
  const token = signed(key, { ...usualClaims(), exp: now() - 5 });
  expect((await nodeWith(server, token).getNode({})).node?.nodeId).not.toBe('');
});

function verifierOf(source: string, clock: FakeClock) {
  const failures: string[] = [];
  const keys = new JwtKeys(source, clock, {
    changed: () => {},
    failed: (error) => failures.push(error.message),
  });
  onTestFinished(() => keys.close());
  const rules = { issuer: issuerName, audience, allowAdmin: false };
  const claims = { tenantClaim: 'spear_tenant', roleClaim: 'spear_role', tasksClaim: 'spear_tasks' };
  return { keys, failures, verifier: new JwtVerifier({ ...rules, ...claims }, keys, clock, () => {}) };
}

/** A JWK set at an https URL of this test, which can be another, and be away. */
async function published(text: string) {
  const authority = new CertificateAuthority();
  const files = authority.issue({ names: 'DNS:localhost,IP:127.0.0.1' });
  const before = getCACertificates();
  setDefaultCACertificates([...before, readFileSync(authority.cert, 'utf8')]);
  onTestFinished(() => setDefaultCACertificates(before));
  const state = { text, code: 200, asked: 0 };
  const server = createServer(
    { cert: readFileSync(files.cert), key: readFileSync(files.key) },
    (_request, response) => {
      state.asked += 1;
      response.writeHead(state.code).end(state.text);
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { state, url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/jwks` };
}

test('keys that rotate in the middle are read again, not more often than every ten seconds', async () => {
  const { state, url } = await published(keySet(key));
  const clock = new FakeClock();
  const { keys, verifier } = verifierOf(url, clock);
  await keys.open();
  const claims = usualClaims(clock.now());
  await verifier.verify(signed(key, claims));
  const second = newKey('second');
  const byStranger = () => verifier.verify(signed(newKey('stranger'), claims));
  await expect(byStranger()).rejects.toThrow('key that its issuer does not have');
  expect(state.asked).toBe(1);
  state.text = keySet(key, second);
  await clock.advance(10_000);
  const token = signed(second, claims);
  expect(await verifier.verify(token)).toMatchObject({ name: 'jwt default/ada', role: 'invoke' });
  for (let time = 0; time < 20; time += 1) await expect(byStranger()).rejects.toThrow('key');
  expect(state.asked).toBe(2);
});

test('a key that the issuer takes back counts no more, also for tokens that were seen before', async () => {
  const { state, url } = await published(keySet(key));
  const clock = new FakeClock();
  const { keys, verifier } = verifierOf(url, clock);
  await keys.open();
  const token = signed(key, usualClaims(clock.now()));
  await verifier.verify(token);
  expect(verifier.known(token)).toMatchObject({ name: 'jwt default/ada' });
  state.text = keySet(newKey('second'));
  await clock.advance(5 * 60_000);
  await expect.poll(() => verifier.known(token)).toBeUndefined();
  await expect(verifier.verify(token)).rejects.toThrow('key that its issuer does not have');
});

test('what is open for a token ends when its issuer takes back the key that has signed it', async () => {
  const clock = new FakeClock();
  const staying = newKey('second');
  const source = fileOf(keySet(key, staying));
  const opened = new AsyncDisposableStack();
  onTestFinished(() => opened.disposeAsync());
  const tokens = await openTokens(dirname(source), clock);
  opened.defer(() => tokens.close());
  const open = {
    pageAccess: new PageAccess(clock),
    calls: new OpenCalls(clock, { perPrincipal: 10, perAddress: 10 }),
  };
  opened.defer(() => open.calls.close());
  const config = resolveConfig({ jwtJwks: source, jwtIssuer: issuerName, jwtAudience: audience }, {});
  const callers = await openCallers(
    config,
    openLog({ level: 'silent', format: 'json' }).logger,
    { clock, tokens },
    open,
    opened,
  );
  await clock.advance(5 * 60_000 - 1000);
  const ended: string[] = [];
  const begin = async (by: IssuedKey) => {
    const authorization = `Bearer ${signed(by, usualClaims(clock.now()))}`;
    const principal = await callers.authenticate({ authorization, address: '' });
    const { pageAccess, calls } = open;
    calls.enter(principal, '', ({ message }) => ended.push(`${by.id}: ${message}`));
    const code = pageAccess.createCode(principal).secret;
    const session = pageAccess.openSession(pageAccess.createCode(principal).secret).secret;
    const ticket = pageAccess.createTicket(principal, '/').secret;
    return { code, session, ticket };
  };
  const gone = await begin(key);
  const stays = await begin(staying);
  // Another key with the name of the one that is gone.
  writeFileSync(source, keySet(other, staying));
  await clock.advance(1000);
  await expect.poll(() => ended).toEqual([expect.stringMatching(/^first: .*its issuer has taken back/)]);
  const { pageAccess } = open;
  expect(pageAccess.find(gone.session)).toBeUndefined();
  expect(() => pageAccess.openSession(gone.code)).toThrow('the code is unknown');
  expect(() => pageAccess.takeTicket(gone.ticket, '/')).toThrow('the ticket is unknown');
  expect(pageAccess.find(stays.session)).toMatchObject({ name: 'jwt default/ada', session: true });
  expect(pageAccess.openSession(stays.code).secret).not.toBe('');
  expect(pageAccess.takeTicket(stays.ticket, '/')).toMatchObject({ name: 'jwt default/ada' });
  expect(ended).toHaveLength(1);
});

test('an issuer that is away leaves the keys that are known, and a node without any says so', async () => {
  const { state, url } = await published(keySet(key));
  const clock = new FakeClock();
  const away = verifierOf(url, clock);
  state.code = 503;
  await expect(away.keys.open()).rejects.toThrow('the answer is 503');
  const token = signed(key, usualClaims(clock.now()));
  await expect(away.verifier.verify(token)).rejects.toMatchObject({
    kind: 'unavailable',
    reason: 'ISSUER_KEYS_UNAVAILABLE',
  });
  state.code = 200;
  await clock.advance(10_000);
  await away.verifier.verify(token);
  state.code = 503;
  await clock.advance(5 * 60_000);
  await expect.poll(() => away.failures).toMatchObject([expect.stringContaining('503')]);
  await away.verifier.verify(signed(key, { ...usualClaims(clock.now()), sub: 'bob' }));
  expect(away.verifier.known(token)).toBeDefined();
});

test('a token that was seen before ends with its time', async () => {
  const clock = new FakeClock();
  const { keys, verifier } = verifierOf(fileOf(keySet(key)), clock);
  await keys.open();
  const token = signed(key, { ...usualClaims(clock.now()), exp: Math.floor(clock.now() / 1000) + 60 });
  await verifier.verify(token);
  await clock.advance(88_000);
  expect(verifier.known(token)).toBeDefined();
  await clock.advance(3000);
  expect(verifier.known(token)).toBeUndefined();
  await expect(verifier.verify(token)).rejects.toThrow('has expired');
});

test.each([
  ['no JSON', 'x', /JSON/],
  ['no set', '{}', /is no set of keys/],
  ['a private key', JSON.stringify({ keys: [key.privateKey.export({ format: 'jwk' })] }), /a private key/],
  ['a secret', '{"keys":[{"kty":"oct","k":"AA"}]}', /has a secret/],
])('a node does not start with %s for the keys of an issuer', async (_what, text, says) => {
  await expect(started({ jwtJwks: fileOf(text) })).rejects.toThrow(says);
});

test.each<[ConfigFlags, RegExp]>([
  [{ jwtIssuer: '' }, /--jwt-issuer: is missing/],
  [{ jwtAudience: '' }, /--jwt-audience: is missing/],
  [{ jwtJwks: 'http://issuer.example/keys' }, /--jwt-jwks: is .*; allowed are a file and an https URL/],
])('%j is refused with what is allowed', async (flags, says) => {
  await expect(started(flags)).rejects.toThrow(says);
});
