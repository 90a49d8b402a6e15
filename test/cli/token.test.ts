import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AccessService, Role } from '../../src/server/gen/spearlet/access_pb.js';
import { type LocalServer, startServer } from '../support/server.ts';
import { errorLine, run, temporaryFolder } from './spear.ts';

let server: LocalServer;

beforeAll(async () => {
  server = await startServer({ anonymousRole: 'none', allowHostAccess: 'true' });
});

afterAll(() => server.stop());

const spear = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  run(args, { address: server.grpcAddress, env });

/** Where no node is noted, as another user of the machine has it. */
const stranger = { XDG_STATE_HOME: '/nonexistent' };

describe('spear token', () => {
  it('makes, lists and revokes tokens', async () => {
    const made = await spear(['token', 'create', 'ci', '--role', 'invoke', '--expires', '30d']);
    expect([made.code, made.stdout.toString()]).toEqual([0, expect.stringMatching(/^spear_[\w-]{43}\n$/)]);
    const listed = (await spear(['token', 'list'])).stdout.toString();
    expect(listed).toMatch(/^ci +invoke +default +- +\d{4}-.* \d{4}-\S+ +never$/m);
    expect(listed).not.toContain(made.stdout.toString().trim());
    const revoked = await spear(['token', 'revoke', 'ci']);
    expect([revoked.code, errorLine(revoked)]).toEqual([0, 'spear: revoked ci']);
    expect((await spear(['token', 'list'])).stdout.toString()).not.toContain('ci');
  });

  it('makes, lists and revokes what certificates stand for', async () => {
    const names = ['--san', 'spiffe://spear.example/ci', '--san', 'DNS:ci.example'];
    const made = await spear(['token', 'create', 'bound', '--role', 'invoke', ...names]);
    expect([made.code, made.stdout.toString(), errorLine(made)]).toEqual([
      ...[0, ''],
      'spear: certificates with spiffe://spear.example/ci, DNS:ci.example stand for bound',
    ]);
    const fingerprint = 'ab'.repeat(32);
    const revoked = await spear(['token', 'revoke', 'bound', '--fingerprint', fingerprint]);
    expect(errorLine(revoked)).toBe(`spear: revoked ${fingerprint} of bound`);
    const listed = JSON.parse((await spear(['token', 'list', '--json'])).stdout.toString()) as {
      readonly tokens: readonly Record<string, unknown>[];
    };
    expect(listed.tokens.find(({ name }) => name === 'bound')).toMatchObject({
      certificateNames: ['URI:spiffe://spear.example/ci', 'DNS:ci.example'],
      revokedFingerprints: [Array.from({ length: 32 }, () => 'AB').join(':')],
    });
    expect((await spear(['token', 'revoke', 'bound'])).code).toBe(0);
  });

  it.each([
    [['token', 'create', 'a', '--role', 'king'], /--role: is "king"; allowed are observe, invoke/],
    [['token', 'create', 'a'], /--role/],
    [['token', 'create', 'a b', '--role', 'admin'], /NAME: is "a b"; allowed are/],
    [['token', 'create', 'a', '--role', 'admin', '--expires', 'soon'], /--expires: is "soon"/],
    [
      ['token', 'create', 'a', '--role', 'admin', '--task', 'x'],
      /--task: is for a token that is held to tasks/,
    ],
    [
      ['token', 'create', 'a', '--role', 'invoke', '--task', ''],
      /--task\[0\]: has 0 characters; allowed are 1 to 256/,
    ],
    [['token', 'create', 'a', '--role', 'invoke', '--tenant', 'A'], /--tenant: is "A"; allowed are 1 to 63/],
  ])('says what is wrong with %j', async (args, message) => {
    const ended = await spear(args);
    expect([ended.code, errorLine(ended)]).toEqual([64, expect.stringMatching(message)]);
  });

  it('says that there is none of that name', async () => {
    const ended = await spear(['token', 'revoke', 'nobody']);
    expect([ended.code, errorLine(ended)]).toEqual([127, 'spear: no token "nobody"']);
  });
});

