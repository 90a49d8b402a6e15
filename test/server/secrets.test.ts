/** Secrets of tasks: what an instance gets, when it is read, and that nothing of it is anywhere else. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { describe, expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/client/channel.ts';
import { ErrorCode, ExecutionMode, FunctionService } from '../../src/server/gen/spearlet/function_pb.js';
import { InstanceState } from '../../src/server/gen/spearlet/instance_pb.js';
import {
  InstancePolicy,
  RuntimeKind,
  TaskDefinitionSchema,
  TaskService,
} from '../../src/server/gen/spearlet/task_pb.js';
import { draftFromWire } from '../../src/server/wire/task.ts';
import { adminTokenFile } from '../../src/stores/token-file.ts';
import { makeTestImage, testImage } from '../support/docker-image.ts';
import { describeWhere, dockerEngine } from '../support/needs.ts';
import { example, type LocalServer, startServer } from '../support/server.ts';
import { collect } from './collect.ts';
import { refusal } from './refusal.ts';
import { another, restore, take } from './snapshots.ts';

const value = 'hunter2-of-the-test\n';
const digest = createHash('sha256').update(value).digest('hex');

interface Given {
  readonly server: LocalServer;
  /** Of the secrets. */
  readonly folder: string;
  /** Sets a secret of the default tenant; undefined removes it. */
  set(key: string, value: string | undefined): Promise<void>;
}

async function started(flags: Parameters<typeof startServer>[0] = {}): Promise<Given> {
  const secretsDir = await mkdtemp(join(tmpdir(), 'spear-secrets-'));
  await mkdir(join(secretsDir, 'default'));
  const server = await startServer({ allowHostAccess: true, secretsDir, ...flags });
  onTestFinished(async () => {
    await server.stop();
    await rm(secretsDir, { recursive: true });
  });
  return {
    server,
    folder: secretsDir,
    async set(key, given) {
      const path = join(secretsDir, 'default', key);
      if (given === undefined) await rm(path);
      else await writeFile(path, given);
    },
  };
}

const shell = (...args: string[]) => ({
  runtime: RuntimeKind.PROCESS,
  artifact: { source: { case: 'path', value: '/bin/sh' } } as const,
  args: ['-c', ...args],
});

const container = (...args: string[]) => ({
  runtime: RuntimeKind.DOCKER,
  artifact: { source: { case: 'image', value: testImage } } as const,
  args: ['sh', '-c', ...args],
});

async function output(server: LocalServer, task: string, more: object = {}): Promise<string> {
  const { result } = await server.functions.invokeFunction({ task, ...more });
  if (result?.errorCode !== ErrorCode.UNSPECIFIED)
    return `${ErrorCode[result?.errorCode ?? 0]} ${result?.errorMessage}`;
  return Buffer.from(result.output).toString();
}

/** Where a text is in the files below a folder. */
async function filesWith(folder: string, text: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && (await readFile(path)).includes(text)) found.push(path);
  }
  return found;
}

/** All that callers, logs and the data folder say of a task and one execution of it. */
async function expectNowhere(server: LocalServer, task: string, executionId: string): Promise<void> {
  const request = { executionId };
  const { document } = await take(server, executionId, { includeEnvironment: true });
  const answers = [
    await server.tasks.getTask({ task }),
    await server.tasks.listTasks({}),
    await server.functions.getExecutionStatus({ ...request, includeOutput: true }),
    await collect(server.functions.watchExecution(request)),
    await server.functions.listExecutions({}),
    await server.nodes.getNode({}),
    await server.instances.listInstances({}),
    document.toString(),
    server.log,
  ];
  const text = JSON.stringify(answers, (_key, each) => {
    if (typeof each === 'bigint') return String(each);
    return each instanceof Uint8Array ? Buffer.from(each).toString('latin1') : each;
  });
  expect(text).toContain('TOKEN');
  expect(text).not.toContain(value.trim());
  expect(text).not.toContain(Buffer.from(value.trim()).toString('base64').slice(0, 20));
  expect(await filesWith(server.dataDir, value.trim())).toEqual([]);
}

