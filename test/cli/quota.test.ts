import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../src/client/channel.ts';
import { RuntimeKind, TaskService } from '../../src/server/gen/spearlet/task_pb.js';
import { adminTokenFile } from '../../src/stores/token-file.ts';
import { example, type LocalServer, startServer } from '../support/server.ts';
import { errorLine, run, temporaryFolder } from './spear.ts';

let server: LocalServer;

beforeAll(async () => {
  server = await startServer({ anonymousRole: 'none', slots: '1' });
});

afterAll(() => server.stop());

const spear = async (...args: readonly string[]) => {
  const { code, stdout, ...rest } = await run(args, { address: server.grpcAddress });
  const line = () => errorLine({ code, stdout, ...rest });
  return { code, stdout: stdout.toString(), line };
};

describe('spear quota', () => {
  it('changes what is named, shows it with what the tenant has, and takes it away', async () => {
    expect((await spear('quota', 'show', 'shop')).stdout).toMatch(/^shop +1 +0 +- +0 +- +- +- +-$/m);
    const made = await spear('quota', 'set', 'shop', '--weight', '4', '--pending', '100');
    expect([made.code, made.stdout]).toEqual([0, expect.stringMatching(/^shop +4 +0 +- +0 +100 +- +- +-$/m)]);
    await spear('quota', 'set', 'shop', '--running', '2');
    await spear('quota', 'set', 'a', '--running', '0');
    const listed = (await spear('quota', 'list')).stdout;
    expect(listed).toMatch(/^a +1 +0 +0 +0 +- .*\nshop +4 +0 +2 +0 +100 /m);
    const { quotas } = JSON.parse((await spear('quota', 'list', '--json')).stdout) as {
      readonly quotas: readonly unknown[];
    };
    expect(quotas).toContainEqual(
      expect.objectContaining({ tenant: 'shop', quota: { weight: 4, running: 2, pending: 100 } }),
    );
    await spear('quota', 'set', 'shop', '--weight', 'none', '--running', 'none', '--pending', 'none');
    await spear('quota', 'set', 'a', '--running', 'none');
    expect((await spear('quota', 'list')).stdout).not.toContain('shop');
  });

  it('sets what may be reserved and how many start in a time, and keeps each when another is changed', async () => {
    await spear('quota', 'set', 'lab', '--memory', '1GiB');
    const made = await spear('quota', 'set', 'lab', '--rate', '100/1m:20');
    expect(made.stdout).toMatch(/^lab +1 +0 +- +0 +- +0 B of 1 GiB +100 in 1 min 0 s, 20 at once +-$/m);
    await spear('quota', 'set', 'lab', '--memory', 'none');
    expect((await spear('quota', 'show', 'lab')).stdout).toMatch(
      /^lab .* - +100 in 1 min 0 s, 20 at once +-$/m,
    );
    await spear('quota', 'set', 'lab', '--rate', 'none');
    expect((await spear('quota', 'list')).stdout).not.toContain('lab');
  });

  it('refuses executions of a tenant beyond those that may wait, and no other tenant', async () => {
    const artifact = { source: { case: 'content' as const, value: await example('misbehaving/loop.wasm') } };
    for (const tenant of ['full', 'other']) {
      const token = (await readFile(join(server.dataDir, adminTokenFile), 'utf8')).trim();
      const connection = connect(server.grpcAddress, { token, tenant });
      const definition = { name: 'loop', runtime: RuntimeKind.WASM, artifact };
      await connection.service(TaskService).registerTask({ definition });
      connection.close();
    }
    await spear('quota', 'set', 'full', '--pending', '2');
    const invoke = (tenant: string) => spear('invoke', 'loop', '--mode', 'async', '--tenant', tenant);
    // One runs, and two wait.
    for (let n = 0; n < 3; n++) expect((await invoke('full')).code).toBe(0);
    const refused = await invoke('full');
    expect([refused.code, refused.line()]).toEqual([
      75,
      expect.stringMatching(/the quota of full is full: 2 executions have not begun, allowed are 2/),
    ]);
    expect((await invoke('other')).code).toBe(0);
    expect((await spear('quota', 'show', 'full')).stdout).toMatch(/^full +1 +1 +- +2 +2 /m);
    await spear('quota', 'set', 'full', '--pending', '3');
    expect((await invoke('full')).code).toBe(0);
  });

  it('counts what is restored as what is invoked', async () => {
    const invoke = ['invoke', 'loop', '--mode', 'async', '--start-after', '1h', '--tenant', 'other'];
    const made = await spear(...invoke);
    const id = made.stdout.trim();
    const folder = await temporaryFolder();
    const file = join(folder, 'snapshot.json');
    await writeFile(file, (await spear('snapshot', id, '--tenant', 'other')).stdout);
    await spear('quota', 'set', 'other', '--pending', '1');
    const restored = await spear('restore', file, '--as-new', '--tenant', 'other');
    expect([restored.code, restored.line()]).toEqual([
      75,
      expect.stringMatching(/the quota of other is full/),
    ]);
    await spear('quota', 'set', 'other', '--pending', 'none');
    expect((await spear('restore', file, '--as-new', '--tenant', 'other')).code).toBe(0);
  });

  it.each([
    [
      ['quota', 'set', 'shop'],
      /nothing is to be changed; allowed are --weight, --running, --pending, --memory/,
    ],
    [['quota', 'set', 'shop', '--weight', '0'], /--weight: is "0"; allowed is 1 to 1000, or "none"/],
    [['quota', 'set', 'shop', '--running', 'many'], /--running: is "many"; allowed is 0 to 10000, or "none"/],
    [['quota', 'set', 'shop', '--memory', 'much'], /--memory: is "much"; allowed is a whole number of bytes/],
    [['quota', 'set', 'shop', '--rate', '5'], /--rate: is "5"; allowed is UNITS\/PER or UNITS\/PER:BURST/],
    [
      ['quota', 'set', 'shop', '--rate', '0/1s'],
      /--rate.units: is 0; allowed is a whole number from 1 to 1000000/,
    ],
    [['quota', 'set', 'shop', '--rate', '1/2d'], /--rate.per: is 2 d 0 h; allowed is 1 ms to 1 d 0 h/],
    [['quota', 'set', 'Shop', '--weight', '2'], /TENANT: is "Shop"; allowed are 1 to 63 of a-z/],
    [['quota', 'show', ''], /TENANT: is required/],
  ])('refuses %j', async (args, message) => {
    const answer = await spear(...args);
    expect([answer.code, answer.line()]).toEqual([64, expect.stringMatching(message)]);
  });
});
