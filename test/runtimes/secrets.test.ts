import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LaunchError } from '../../src/runtimes/runtime.ts';
import { SecretFolders } from '../../src/runtimes/secrets/secret-folders.ts';
import { SecretStore } from '../../src/runtimes/secrets/secret-store.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spear-store-'));
  await mkdir(join(folder, 'a'));
  await mkdir(join(folder, 'b'));
  await writeFile(join(folder, 'a/token'), 'of a');
  await writeFile(join(folder, 'b/token'), 'of b');
});
afterAll(() => rm(folder, { recursive: true }));

const variables: Record<string, string> = { SPEAR_SECRET_a_c_d: 'of the environment' };
const store = () => new SecretStore({ folder, variable: (name) => variables[name] });

async function read(tenant: string, key: string): Promise<string> {
  const { values } = await store().read({ secrets: { NAME: key } }, tenant);
  return Buffer.from(values[0]?.value ?? []).toString();
}

describe('a secret', () => {
  it('is that of its tenant', async () => {
    expect([await read('a', 'token'), await read('b', 'token')]).toEqual(['of a', 'of b']);
    await expect(read('c', 'token')).rejects.toThrow('there is no secret token');
  });

  it('is in the environment where there is no file, and of one tenant alone', async () => {
    expect(await read('a', 'c_d')).toBe('of the environment');
    // No tenant has an underscore in its name.
    await expect(read('b', 'c_d')).rejects.toThrow('SPEAR_SECRET_b_c_d');
  });

  it('may be a link, as orchestrators make them', async () => {
    await symlink(join(folder, 'a/token'), join(folder, 'b/linked'));
    expect(await read('b', 'linked')).toBe('of a');
  });

  it.each([
    ['a folder', 'dir', (path: string) => mkdir(path)],
    ['a FIFO that nobody writes to', 'fifo', (path: string) => promisify(execFile)('mkfifo', [path])],
    ['larger than any key', 'large', (path: string) => writeFile(path, 'secret'.repeat(20_000))],
  ])('that is %s is refused and not shown', async (_what, key, make) => {
    await make(join(folder, 'a', key));
    const failure = await read('a', key).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(LaunchError);
    expect(String(failure)).toContain(`the secret ${key} at`);
    expect(String(failure)).not.toContain('secretsecret');
  });

  it('has another fingerprint when its value, its name or another store is another', async () => {
    const one = store();
    const of = async (secrets: Record<string, string>, from = one) =>
      (await from.read({ secrets }, 'a')).fingerprint;
    const first = await of({ X: 'token' });
    expect(await of({ X: 'token' })).toBe(first);
    expect(await of({ Y: 'token' })).not.toBe(first);
    expect(await of({ X: 'token' }, store())).not.toBe(first);
    await writeFile(join(folder, 'a/token'), 'of A');
    expect(await of({ X: 'token' })).not.toBe(first);
  });
});

describe('files of secrets', () => {
  const name = `spear-test-${process.pid}`;
  const secrets = {
    values: [{ name: 'TOKEN', key: 'token', asVariable: false, value: Buffer.from('value') }],
    fingerprint: '',
  };
  const opened = (spare: ReadonlySet<string> = new Set()) => {
    const folders = SecretFolders.open(name, { spare });
    if ('reason' in folders) throw new Error(folders.reason);
    return folders;
  };

  it('of an earlier run are removed, but for those of instances that go on', async () => {
    const before = opened();
    before.write('inst_1', secrets, undefined);
    before.write('inst_2', secrets, undefined);
    const folders = opened(new Set(['inst_2']));
    expect(await readdir(folders.path)).toEqual(['inst_2']);
    folders.close();
    expect(await readdir(folders.path)).toEqual(['inst_2']);
    folders.remove('inst_2');
    folders.close();
    await expect(readdir(folders.path)).rejects.toThrow('ENOENT');
  });

  it('are never in a folder that is not the node’s own', async () => {
    const folders = opened();
    folders.close();
    const elsewhere = await mkdtemp(join(tmpdir(), 'spear-elsewhere-'));
    await symlink(elsewhere, folders.path);
    expect(SecretFolders.open(name)).toMatchObject({ reason: expect.stringContaining('belongs to another') });
    await rm(folders.path);
    await rm(elsewhere, { recursive: true });
  });

  it('can be reached by the node alone, whatever they allow', async () => {
    const folders = opened();
    const path = folders.write('inst_1', secrets, undefined) ?? '';
    expect((await stat(folders.path)).mode & 0o777).toBe(0o700);
    expect((await stat(join(path, 'TOKEN'))).mode & 0o777).toBe(0o444);
    await chmod(path, 0o700);
    folders.remove('inst_1');
    folders.close();
  });
});
