/** A guest that reaches the node's own ports registers nothing there that reaches the host. */
import { generateKeyPairSync } from 'node:crypto';
import { chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { ConfigFlags } from '../../src/config.ts';
import { RuntimeKind } from '../../src/server/gen/spearlet/task_pb.js';
import { dockerSocket, makeTestImage, testImage } from '../support/docker-image.ts';
import { audience, issuerName, keySet, newKey } from '../support/issuer.ts';
import { describeWhere, dockerEngine, nobody, readableByNobody, root } from '../support/needs.ts';
import { type ChildServer, example, type LocalServer, spawnServer, startServer } from '../support/server.ts';

/** Tells, a line each, what came of every way to the node's rights that a program can try. */
const escapee = `
const [, address, dataDir, node, folders] = process.argv;
const told = async (what, act) => {
  try { console.log(what, await act()); } catch (error) { console.log(what, error.code ?? error.cause?.code ?? error.message); }
};
const { readFileSync, readdirSync, writeFileSync } = require('node:fs');
const { spawnSync } = require('node:child_process');
const { connect } = require('node:net');
const definition = { name: 'out', runtime: 'RUNTIME_KIND_PROCESS', artifact: { path: '/bin/sh' }, args: ['-c', 'id'] };
const post = (method, body) => fetch('http://' + address + '/api/' + method, {
  method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
}).then((answer) => answer.json()).then((json) => json.error?.reason ?? 'done');
(async () => {
  await told('register', () => post('TaskService/RegisterTask', { definition }));
  await told('token', () => post('AccessService/CreateToken', { name: 'mine', role: 'ROLE_ADMIN' }));
  await told('admin-token', () => readFileSync(dataDir + '/admin-token', 'utf8').length);
  await told('tokens', () => readFileSync(dataDir + '/tokens.json', 'utf8').length);
  await told('run', () => readdirSync(dataDir + '/run').length);
  await told('socket', () => new Promise((resolve, reject) => {
    const socket = connect(dataDir + '/run/node.sock', () => { socket.destroy(); resolve('open'); });
    socket.on('error', reject);
  }));
  if (node === undefined) return;
  for (const file of ['environ', 'mem', 'root/etc/passwd', 'cwd/package.json', 'fd/0', 'ns/mnt', 'oom_score_adj']) {
    await told(file, () => readFileSync('/proc/' + node + '/' + file).length);
  }
  await told('kill', () => process.kill(Number(node), 'SIGKILL'));
  await told('others', () => readdirSync('/proc').filter((name) => Number(name) > 0 && !['1', String(process.pid), String(process.ppid)].includes(name)).length);
  for (const folder of folders.split(':')) {
    await told(folder, () => readdirSync(folder).length);
    await told('write', () => writeFileSync(folder + '/mine', ''));
  }
  // As root of a user namespace of its own, in which it may mount.
  const tried = (commands) => {
    const { status, stdout } = spawnSync('unshare', ['-Urm', 'sh', '-c', commands], { encoding: 'utf8' });
    return stdout.trim() || status;
  };
  await told('own namespace', () => tried('mount -t tmpfs none /tmp && echo mounts'));
  await told('unmount', () => tried('umount -n -i ' + dataDir + ' || umount -n -i -l ' + dataDir + ' || cat ' + dataDir + '/admin-token'));
  await told('move', () => tried('mount --move ' + dataDir + ' /mnt || cat ' + dataDir + '/admin-token'));
  await told('bind', () => tried('mount --bind / /mnt || mount --rbind / /mnt; cat /mnt' + dataDir + '/admin-token'));
  await told('remount', () => tried('mount -o remount,bind,rw ' + dataDir + ' || cat ' + dataDir + '/admin-token'));
  await told('proc', () => tried('umount -n -i /proc || umount -n -i -l /proc || ls -d /proc/' + node));
  await told('enter', () => tried('nsenter --target ' + node + ' --mount --user cat ' + dataDir + '/admin-token'));
})();
`;

describeWhere([root()], 'a process of a node that runs as root', () => {
  test('finds no way to the rights of the node', async () => {
    // Not where a process has a folder of its own in place of the machine's.
    const dataDir = await mkdtemp('/var/spear-test-');
    const server = await startServer({ allowHostAccess: true, dataDir });
    try {
      await server.tasks.registerTask({
        definition: {
          name: 'escapee',
          runtime: RuntimeKind.PROCESS,
          artifact: { source: { case: 'path', value: process.execPath } },
          args: ['-e', escapee, server.httpAddress, server.dataDir],
        },
      });
      const { result } = await server.functions.invokeFunction({ task: 'escapee' });
      const lines = Buffer.from(result?.output ?? []).toString();
      expect(lines, Buffer.from(result?.errorOutput ?? []).toString()).toBe(
        [
          'register ROLE_MISSING',
          'token ROLE_MISSING',
          'admin-token EACCES',
          'tokens EACCES',
          'run EACCES',
          'socket EACCES',
          '',
        ].join('\n'),
      );
      expect((await server.tasks.listTasks({})).tasks.map((task) => task.definition?.name)).toEqual([
        'escapee',
      ]);
    } finally {
      await server.stop();
    }
  });
});

const text = (value: string) => ({ kind: { case: 'stringValue' as const, value } });

/** What a component with a network is answered at each way to write the node's own HTTP address. */
async function askedByComponent(server: LocalServer | ChildServer): Promise<string[]> {
  // What `register` keeps in the data folder would be root's.
  await server.tasks.registerTask({
    definition: {
      name: 'component',
      runtime: RuntimeKind.WASM,
      artifact: { source: { case: 'content', value: await example('misbehaving/fetch.wasm') } },
      network: ['public', 'localhost'],
    },
  });
  const port = server.httpAddress.split(':').at(-1);
  const answers: string[] = [];
  for (const host of ['127.0.0.1', 'localhost', '2130706433', '0x7f.1', '[::ffff:7f00:1]', '0.0.0.0']) {
    const { result } = await server.functions.invokeFunction({
      task: 'component',
      functionName: 'get',
      parameters: { authority: text(`${host}:${port}`), path: text('/api/NodeService/GetNode') },
    });
    answers.push(Buffer.from(result?.output ?? []).toString());
  }
  return [...new Set(answers)];
}

test('a component finds no way to the node', async () => {
  const server = await startServer();
  onTestFinished(() => server.stop());
  expect(await askedByComponent(server)).toEqual(['"HTTP-request-denied"']);
});

/** A node that is not root, with all that is its own outside of the folders that everyone can write to. */
async function userNode(
  files: Readonly<Record<string, string>> = {},
  flags: ConfigFlags = {},
): Promise<ChildServer & { readonly base: string }> {
  const base = await mkdtemp('/var/spear-escape-');
  const [dataDir, home, temporary] = ['data', 'home', 'temporary'].map((name) => join(base, name));
  for (const folder of [base, dataDir, home, temporary]) {
    mkdirSync(folder ?? '', { recursive: true });
    chownSync(folder ?? '', nobody, nobody);
  }
  mkdirSync(join(base, 'files'));
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(base, 'files', name), text);
    chownSync(join(base, 'files', name), nobody, nobody);
  }
  chownSync(join(base, 'files'), nobody, nobody);
  const env = { HOME: `${home}`, XDG_STATE_HOME: `${home}/state`, TMPDIR: `${temporary}` };
  const server = await spawnServer(`${dataDir}`, inFiles(base, files, flags), [], env, nobody);
  onTestFinished(async () => {
    await server.end('SIGKILL');
    await rm(base, { recursive: true, force: true });
  });
  return Object.assign(server, { base });
}

