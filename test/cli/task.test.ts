import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InstancePolicy, RuntimeKind, WhenFull } from '../../src/server/gen/spearlet/task_pb.js';
import { type LocalServer, startServer } from '../support/server.ts';
import { errorLine, run, temporaryFolder } from './spear.ts';

const examples = fileURLToPath(new URL('../../examples/', import.meta.url));
let server: LocalServer;

beforeAll(async () => {
  server = await startServer();
});

afterAll(() => server.stop());

const spear = (...args: string[]) => run(args, { address: server.grpcAddress });

/** A folder with `task.yaml` and the artifact `exit.wasm`; resolves with the path of the file. */
async function taskFile(text: string, name = 'task.yaml'): Promise<string> {
  const folder = await temporaryFolder();
  await copyFile(join(examples, 'misbehaving/exit.wasm'), join(folder, 'exit.wasm'));
  await writeFile(join(folder, name), text);
  return join(folder, name);
}

describe('task register', () => {
  test('takes flags, and arguments after --', async () => {
    const ended = await spear(
      ...[
        'task',
        'register',
        'flags',
        '--runtime',
        'wasm',
        '--artifact',
        join(examples, 'misbehaving/exit.wasm'),
      ],
      ...[
        '--env',
        'A=1',
        '--timeout',
        '1m30s',
        '--memory',
        '32MiB',
        '--instance-policy',
        'fresh',
        '--concurrency',
        'parameters.n=3:refuse',
        '--concurrency',
        'db=20',
        '--rate',
        'tenant=600/1m:20',
        '--',
        '9',
        '--x',
      ],
    );
    expect(ended.code, ended.stderr).toBe(0);
    const { task } = await server.tasks.getTask({ task: 'flags' });
    expect(task?.definition).toMatchObject({
      args: ['9', '--x'],
      environment: { A: '1' },
      timeouts: { total: { seconds: 90n } },
      limits: { memory: 32n * 1024n * 1024n },
      instancePolicy: InstancePolicy.FRESH,
      concurrency: [
        { key: 'parameters.n', limit: 3, whenFull: WhenFull.REFUSE },
        { key: 'db', limit: 20 },
      ],
      rate: [{ key: 'tenant', units: 600, per: { seconds: 60n }, burst: 20 }],
    });
    expect((await spear('invoke', 'flags')).code).toBe(9);
    const { stdout } = await spear('task', 'show', 'flags');
    expect(stdout.toString().replace(/ {2,}/g, '  ')).toContain(
      'concurrency  key parameters.n, limit 3, when full refuse\nconcurrency  key db, limit 20\nrate  key tenant, units 600, per 1 min 0 s, burst 20\n',
    );
  });

  test('takes a file with everything that a task can say, in either case', async () => {
    const file = await taskFile(`
name: everything
description: all of it
runtime: wasm
artifact: exit.wasm
args: [3]
env: { PORT: 8080, VERSION: 1.10 }
allowNetwork: true
timeouts: { queue: 1m, attempt: 5s, total: 2m }
grace: 500ms
limits: { memory: 64MiB, max_output_bytes: 1kB, maxOutputEvents: 10 }
retry: { max_attempts: 2, initial: 0s, factor: 1.5, max: 1s, jitter: 0, on: [FUNCTION_EXIT, trap] }
instance_policy: fresh
concurrency: [{ key: task, limit: 4 }, { key: metadata.user, limit: 1, when_full: REFUSE }]
rate: [{ key: tenant, units: 1000, per: 1s, burst: 50 }]
`);
    const ended = await spear('task', 'register', '--file', file);
    expect(ended.code, ended.stderr).toBe(0);
    const { task } = await server.tasks.getTask({ task: 'everything' });
    expect(task?.definition).toMatchObject({
      runtime: RuntimeKind.WASM,
      description: 'all of it',
      args: ['3'],
      // As written: a number of YAML's would have become 1.1.
      environment: { PORT: '8080', VERSION: '1.10' },
      allowNetwork: true,
      timeouts: { queue: { seconds: 60n }, attempt: { seconds: 5n }, total: { seconds: 120n } },
      grace: { seconds: 0n, nanos: 500_000_000 },
      limits: { memory: 64n * 1024n * 1024n, maxOutputBytes: 1000n, maxOutputEvents: 10n },
      retry: {
        maxAttempts: 2,
        initial: { seconds: 0n },
        factor: 1.5,
        max: { seconds: 1n },
        jitter: 0,
        on: [2, 3],
      },
      concurrency: [
        { key: 'task', limit: 4 },
        { key: 'metadata.user', limit: 1, whenFull: WhenFull.REFUSE },
      ],
      rate: [{ key: 'tenant', units: 1000, per: { seconds: 1n }, burst: 50 }],
    });
    const streamed = await spear('invoke', 'everything', '--mode', 'stream');
    expect(streamed.code).toBe(3);
    expect(streamed.stderr).toContain('spear: attempt 2\n');
  });

  test('takes JSON too, and another name', async () => {
    const text = JSON.stringify({
      name: 'one',
      runtime: 'wasm',
      artifact: { path: 'exit.wasm' },
      timeout: '5s',
    });
    const file = await taskFile(text, 'task.json');
    expect((await spear('task', 'register', 'two', '--file', file)).code).toBe(0);
    expect((await server.tasks.getTask({ task: 'two' })).task?.definition?.timeouts?.total?.seconds).toBe(5n);
  });

  test('refuses a key that it does not know, with the nearest one', async () => {
    const ended = await spear('task', 'register', 'bad', '--file', await taskFile('runtme: wasm'));
    expect(ended.code).toBe(64);
    expect(errorLine(ended)).toBe('spear: runtme: is not known; did you mean runtime?');
  });

  test.for<[string[], string]>([
    [[], 'NAME: is missing'],
    [['x'], '--runtime: is missing'],
    [['x', '--runtime', 'wasm'], '--artifact: is missing'],
    [['x', '--runtime', 'wsm'], '--runtime: is "wsm"; allowed are wasm, docker, process'],
    [['x', '--runtime', 'wasm', '--artifact', '/none'], '--artifact: cannot read "/none"'],
    [['x', '--runtime', 'wasm', '--artifact', '/'], '--artifact: "/" is a folder'],
    [['x', '--memory', 'lots'], '--memory: is "lots"; allowed is'],
    [['x', '--cpu', 'two'], '--cpu: is "two"; allowed is a number of cores from 0.01 to 1024'],
    [['x', '--cpu-time', '1ms'], '--cpu-time: is "1ms"; allowed is a duration of 1s or more'],
    [['x', '--processes', '0'], '--processes: is "0"; allowed is a whole number from 1 to'],
    [['x', '--sha256', 'abc'], '--sha256: is "abc"; allowed is a SHA-256 of 64 hex digits'],
    [['x', '--user', 'a:b:c'], '--user: is "a:b:c"; allowed is USER or USER:GROUP'],
    [['x', '--workdir', 'here'], '--workdir: is "here"; allowed is an absolute path'],
    [['x', '--grace', '5'], '--grace: is "5"; allowed is a duration'],
    [['x', '--pull', 'daily'], '--pull: is "daily"; allowed are missing, always, never'],
    [['x', '--network', '-x'], '--network: is "-x"; allowed is the name of a docker network'],
    [['x', '--warm-min', 'one'], '--warm-min: is "one"; allowed is a whole number from 0 to 1000'],
    [['x', '--warm-max', '1001'], '--warm-max: is "1001"; allowed is a whole number from 0 to 1000'],
    [
      ['x', '--runtime', 'wasm', '--artifact', 'http://a/x.wasm'],
      '--artifact: is "http://a/x.wasm", which anyone on the way can change; allowed is https://',
    ],
    [
      ['x', '--runtime', 'wasm', '--artifact', 'x.wasm', '--pull', 'always'],
      '--pull: is not for wasm; allowed with docker',
    ],
    [['x', '--max-recoveries', '-1'], '--max-recoveries: is "-1"; allowed is a whole number from 0 to 1000'],
    [['x', '--on-interrupt', 'retry'], '--on-interrupt: is "retry"; allowed are rerun, fail, reattach-or-'],
    [
      ['x', '--runtime', 'wasm', '--artifact', 'x.wasm', '--on-interrupt', 'reattach-or-fail'],
      '--on-interrupt: reattach-or-fail is not for wasm; allowed are rerun, fail',
    ],
    [
      ['x', '--runtime', 'wasm', '--artifact', 'x.wasm', '--start-ahead'],
      '--start-ahead: is not for wasm; allowed with docker and process',
    ],
    [['x', '--concurrency', 'task'], '--concurrency: is "task"; allowed is KEY=LIMIT or KEY=LIMIT:WHEN_FULL'],
    [
      ['x', '--concurrency', 'metdata.a=1'],
      '--concurrency: is "metdata.a"; allowed is task, tenant, metadata',
    ],
    [['x', '--concurrency', 'task=none'], '--concurrency: is "none"; allowed is a whole number from 1 to'],
    [
      ['x', '--concurrency', 'task=1:wait'],
      '--concurrency: is "wait"; allowed is queue, refuse, replace-pending, cancel-running',
    ],
    [['x', '--rate', 'task=5'], '--rate: is "task=5"; allowed is KEY=UNITS/PER or KEY=UNITS/PER:BURST'],
    [['x', '--rate', 'task=5/minute'], '--rate: is "minute"; allowed is a duration'],
    [['x', '--file', 'x.yaml', '--allow-network'], '--file: says all of the task'],
    [['Not A Name', '--runtime', 'docker', '--artifact', 'image'], 'NAME: "Not A Name" is not a name'],
  ])('refuses the flags %j', async ([args, message]) => {
    const ended = await spear('task', 'register', ...args);
    expect(ended.code).toBe(64);
    expect(errorLine(ended)).toContain(message);
  });
});

