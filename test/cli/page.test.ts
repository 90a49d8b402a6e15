/** The link that the command prints. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { pageLink } from '../../src/config.ts';
import { AccessService, Role } from '../../src/server/gen/spearlet/access_pb.js';
import { adminTokenFile } from '../../src/stores/token-file.ts';
import { startServer } from '../support/server.ts';
import { run } from './spear.ts';

async function signIn(link: string): Promise<number> {
  const { origin, hash } = new URL(link);
  const answer = await fetch(`${origin}/api/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code: new URLSearchParams(hash.slice(1)).get('code') }),
  });
  return answer.status;
}

test('spear page prints a link that signs a browser in, once, and only to an administrator', async () => {
  const server = await startServer();
  onTestFinished(() => server.stop());
  const SPEAR_TOKEN = (await readFile(join(server.dataDir, adminTokenFile), 'utf8')).trim();
  const options = { address: server.grpcAddress, env: { SPEAR_TOKEN } };
  const { code, stdout, stderr } = await run(['page'], options);
  expect([code, stderr]).toEqual([0, '']);
  const link = stdout.toString().trimEnd();
  expect(link).toMatch(new RegExp(`^http://${server.httpAddress}/#code=[\\w-]{43}$`));
  expect(await signIn(link)).toBe(200);
  expect(await signIn(link)).toBe(401);

  const json = await run(['page', '--json'], options);
  expect(JSON.parse(json.stdout.toString())).toEqual({
    code: expect.stringMatching(/^[\w-]{43}$/),
    expiresAt: expect.any(String),
    httpAddress: server.httpAddress,
    tls: false,
  });

  const { secret } = await server.connection
    .service(AccessService)
    .createToken({ name: 'reader', role: Role.OBSERVE });
  const refused = await run(['page'], { ...options, env: { SPEAR_TOKEN: secret } });
  expect([refused.code, refused.stdout.toString()]).toEqual([64, '']);
  expect(refused.stderr).toContain('needs the role admin');
});

test('spear page --role prints a link with that role, and refuses what is none', async () => {
  const server = await startServer();
  onTestFinished(() => server.stop());
  const SPEAR_TOKEN = (await readFile(join(server.dataDir, adminTokenFile), 'utf8')).trim();
  const options = { address: server.grpcAddress, env: { SPEAR_TOKEN } };
  const made = await run(['page', '--role', 'observe'], options);
  const link = new URL(made.stdout.toString().trimEnd());
  const session = await fetch(`${link.origin}/api/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code: new URLSearchParams(link.hash.slice(1)).get('code') }),
  });
  const { token } = (await session.json()) as { token: string };
  const headers = { authorization: `Bearer ${token}` };
  const caller = await fetch(`${link.origin}/api/caller`, { headers });
  expect(await caller.json()).toHaveProperty('role', 'observe');
  const refused = await run(['page', '--role', 'reader'], options);
  expect([refused.code, refused.stdout.toString()]).toEqual([64, '']);
  expect(refused.stderr).toContain('--role: is "reader"; allowed are observe, invoke');
});

test.each([
  ['127.0.0.1:8080', 'http://127.0.0.1:8080/#code=x'],
  ['0.0.0.0:8080', 'http://127.0.0.1:8080/#code=x'],
  ['[::]:8080', 'http://127.0.0.1:8080/#code=x'],
  ['[::1]:8080', 'http://[::1]:8080/#code=x'],
  ['node.example:80', 'http://node.example:80/#code=x'],
])('a page at %s is at %s for a browser', (address, link) => {
  expect(pageLink(address, 'x', false)).toBe(link);
  expect(pageLink(address, 'x', true)).toBe(link.replace('http:', 'https:'));
});