/** Flags that name one of the files get its path. */
function inFiles(base: string, files: Readonly<Record<string, string>>, flags: ConfigFlags): ConfigFlags {
  const entries = Object.entries(flags).map(([flag, value]) => [
    flag,
    typeof value === 'string' && value in files ? join(base, 'files', value) : value,
  ]);
  return Object.fromEntries(entries);
}

describeWhere([root(), readableByNobody()], 'on a node that does not run as root', () => {
  test('a component finds no way to the node', async () => {
    expect(await askedByComponent(await userNode())).toEqual(['"HTTP-request-denied"']);
  });

  test('a process neither reads the key that signs nor writes the keys that tokens are trusted by', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const files = {
      'sign.pem': String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
      'trusted.pem': String(publicKey.export({ type: 'spki', format: 'pem' })),
      'jwks.json': keySet(newKey('first')),
    };
    const server = await userNode(files, {
      ...{ signingKey: 'sign.pem', trustedKey: 'trusted.pem' },
      ...{ jwtJwks: 'jwks.json', jwtIssuer: issuerName, jwtAudience: audience },
    });
    const folder = join(server.base, 'files');
    const program =
      'cd "$0"; cat sign.pem; for file in *; do echo mine >$file; rm -f $file; mv $file old; done; ls';
    await server.tasks.registerTask({
      definition: {
        name: 'forger',
        runtime: RuntimeKind.PROCESS,
        artifact: { source: { case: 'path', value: '/bin/sh' } },
        args: ['-c', program, folder],
      },
    });
    const { result } = await server.functions.invokeFunction({ task: 'forger' });
    expect(Buffer.from(result?.output ?? []).toString()).toBe('jwks.json\nsign.pem\ntrusted.pem\n');
    for (const [name, text] of Object.entries(files)) {
      expect(readFileSync(join(folder, name), 'utf8')).toBe(text);
    }
  });

  test('a process finds no way to the rights of the node', async () => {
    const server = await userNode();
    const { base, dataDir } = server;
    const [scratch] = readdirSync(join(base, 'temporary')).filter((name) => !name.endsWith('-guests'));
    const folders = [dataDir, `${base}/home/state/spear/nodes`, `${base}/temporary/${scratch}-guests`];
    await server.tasks.registerTask({
      definition: {
        name: 'escapee',
        runtime: RuntimeKind.PROCESS,
        artifact: { source: { case: 'path', value: process.execPath } },
        args: ['-e', escapee, server.httpAddress, dataDir, String(server.process.pid), folders.join(':')],
      },
    });
    const { result } = await server.functions.invokeFunction({ task: 'escapee' });
    const lines = Buffer.from(result?.output ?? []).toString();
    expect(lines.trimEnd().split('\n'), Buffer.from(result?.errorOutput ?? []).toString()).toEqual([
      'register ROLE_MISSING',
      'token ROLE_MISSING',
      ...['admin-token', 'tokens', 'run', 'socket'].map((what) => `${what} ENOENT`),
      ...['environ', 'mem', 'root/etc/passwd', 'cwd/package.json', 'fd/0', 'ns/mnt', 'oom_score_adj'].map(
        (what) => `${what} ENOENT`,
      ),
      'kill ESRCH',
      'others 0',
      ...folders.flatMap((folder) => [`${folder} 0`, 'write EROFS']),
      // It gets no mount namespace, in which it could leave behind what hides.
      'own namespace 1',
      ...['unmount', 'move', 'bind', 'remount', 'proc', 'enter'].map((what) => `${what} 1`),
    ]);
  });
});