describe('a tenant', () => {
  it('is that of a token, and of what is asked with --tenant or SPEAR_TENANT', async () => {
    const globs = ['--task', 'x-*', '--task', 'y'];
    const made = await spear(['token', 'create', 'team', '--role', 'develop', '--tenant', 'team', ...globs]);
    const listed = (await spear(['token', 'list'])).stdout.toString();
    expect(listed).toMatch(/^team +develop +team +x-\* y /m);
    const token = { ...stranger, SPEAR_TOKEN: made.stdout.toString().trim() };
    expect((await spear(['list'], token)).code).toBe(0);
    expect((await spear(['list'], { ...token, SPEAR_TENANT: 'team' })).code).toBe(0);
    const other = await spear(['list', '--tenant', 'other'], token);
    expect([other.code, errorLine(other)]).toEqual([
      64,
      expect.stringMatching(/is "other"; allowed is "team"/),
    ]);
    const wrong = await spear(['list'], { SPEAR_TENANT: 'Team' });
    expect([wrong.code, errorLine(wrong)]).toEqual([64, expect.stringMatching(/SPEAR_TENANT: is "Team"/)]);
  });

  it('has executions of its own, which a list of all tenants tells apart', async () => {
    const env = { SPEAR_TENANT: 'shop' };
    const program = ['--runtime', 'process', '--artifact', '/bin/true'];
    expect((await spear(['task', 'register', 'true', ...program], env)).code).toBe(0);
    const invoked = await spear(['invoke', 'true', '--mode', 'async'], env);
    expect(invoked.code).toBe(0);
    expect((await spear(['list'])).stdout.toString()).not.toContain('true');
    expect((await spear(['list'], env)).stdout.toString()).toMatch(/^exec_\w+ +true /m);
    expect((await spear(['list', '--all-tenants'])).stdout.toString()).toMatch(
      /^TENANT +EXECUTION.*\nshop +exec_\w+ +true /,
    );
    expect((await spear(['top', '--once', '--all-tenants'])).code).toBe(0);
    expect((await spear(['task', 'show', 'true', '--tenant', 'shop'])).stdout.toString()).toMatch(
      /^tenant +shop$/m,
    );
    expect((await spear(['task', 'show', 'true'])).code).toBe(127);
  });
});

describe('a command', () => {
  it('reaches a node of its own user without a token', async () => {
    expect((await spear(['list'])).code).toBe(0);
    const port = server.grpcAddress.split(':')[1];
    expect((await run(['list', '--address', `localhost:${port}`])).code).toBe(0);
  });

  it("of somebody else hears how to show a token, and none of the node's is found", async () => {
    const ended = await spear(['list'], stranger);
    expect([ended.code, errorLine(ended)]).toEqual([
      64,
      expect.stringMatching(/wants a token.*--token-file/),
    ]);
  });

  it('shows the token of SPEAR_TOKEN, or of a file before that', async () => {
    const access = server.connection.service(AccessService);
    const { secret } = await access.createToken({ name: 'reader', role: Role.OBSERVE });
    const file = join(await temporaryFolder(), 'token');
    await writeFile(file, `${secret}\n`);
    expect((await spear(['list'], { ...stranger, SPEAR_TOKEN: secret })).code).toBe(0);
    const withFile = ['list', '--token-file', file];
    expect((await spear(withFile, { ...stranger, SPEAR_TOKEN: 'wrong' })).code).toBe(0);
    // A proxy of the environment is not asked to carry it.
    const proxied = { ...stranger, SPEAR_TOKEN: secret, http_proxy: 'http://127.0.0.1:9' };
    expect((await spear(['list'], proxied)).code).toBe(0);
    // What it may do with the token is what the token may do, also at its own node.
    const ended = await spear(['task', 'delete', 'x', '--token-file', file]);
    expect([ended.code, errorLine(ended)]).toEqual([64, expect.stringMatching(/needs the role develop/)]);
  });

  it.each([
    [['list', '--token-file', '/nonexistent/file'], {}, /--token-file: cannot read .*there is no such file/],
    [['list'], { SPEAR_TOKEN: 'two words' }, /SPEAR_TOKEN: is no token/],
    [['list', '--address', '192.0.2.1:50051'], { SPEAR_TOKEN: 'x' }, /only over TLS/],
    [['list', '--address', '127.example:50051'], { SPEAR_TOKEN: 'x' }, /only over TLS/],
  ])('does not send what is none, or where others could read it: %j %j', async (args, env, message) => {
    const ended = await spear(args, env);
    expect([ended.code, errorLine(ended)]).toEqual([64, expect.stringMatching(message)]);
  });
});

describe('spear link', () => {
  it('prints a link with a token of one execution, and how to make it useless', async () => {
    await server.register('linked', 'wordcount/wordcount.wasm');
    const { executionId } = await server.functions.invokeFunction({ task: 'linked' });
    const made = await spear(['link', executionId, '--name', 'for-you']);
    expect(made.code).toBe(0);
    const link = new URL(made.stdout.toString().trim());
    expect(link.origin + link.pathname + link.search).toBe(
      `http://${server.httpAddress}/?execution=${executionId}`,
    );
    expect(link.hash).toMatch(/^#token=spear_[\w-]{43}$/);
    expect(made.stderr).toContain('token revoke for-you');
    const listed = (await spear(['token', 'list'])).stdout.toString();
    expect(listed).toMatch(new RegExp(`^for-you +observe +default +${executionId}`, 'm'));
  });

  it('is refused for what is no execution here', async () => {
    const made = await spear(['link', 'exec_00000000000000000000000000']);
    expect([made.code, errorLine(made)]).toEqual([127, expect.stringContaining('no execution')]);
  });
});
