import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { InterruptPolicy } from '../../src/server/gen/spearlet/task_pb.js';
import { type ScriptedServer, startScriptedServer } from './scripted-server.ts';
import { errorLine, run } from './spear.ts';

const wasm = fileURLToPath(new URL('../../examples/misbehaving/exit.wasm', import.meta.url));
const registered = { changed: true, task: { taskId: 'task_1', revision: 1, definition: { name: 'x' } } };
const layers = [
  { part: 'a1', status: 'Downloading', totalBytes: 2048n },
  { part: 'a1', status: 'Downloading', doneBytes: 1024n, totalBytes: 2048n },
  { part: 'b2', status: 'Waiting' },
  { part: 'a1', status: 'Pull complete' },
];

const register = ({ address }: ScriptedServer, ...args: string[]) =>
  run(['task', 'register', 'x', '--runtime', 'docker', '--artifact', 'image', ...args], { address });

const definition = ({ registrations }: ScriptedServer) => registrations[0]?.request?.definition;

test('a download is told on stderr, a line for each part and status', async () => {
  const server = await startScriptedServer({ progress: layers, registered });
  const { code, stdout, stderr } = await register(server);
  expect({ code, stdout: stdout.toString() }, stderr).toEqual({ code: 0, stdout: '' });
  expect(stderr.split('\n')).toEqual([
    'spear: a1: Downloading (2 KiB)',
    'spear: b2: Waiting',
    'spear: a1: Pull complete (2 KiB)',
    'spear: registered x (task_1, revision 1)',
    '',
  ]);
});

test('with --json there is the response, and nothing else', async () => {
  const server = await startScriptedServer({ progress: layers, registered });
  const { code, stdout, stderr } = await register(server, '--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout.toString())).toMatchObject({ changed: true, task: { taskId: 'task_1' } });
  expect(server.registrations.map(({ method }) => method)).toEqual(['RegisterTaskWithProgress']);
});

test('a server that cannot tell progress is asked without', async () => {
  const server = await startScriptedServer({ registered });
  const ended = await register(server, '--if-absent');
  expect(ended.code, ended.stderr).toBe(0);
  expect(errorLine(ended)).toBe('spear: registered x (task_1, revision 1)');
  expect(server.registrations).toMatchObject([{ method: 'RegisterTask', request: { ifAbsent: true } }]);
});

test('a registration that ends without an answer is 125', async () => {
  const ended = await register(await startScriptedServer({ progress: [] }));
  expect(ended.code).toBe(125);
  expect(errorLine(ended)).toContain('without an answer');
});

test('a part may not tell the terminal what to do', async () => {
  const progress = [{ part: '\u001b[2Jevil\nspear: registered', status: 'x\u202ey\r' }];
  const { stderr } = await register(await startScriptedServer({ progress, registered }));
  expect(stderr.split('\n')[0]).toBe('spear: [2Jevil spear: registered: x y');
});

test('every flag has its field', async () => {
  const server = await startScriptedServer({ progress: [], registered });
  const hex = 'AB'.repeat(32);
  const flags =
    `--sha256 sha256:${hex} --cpu 0.5 --cpu-time 2s --processes 9 --user app:100 --workdir /srv --grace 1s ` +
    '--pull always --network front --start-ahead --warm-min 2 --warm-max 3 ' +
    '--on-interrupt reattach-or-fail --max-recoveries 0';
  const ended = await register(server, ...flags.split(' '));
  expect(ended.code, ended.stderr).toBe(0);
  expect(definition(server)).toMatchObject({
    artifact: { source: { case: 'image', value: 'image' }, sha256: 'ab'.repeat(32) },
    limits: { cpu: 0.5, cpuTime: { seconds: 2n }, processes: 9 },
    user: 'app:100',
    workingDirectory: '/srv',
    grace: { seconds: 1n },
    // --network would be nothing without it.
    allowNetwork: true,
    container: { pull: 2, network: 'front' },
    warm: { min: 2, max: 3, startAhead: true },
    onInterrupt: InterruptPolicy.REATTACH_OR_FAIL,
    maxRecoveries: 0,
  });
});

test('what is not said stays open', async () => {
  const server = await startScriptedServer({ progress: [], registered });
  const ended = await run(['task', 'register', 'x', '--runtime', 'wasm', '--artifact', wasm], server);
  expect(ended.code, ended.stderr).toBe(0);
  const { warm, container, grace, limits, user } = definition(server) ?? {};
  expect({ warm, container, grace, user }).toEqual({
    warm: undefined,
    container: undefined,
    grace: undefined,
    user: '',
  });
  const { onInterrupt, maxRecoveries, timers } = definition(server) ?? {};
  expect({ onInterrupt, maxRecoveries, timers }).toEqual({
    onInterrupt: InterruptPolicy.UNSPECIFIED,
    maxRecoveries: undefined,
    timers: undefined,
  });
  expect(limits?.cpu).toBeUndefined();
});

test('a wasm artifact may be a URL', async () => {
  const server = await startScriptedServer({ progress: [], registered });
  const args = ['x', '--runtime', 'wasm', '--artifact', 'https://example.org/x.wasm'];
  expect((await run(['task', 'register', ...args], server)).code).toBe(0);
  expect(definition(server)?.artifact?.source).toEqual({ case: 'url', value: 'https://example.org/x.wasm' });
});
