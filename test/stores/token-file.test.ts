import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { adminTokenFile, openTokens } from '../../src/stores/token-file.ts';
import { tokensFile } from '../../src/stores/token-records.ts';
import { FakeClock } from '../support/fake-clock.ts';

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'spear-tokens-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

it("the administrator's token is made once, for the node's user alone", async () => {
  const dataDir = await folder();
  const clock = new FakeClock();
  await openTokens(dataDir, clock);
  const token = (await readFile(join(dataDir, adminTokenFile), 'utf8')).trim();
  expect(token).toMatch(/^spear_[\w-]{43}$/);
  expect((await stat(join(dataDir, adminTokenFile))).mode & 0o777).toBe(0o600);
  await chmod(join(dataDir, adminTokenFile), 0o644);
  const again = await openTokens(dataDir, clock);
  expect(again.find(token)).toMatchObject({ role: 'admin' });
  expect((await stat(join(dataDir, adminTokenFile))).mode & 0o777).toBe(0o600);
  expect(again.find(`${token}x`)).toBeUndefined();
});

it('tokens are found again after a restart, and are kept as hashes in a file of the user alone', async () => {
  const dataDir = await folder();
  const clock = new FakeClock();
  const first = await openTokens(dataDir, clock);
  const { token } = await first.create({ name: 'ci', role: 'invoke' });
  const text = await readFile(join(dataDir, tokensFile), 'utf8');
  expect(text).not.toContain(token);
  expect((await stat(join(dataDir, tokensFile))).mode & 0o777).toBe(0o600);
  const second = await openTokens(dataDir, clock);
  expect(second.find(token)).toEqual({ name: 'token ci', role: 'invoke' });
  await second.revoke('ci');
  expect(second.find(token)).toBeUndefined();
  expect((await openTokens(dataDir, clock)).find(token)).toBeUndefined();
});

it('a token is of a tenant and of tasks also after a restart, and one from before tenants is of the default one', async () => {
  const dataDir = await folder();
  const clock = new FakeClock();
  const first = await openTokens(dataDir, clock);
  const made = { name: 'ci', role: 'invoke', tenant: 'a', tasks: ['x-*'] } as const;
  const { token } = await first.create(made);
  const { token: plain } = await first.create({ name: 'plain', role: 'invoke' });
  const again = await openTokens(dataDir, clock);
  expect(again.find(token)).toEqual({ name: 'token ci', role: 'invoke', tenant: 'a', tasks: ['x-*'] });
  // As the versions before wrote it.
  expect(await readFile(join(dataDir, tokensFile), 'utf8')).toMatch(
    /"name": "plain",\s+"role": "invoke",\s+"createdAt"/,
  );
  expect(again.find(plain)).toEqual({ name: 'token plain', role: 'invoke' });
  expect(again.list()).toMatchObject([made, { name: 'plain' }]);
  await again.close();
});

it.each([
  ['a tenant', { tenant: 'A' }],
  ['no text as its tenant', { tenant: 7 }],
  ['no tasks at all', { tasks: [] }],
  ['tasks that are no texts', { tasks: [7] }],
])(
  'a file in which a token has %s that nobody can have is not read as one for more',
  async (_what, change) => {
    const dataDir = await folder();
    const tokens = await openTokens(dataDir, new FakeClock());
    await tokens.create({ name: 'ci', role: 'invoke', tenant: 'a', tasks: ['x'] });
    const path = join(dataDir, tokensFile);
    const text = await readFile(path, 'utf8');
    const { version, tokens: kept } = JSON.parse(text) as { version: number; tokens: object[] };
    await writeFile(path, JSON.stringify({ version, tokens: kept.map((each) => ({ ...each, ...change })) }));
    await expect(openTokens(dataDir, new FakeClock())).rejects.toThrow(
      /a token that is none of this version/,
    );
  },
);

it('a token is good until it expires', async () => {
  const clock = new FakeClock();
  const tokens = await openTokens(await folder(), clock);
  const { token } = await tokens.create({ name: 'short', role: 'observe', expiresAt: clock.now() + 1000 });
  expect(tokens.find(token)).toBeDefined();
  await clock.advance(999);
  expect(tokens.find(token)).toBeDefined();
  await clock.advance(1);
  expect(tokens.find(token)).toBeUndefined();
});

it('the last use is kept to a minute', async () => {
  const dataDir = await folder();
  const clock = new FakeClock();
  const tokens = await openTokens(dataDir, clock);
  const { token } = await tokens.create({ name: 'a', role: 'observe' });
  const used = clock.now();
  tokens.find(token);
  await clock.advance(59_999);
  tokens.find(token);
  expect(tokens.list()).toMatchObject([{ lastUsedAt: used }]);
  await clock.advance(1);
  tokens.find(token);
  expect(tokens.list()).toMatchObject([{ lastUsedAt: used + 60_000 }]);
  await tokens.close();
  expect((await openTokens(dataDir, clock)).list()).toMatchObject([{ lastUsedAt: used + 60_000 }]);
});

it('changes at the same time are all kept', async () => {
  const dataDir = await folder();
  const clock = new FakeClock();
  const tokens = await openTokens(dataDir, clock);
  const names = Array.from({ length: 20 }, (_, index) => `t${index}`);
  await Promise.all(names.map((name) => tokens.create({ name, role: 'observe' })));
  const twice = await Promise.allSettled(
    ['new', 'new'].map((name) => tokens.create({ name, role: 'admin' })),
  );
  expect(twice.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  const kept = (await openTokens(dataDir, clock)).list().map(({ name }) => name);
  expect(kept).toEqual([...names, 'new'].sort());
});

it('one that cannot be written is not made', async () => {
  const dataDir = await folder();
  const tokens = await openTokens(dataDir, new FakeClock());
  await rm(dataDir, { recursive: true });
  await expect(tokens.create({ name: 'a', role: 'admin' })).rejects.toThrow(/cannot write/);
  expect(tokens.list()).toEqual([]);
});

it.each([
  [adminTokenFile, 'hello'],
  [tokensFile, '{'],
  [tokensFile, '{"version":2,"tokens":[]}'],
  [tokensFile, '{"version":1,"tokens":[{"name":"a","role":"king","sha256":"00","createdAt":1}]}'],
  [tokensFile, '{"version":1,"tokens":[null]}'],
])('a node does not start with a %s of %s', async (file, text) => {
  const dataDir = await folder();
  await writeFile(join(dataDir, file), text);
  await expect(openTokens(dataDir, new FakeClock())).rejects.toThrow(/cannot use the tokens/);
});

it('a token is of no use any more where its end cannot be written', async () => {
  const dataDir = await folder();
  const tokens = await openTokens(dataDir, new FakeClock());
  const { token } = await tokens.create({ name: 'a', role: 'admin' });
  await rm(dataDir, { recursive: true });
  await expect(tokens.revoke('a')).rejects.toThrow(/cannot write/);
  expect(tokens.find(token)).toBeUndefined();
});