describe('a secret of a process', () => {
  test('is a file that its user alone can read, in memory, and is nowhere else', async () => {
    const { server, set } = await started();
    await set('api-token', value);
    const program = [
      'cd "$SPEAR_SECRETS" && stat -c "%a %U" . TOKEN | tr "\\n" " "',
      'stat -f -c %T . && sha256sum < TOKEN && test "$(stat -c %u TOKEN)" = "$(id -u)"',
      'grep -c hunter2 /proc/self/environ',
      'true',
    ].join('\n');
    await server.tasks.registerTask({
      definition: { name: 'file', ...shell(program), secrets: { TOKEN: 'api-token' } },
    });
    const { result } = await server.functions.invokeFunction({ task: 'file' });
    const lines = Buffer.from(result?.output ?? [])
      .toString()
      .split('\n');
    expect(lines[0]).toMatch(/^700 \S+ 400 \S+ tmpfs$/);
    expect(lines.slice(1)).toEqual([`${digest}  -`, '0', '']);
    await expectNowhere(server, 'file', result?.executionId ?? '');
    // Other nodes of this machine have theirs beside it.
    const { node } = await server.nodes.getNode({});
    const own = (await readdir('/dev/shm')).filter((name) => name.startsWith(`spear-${node?.nodeId}-`));
    expect(own).toContain(`spear-${node?.nodeId}-process`);
    for (const name of own) expect(await readdir(join('/dev/shm', name))).toEqual([]);
  });

  test('is a variable where the task says so', async () => {
    const { server, set } = await started();
    await set('api-token', value);
    await server.tasks.registerTask({
      definition: {
        name: 'env',
        ...shell('printf %s "$TOKEN" | sha256sum; echo "[$SPEAR_SECRETS]"'),
        secrets: { TOKEN: 'env:api-token' },
      },
    });
    const trimmed = createHash('sha256').update(value.trim()).digest('hex');
    expect(await output(server, 'env')).toBe(`${trimmed}  -\n[]\n`);
    // Whoever calls the function does not choose another.
    expect(await output(server, 'env', { environment: { TOKEN: 'mine' } })).toBe(`${trimmed}  -\n[]\n`);
  });

  test('that is missing fails the attempt, by its key and where it was looked for', async () => {
    const { server } = await started();
    await server.tasks.registerTask({
      definition: { name: 'missing', ...shell('true'), secrets: { TOKEN: 'no-such' } },
    });
    expect(await output(server, 'missing')).toMatch(
      /^START_FAILED there is no secret no-such: it was looked for at .*\/default\/no-such and the variable SPEAR_SECRET_default_no-such of the node$/,
    );
  });

  test('is read again at each retry', async () => {
    const { server, set } = await started();
    await server.tasks.registerTask({
      definition: {
        name: 'retried',
        ...shell('sha256sum < "$SPEAR_SECRETS/TOKEN"'),
        secrets: { TOKEN: 'late' },
        retry: { maxAttempts: 100, initial: { nanos: 20_000_000 }, factor: 1, on: [ErrorCode.START_FAILED] },
      },
    });
    const { executionId } = await server.functions.invokeFunction({
      task: 'retried',
      executionMode: ExecutionMode.ASYNC,
    });
    await expect
      .poll(async () => (await server.functions.getExecutionStatus({ executionId })).result?.attempt)
      .toBeGreaterThan(1);
    await set('late', value);
    const { result } = await server.functions.waitExecution({ executionId });
    expect(Buffer.from(result?.output ?? []).toString()).toBe(`${digest}  -\n`);
  });

  test('that has changed throws away an instance that was started ahead with the one before', async () => {
    const { server, set } = await started();
    await set('token', 'old');
    await server.tasks.registerTask({
      definition: {
        name: 'ahead',
        ...shell('was=$(cat "$SPEAR_SECRETS/TOKEN"); read -r line; echo "$was $line"'),
        secrets: { TOKEN: 'token' },
        warm: { startAhead: true, min: 1 },
      },
    });
    const ready = async () => {
      const { pools } = await server.instances.listInstances({});
      const { instances } = await server.instances.listInstances({});
      return [pools.length, instances.filter(({ state }) => state === InstanceState.IDLE).length];
    };
    const input = Buffer.from('x\n');
    await expect.poll(ready).toEqual([1, 1]);
    expect(await output(server, 'ahead', { input })).toBe('old x\n');
    await expect.poll(ready).toEqual([1, 1]);
    await set('token', 'new');
    expect(await output(server, 'ahead', { input })).toBe('new x\n');
    await expect.poll(ready).toEqual([1, 1]);
    expect(await output(server, 'ahead', { input })).toBe('new x\n');
  });
});

