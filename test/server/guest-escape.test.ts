/** A guest that reaches the node's own ports registers nothing there that reaches the host. */
import { spawnSync } from 'node:child_process';
import { chownSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { RuntimeKind } from '../../src/server/gen/spearlet/task_pb.js';
import { dockerSocket, makeTestImage, testImage } from '../support/docker-image.ts';
import { describeWhere, dockerEngine, root } from '../support/needs.ts';
import { type ChildServer, example, type LocalServer, spawnServer, startServer } from '../support/server.ts';

/** Tells, a line each, what came of every way to the node's rights that a program can try. */
const escapee = `
const [, address, dataDir] = process.argv;
const told = async (what, act) => {
  try { console.log(what, await act()); } catch (error) { console.log(what, error.code ?? error.cause?.code ?? error.message); }
};
const { readFileSync, readdirSync } = require('node:fs');
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

/** A user without privileges, as whom a node can run where it may read the program. */
const nobody = 65_534;
const program = join(import.meta.dirname, '../../src/main.ts');
const reading = `require('node:fs').readFileSync(${JSON.stringify(program)})`;
const readable =
  spawnSync(process.execPath, ['-e', reading], { uid: nobody }).status === 0
    ? ''
    : 'another user cannot read the program here';

describeWhere([root(), readable], 'on a node that does not run as root', () => {
  test('a component and a process register nothing at the node', async () => {
    const dataDir = await mkdtemp('/var/tmp/spear-escape-');
    chownSync(dataDir, nobody, nobody);
    const home = { HOME: dataDir, XDG_STATE_HOME: join(dataDir, 'state') };
    const server = await spawnServer(dataDir, {}, [], home, nobody);
    onTestFinished(async () => {
      await server.end('SIGKILL');
      await rm(dataDir, { recursive: true, force: true });
    });
    expect(await askedByComponent(server)).toEqual(['"HTTP-request-denied"']);
    await server.tasks.registerTask({
      definition: {
        name: 'escapee',
        runtime: RuntimeKind.PROCESS,
        artifact: { source: { case: 'path', value: process.execPath } },
        args: ['-e', escapee, server.httpAddress, '/nowhere'],
      },
    });
    const { result } = await server.functions.invokeFunction({ task: 'escapee' });
    const lines = Buffer.from(result?.output ?? [])
      .toString()
      .split('\n');
    expect(lines.slice(0, 2), Buffer.from(result?.errorOutput ?? []).toString()).toEqual([
      'register ROLE_MISSING',
      'token ROLE_MISSING',
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