describeWhere([root(), await dockerEngine()], 'a container', () => {
  test('finds no way to the node, neither in a network of the engine nor with a list', async () => {
    await makeTestImage();
    const server = await startServer({ allowHostAccess: true, dockerHost: `unix://${dockerSocket}` });
    onTestFinished(() => server.stop());
    const port = server.httpAddress.split(':').at(-1);
    const program = [
      'for host in 127.0.0.1 2130706433 $(ip route | cut -d" " -f3 | head -n 1); do',
      `wget -T 5 -q -O - http://$host:${port}/api/NodeService/GetNode >/dev/null 2>&1 && echo reached $host`,
      'done; echo tried',
    ].join('\n');
    const artifact = { source: { case: 'image', value: testImage } } as const;
    for (const [name, allowNetwork, network] of [
      ['bridged', true, []],
      ['listed', false, ['public', 'localhost']],
    ] as const) {
      const args = ['sh', '-c', program];
      const reach = { allowNetwork, network: [...network] };
      await server.tasks.registerTask({
        definition: { name, runtime: RuntimeKind.DOCKER, artifact, args, ...reach },
      });
      const { result } = await server.functions.invokeFunction({ task: name });
      expect([name, Buffer.from(result?.output ?? []).toString()]).toEqual([name, 'tried\n']);
    }
  });
});