describe('a secret of a component', () => {
  test('is a variable, over that of its caller', async () => {
    const { server, set } = await started();
    await set('api-token', value);
    await server.register('env', 'misbehaving/env.wasm', { secrets: { TOKEN: 'api-token' } });
    const variables = async (more: object) =>
      (await output(server, 'env', more)).split('\n').filter((line) => line.startsWith('env'));
    expect(await variables({})).toEqual([`env TOKEN=${value.trim()}`]);
    expect(await variables({ environment: { TOKEN: 'mine' } })).toEqual([`env TOKEN=${value.trim()}`]);
    await set('api-token', 'another');
    expect(await variables({})).toEqual(['env TOKEN=another']);
    await set('api-token', Buffer.from([0xff, 0xfe]).toString('latin1'));
    await set('api-token', 'with\0nul');
    expect(await variables({})).toEqual([]);
    expect(await output(server, 'env')).toMatch(
      /^START_FAILED the secret api-token is not UTF-8 without NUL/,
    );
  });

  test('is that of the tenant of its task', async () => {
    const { server, set, folder } = await started();
    await set('token', 'of default');
    await mkdir(join(folder, 'team-a'));
    await writeFile(join(folder, 'team-a', 'token'), 'of team-a');
    const token = (await readFile(join(server.dataDir, adminTokenFile), 'utf8')).trim();
    const team = connect(server.grpcAddress, { token, tenant: 'team-a' });
    onTestFinished(() => team.close());
    const artifact = { source: { case: 'content', value: await example('misbehaving/env.wasm') } } as const;
    const definition = { name: 'env', runtime: RuntimeKind.WASM, artifact, secrets: { TOKEN: 'token' } };
    await server.tasks.registerTask({ definition });
    await team.service(TaskService).registerTask({ definition });
    const of = async (functions: Pick<typeof server.functions, 'invokeFunction'>) => {
      const { result } = await functions.invokeFunction({ task: 'env' });
      return /TOKEN=(.*)/.exec(Buffer.from(result?.output ?? []).toString())?.[1];
    };
    expect(await of(server.functions)).toBe('of default');
    expect(await of(team.service(FunctionService))).toBe('of team-a');
  });

  test('is nowhere else', async () => {
    const { server, set } = await started();
    await set('api-token', value);
    await server.register('cat', 'misbehaving/cat.wasm', { secrets: { TOKEN: 'api-token' } });
    const { result } = await server.functions.invokeFunction({ task: 'cat' });
    expect(result?.errorCode).toBe(ErrorCode.UNSPECIFIED);
    await expectNowhere(server, 'cat', result?.executionId ?? '');
  });

  test('that has changed throws away the instance that has the one before in its memory', async () => {
    const { server, set } = await started({ slots: '1' });
    await set('token', 'old');
    await server.register('calc', 'typed/typed.wasm', {
      instancePolicy: InstancePolicy.REUSED,
      secrets: { TOKEN: 'token' },
    });
    const instance = async () => {
      const { result } = await server.functions.invokeFunction({ task: 'calc', functionName: 'ping' });
      expect(result?.errorCode).toBe(ErrorCode.UNSPECIFIED);
      return result?.instanceId ?? '';
    };
    const first = await instance();
    expect(await instance()).toBe(first);
    await set('token', 'new');
    const second = await instance();
    expect(second).not.toBe(first);
    expect(await instance()).toBe(second);
  });
});

