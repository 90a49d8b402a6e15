import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { RuntimeKind } from '../../src/server/gen/spearlet/task_pb.js';
import { describeWhere, root } from '../support/needs.ts';
import { server, withServer } from './local.ts';
import { refusal } from './refusal.ts';
import { another, begin, files, resealed, restore, take } from './snapshots.ts';

const hour = { seconds: 3600n };

withServer({ slots: '6', allowHostAccess: true }, async () => {
  await server.register('cat', 'misbehaving/cat.wasm');
  await server.register('folders', 'misbehaving/cat.wasm', { preopens: { '/data': '/srv' } });
  await server.register('network', 'misbehaving/cat.wasm', { allowNetwork: true });
});

/** The document of an execution that waits for its start, moved. */
async function waiting(task: string, more: Parameters<typeof take>[2] = {}): Promise<Buffer> {
  const executionId = await begin(server, { task, startAfter: hour });
  const { document } = await take(server, executionId, { detach: true, includeArtifact: true, ...more });
  return document;
}

test.each([
  ['folders', 'preopens', 'host folder /srv as /data'],
  ['network', 'network', 'network'],
])('a task that comes along with %s needs the policy to say so', async (task, allowance, wanted) => {
  const document = await waiting(task);
  const strict = await another({ allowHostAccess: true });
  const refused = await refusal(restore(strict, document));
  expect(refused).toMatchObject({
    code: 'PERMISSION_DENIED',
    reason: 'RESTORE_NOT_ALLOWED',
    metadata: { wanted: allowance },
  });
  expect(refused.message).toContain(wanted);
  expect(refused.message).toContain(`--restore-allow ${allowance}`);
  expect((await strict.functions.listExecutions({})).executions).toEqual([]);

  const open = await another({ allowHostAccess: true, restoreAllow: allowance });
  const { result, notes } = await restore(open, document);
  expect(result).toMatchObject({ state: 'pending.waiting', loosened: [wanted] });
  expect(notes).toContainEqual(expect.stringContaining(`task ${task} came with the snapshot`));
  // It has no name: nobody can invoke it.
  expect((await refusal(open.functions.invokeFunction({ task }))).code).toBe('NOT_FOUND');
});

test('a task that the operator has registered needs no policy', async () => {
  const document = await waiting('folders');
  const target = await another({ allowHostAccess: true });
  await target.register('folders', 'misbehaving/cat.wasm', { preopens: { '/data': '/srv' } });
  expect((await restore(target, document)).result?.state).toBe('pending.waiting');
});

describeWhere([root()], 'a process', () => {
  test('that comes along needs the policy to say so', async () => {
    await server.tasks.registerTask({
      definition: {
        name: 'true',
        runtime: RuntimeKind.PROCESS,
        artifact: { source: { case: 'path', value: '/bin/true' } },
      },
    });
    const document = await waiting('true', { includeArtifact: false });
    const strict = await another({ allowHostAccess: true });
    expect(await refusal(restore(strict, document))).toMatchObject({
      code: 'PERMISSION_DENIED',
      metadata: { wanted: 'process' },
    });
    const open = await another({ allowHostAccess: true, restoreAllow: 'process' });
    expect((await restore(open, document)).result?.state).toBe('pending.waiting');
  });
});

test('an artifact that is not here and did not come along is named, with what to do', async () => {
  const document = await waiting('cat', { includeArtifact: false });
  const target = await another();
  const { code, reason, message } = await refusal(restore(target, document));
  expect({ code, reason }).toEqual({ code: 'FAILED_PRECONDITION', reason: 'ARTIFACT_UNAVAILABLE' });
  expect(message).toContain('include_artifact');
  expect((await target.functions.listExecutions({})).executions).toEqual([]);
  await target.register('cat', 'misbehaving/cat.wasm');
  expect((await restore(target, document)).result?.state).toBe('pending.waiting');
});

test('a task id that stands for another task here is refused', async () => {
  const document = await waiting('cat');
  const target = await another();
  await restore(target, document);
  // The same id and revision, and another definition.
  const changed = resealed(document, (text) => text.replaceAll('"graceMs":5000', '"graceMs":4000'));
  const { executionId } = JSON.parse(changed.toString().split('\n')[1]?.slice(0, -1) ?? '') as Record<
    string,
    string
  >;
  const other = resealed(changed, (text) => text.replaceAll(executionId ?? '', `exec_${'1'.repeat(26)}`));
  expect(await refusal(restore(target, other))).toMatchObject({
    code: 'ALREADY_EXISTS',
    reason: 'TASK_EXISTS',
  });
});

