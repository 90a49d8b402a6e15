/** A guest that reaches the node's own ports registers nothing there that reaches the host. */
import { mkdtemp } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { RuntimeKind } from '../../src/server/gen/spearlet/task_pb.js';
import { describeWhere, root } from '../support/needs.ts';
import { startServer } from '../support/server.ts';

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