test('a task can be shown, listed and deleted', async () => {
  await server.register('calc', 'typed/typed.wasm');
  const shown = (await spear('task', 'show', 'calc')).stdout.toString();
  expect(shown).toContain('spear:examples/calc@0.1.0#add(a: s32, b: s32) -> s32');
  expect(shown).toContain('record point');
  expect((await spear('task', 'list')).stdout.toString()).toMatch(/^NAME .*\n[\s\S]*^calc +wasm +1 /m);
  expect(shown).toMatch(/^on interrupt +rerun$/m);
  expect(shown).toMatch(/^timers +start remaining, queue remaining, attempt anew, total absolute$/m);
  expect((await spear('task', 'delete', 'calc')).code).toBe(0);
  expect((await spear('task', 'show', 'calc')).code).toBe(127);
});

test('what a task may use, and what it is allowed, is shown', async () => {
  const file = await taskFile(`
name: shown
runtime: wasm
artifact: exit.wasm
allow_network: true
limits: { memory: 32MiB }
`);
  expect((await spear('task', 'register', '--file', file)).code).toBe(0);
  const shown = (await spear('task', 'show', 'shown')).stdout.toString();
  expect(shown).toMatch(/^memory +32 MiB at most$/m);
  expect(shown).toMatch(/^allows +network$/m);
  const { executionId } = await server.functions.invokeFunction({ task: 'shown' });
  expect((await spear('status', executionId)).stdout.toString()).toMatch(/^allows +network$/m);
  await server.register('strict', 'misbehaving/exit.wasm');
  const strict = (await spear('task', 'show', 'strict')).stdout.toString();
  expect(strict).toMatch(/^allows +nothing beyond the safest settings of its runtime$/m);
});

test('a taken name is refused with --if-absent', async () => {
  await server.register('taken', 'misbehaving/exit.wasm');
  const file = await taskFile('name: taken\nruntime: wasm\nartifact: exit.wasm\nargs: [1]');
  const ended = await spear('task', 'register', '--file', file, '--if-absent');
  expect(ended.code).toBe(64);
  expect(errorLine(ended)).toContain('taken');
});