test('a signature is checked, and only trusted keys are taken where any are named', async () => {
  const ours = generateKeyPairSync('ed25519');
  const other = generateKeyPairSync('ed25519');
  const paths = await files({
    secret: ours.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    public: ours.publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    other: other.publicKey.export({ format: 'pem', type: 'spki' }).toString(),
  });
  const source = await another({ signingKey: paths.secret });
  await source.register('cat', 'misbehaving/cat.wasm');
  const executionId = await begin(source, { task: 'cat', startAfter: hour });
  const { document } = await take(source, executionId, { detach: true, includeArtifact: true });
  const unsigned = await waiting('cat');

  const strict = await another({ trustedKey: `${paths.other}:${paths.public}` });
  const refused = await refusal(restore(strict, unsigned));
  expect(refused).toMatchObject({ code: 'PERMISSION_DENIED', reason: 'SNAPSHOT_NOT_TRUSTED' });
  expect(refused.message).toContain('nobody has signed');
  const { signedBy } = await restore(strict, document);
  expect(signedBy).toMatch(/^[0-9a-f]{64}$/);

  const elsewhere = await another({ trustedKey: paths.other });
  expect(await refusal(restore(elsewhere, document))).toMatchObject({
    code: 'PERMISSION_DENIED',
    metadata: { signed_by: signedBy },
  });

  // Signed, and then changed with a digest that fits.
  const { signature } = /"signature":"(?<signature>[^"]+)"/.exec(document.toString())?.groups ?? {};
  const forged = resealed(document, (text) => text.replace('"attempt":0', '"attempt": 0')).toString();
  const { key } = /"publicKey":"(?<key>[^"]+)"/.exec(document.toString())?.groups ?? {};
  const resigned = forged.replace(/"\}\n\]\}\n$/, `","publicKey":"${key}","signature":"${signature}"}\n]}\n`);
  for (const target of [strict, await another()]) {
    const forgery = await refusal(restore(target, Buffer.from(resigned)));
    expect(forgery).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'SNAPSHOT_DAMAGED' });
  }
});

test('a key that is none is refused at the start, and its flag named', async () => {
  const paths = await files({ none: 'not a key' });
  await expect(another({ signingKey: paths.none })).rejects.toThrow('--signing-key');
  await expect(another({ trustedKey: '/nonexistent/key' })).rejects.toThrow('--trusted-key');
});

const pkcs8 = { format: 'pem', type: 'pkcs8' } as const;
const spki = { format: 'pem', type: 'spki' } as const;

test('a key of another kind, or the other half of a pair, is refused with what it is and what is allowed', async () => {
  const ours = generateKeyPairSync('ed25519');
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const paths = await files({
    secret: ours.privateKey.export(pkcs8).toString(),
    public: ours.publicKey.export(spki).toString(),
    locked: ours.privateKey.export({ ...pkcs8, cipher: 'aes-256-cbc', passphrase: 'x' }).toString(),
    rsaSecret: rsa.privateKey.export({ format: 'pem', type: 'pkcs1' }).toString(),
    rsaPublic: rsa.publicKey.export(spki).toString(),
  });
  for (const [flags, message] of [
    [{ signingKey: paths.rsaSecret }, '--signing-key: holds a private key of the kind rsa; allowed is an Ed'],
    [{ signingKey: paths.public }, '--signing-key: does not hold a private key that can be read'],
    [{ signingKey: paths.locked }, 'without a passphrase'],
    [{ trustedKey: paths.rsaPublic }, '--trusted-key: holds a public key of the kind rsa; allowed is an Ed'],
    [{ trustedKey: paths.secret }, '--trusted-key: holds a private key; allowed is the public one'],
    [{ trustedKey: paths.locked }, '--trusted-key: holds a private key; allowed is the public one'],
    [{ trustedKey: paths.rsaSecret }, '--trusted-key: holds a private key; allowed is the public one'],
  ] as const) {
    await expect(another(flags)).rejects.toThrow(message);
  }
});