test.each([
  [{ TOKEN: '../other/token' }, 'definition.secrets.TOKEN'],
  [{ TOKEN: '.hidden' }, 'definition.secrets.TOKEN'],
  [{ TOKEN: 'a/b' }, 'definition.secrets.TOKEN'],
  [{ TOKEN: '' }, 'definition.secrets.TOKEN'],
  [{ TOKEN: 'file:token' }, 'definition.secrets.TOKEN'],
  [{ 'a/b': 'token' }, 'definition.secrets."a/b"'],
  [{ SAID: 'token' }, 'definition.secrets.SAID'],
  [{ SPEAR_SECRETS: 'token' }, 'definition.secrets.SPEAR_SECRETS'],
])('a definition with the secrets %j is refused by name', (secrets, field) => {
  const definition = {
    name: 'bad',
    runtime: RuntimeKind.WASM,
    artifact: { source: { case: 'content', value: Buffer.from('any') } },
    environment: { SAID: '1' },
    secrets,
  } as const;
  const reading = () => draftFromWire(create(TaskDefinitionSchema, definition));
  expect(reading).toThrow(expect.objectContaining({ violations: [expect.objectContaining({ field })] }));
});

describe('a definition', () => {
  test('that comes with a snapshot gets secrets of this node only where the operator allows it', async () => {
    const { server, set } = await started();
    await set('api-token', value);
    await server.register('env', 'misbehaving/env.wasm', { secrets: { TOKEN: 'api-token' } });
    const { executionId } = await server.functions.invokeFunction({
      task: 'env',
      executionMode: ExecutionMode.ASYNC,
      startAfter: { seconds: 3600n },
    });
    const { document } = await take(server, executionId, { detach: true, includeArtifact: true });
    expect(await refusal(restore(await another(), document))).toMatchObject({
      code: 'PERMISSION_DENIED',
      metadata: { wanted: 'secrets' },
    });
    await restore(await another({ restoreAllow: 'secrets' }), document);
  });
});

describeWhere([await dockerEngine()], 'a secret of a container', () => {
  test('is a file that its user alone can read, in memory, and is nowhere else', async () => {
    await makeTestImage();
    const { server, set } = await started({ dockerHost: 'unix:///var/run/docker.sock' });
    await set('api-token', value);
    const program = [
      'cd /run/secrets; ls -ln TOKEN | head -c 10; echo',
      'grep " /run/secrets " /proc/mounts | cut -d" " -f3',
      'sha256sum < TOKEN; echo $SPEAR_SECRETS; (echo x > TOKEN) 2>/dev/null || echo kept',
    ].join('\n');
    await server.tasks.registerTask({
      definition: { name: 'file', ...container(program), secrets: { TOKEN: 'api-token' } },
    });
    const { result } = await server.functions.invokeFunction({ task: 'file' });
    const mode = process.getuid?.() === 0 ? '-r--------' : '-r--r--r--';
    expect(Buffer.from(result?.output ?? []).toString()).toBe(
      `${mode}\ntmpfs\n${digest}  -\n/run/secrets\nkept\n`,
    );
    await expectNowhere(server, 'file', result?.executionId ?? '');
  });

  test('is a variable where the task says so, and is refused as a file where the engine is elsewhere', async () => {
    await makeTestImage();
    const { server, set } = await started({ dockerHost: 'unix:///var/run/docker.sock' });
    await set('api-token', value);
    await server.tasks.registerTask({
      definition: {
        name: 'env',
        ...container('printf %s "$TOKEN" | sha256sum'),
        secrets: { TOKEN: 'env:api-token' },
      },
    });
    expect(await output(server, 'env')).toContain(createHash('sha256').update(value.trim()).digest('hex'));
    const refused = await refusal(
      server.tasks.registerTask({
        definition: {
          name: 'hidden',
          ...container('true'),
          preopens: { '/run': '/srv' },
          secrets: { TOKEN: 'api-token' },
        },
      }),
    );
    expect(Object.keys(refused.fields)).toEqual(['definition.preopens."/run"']);
  });
});
