import { chmod, chown, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import type { TaskDefinition } from '../../../src/domain/task.ts';
import { Identities } from '../../../src/runtimes/process/identities.ts';
import type { InstanceRuntime } from '../../../src/runtimes/runtime.ts';
import { draftOf, newNodeId, open, Programs, withLimits } from './fixtures.ts';

const fetching = { progress: () => {}, signal: new AbortController().signal };
let programs: Programs;
let runtime: InstanceRuntime;
let task: TaskDefinition;

beforeAll(async () => {
  programs = await Programs.make();
  runtime = await open();
  task = await programs.script('good', ':');
});

afterAll(async () => {
  await runtime.close();
  await programs.remove();
});

function field(name: string, message: RegExp) {
  return {
    name: 'RequestError',
    message: expect.stringMatching(message),
    violations: [expect.objectContaining({ field: name })],
  };
}

function needsRoot(context: TestContext): void {
  if (process.geteuid?.() !== 0) context.skip('not root: programs run as the node itself');
}

function register(path: string, over: Partial<TaskDefinition> = {}, sha256 = '') {
  return runtime.resolve(draftOf({ ...task, ...over }, path, sha256), fetching);
}

describe('the program of a task', () => {
  const path = 'definition.artifact.path';

  it('is kept with its digest', async () => {
    if (task.artifact.kind !== 'process') throw new Error('not a process');
    const { sha256 } = task.artifact;
    const artifact = await register(task.artifact.path, {}, sha256);
    expect(artifact).toEqual({ kind: 'process', path: task.artifact.path, sha256 });
  });

  it('is refused with another digest than was named', async () => {
    const wrong = register(join(programs.folder, 'good'), {}, '0'.repeat(64));
    await expect(wrong).rejects.toMatchObject(field('definition.artifact.sha256', /[0-9a-f]{64}/));
  });

  it('is refused where it is no file that can be executed', async () => {
    await writeFile(join(programs.folder, 'data'), 'x', { mode: 0o644 });
    await expect(register('bin/true')).rejects.toMatchObject(field(path, /absolute/));
    await expect(register(join(programs.folder, 'none'))).rejects.toMatchObject(
      field(path, /does not exist/),
    );
    await expect(register(programs.folder)).rejects.toMatchObject(field(path, /not a regular file/));
    await writeFile(join(programs.folder, 'empty'), '', { mode: 0o755 });
    await expect(register(join(programs.folder, 'empty'))).rejects.toMatchObject(field(path, /is empty/));
    await expect(register(join(programs.folder, 'data'))).rejects.toMatchObject(
      field(path, /may not execute/),
    );
  });

  it('is refused where its user cannot reach it, also through a link', async (context) => {
    needsRoot(context);
    const home = join(programs.folder, 'home');
    await mkdir(join(home, 'bin'), { recursive: true });
    await writeFile(join(home, 'bin', 'tool'), '#!/bin/sh\n', { mode: 0o755 });
    await chmod(home, 0o700);
    await symlink(join(home, 'bin', 'tool'), join(programs.folder, 'link'));
    for (const name of ['home/bin/tool', 'link']) {
      const refused = register(join(programs.folder, name));
      await expect(refused).rejects.toMatchObject(
        field(path, /user 61184 cannot enter .*home;.*definition\.user/),
      );
    }
    await expect(register(join(home, 'bin', 'tool'), { user: '0' })).resolves.toMatchObject({
      kind: 'process',
    });
    await chmod(home, 0o711);
    await expect(register(join(home, 'bin', 'tool'))).resolves.toMatchObject({ kind: 'process' });
  });

  it('is refused where it is a script that its user cannot read', async (context) => {
    needsRoot(context);
    await writeFile(join(programs.folder, 'unreadable'), '#!/bin/sh\n');
    await chmod(join(programs.folder, 'unreadable'), 0o711);
    await expect(register(join(programs.folder, 'unreadable'))).rejects.toMatchObject(
      field(path, /may not read/),
    );
  });

  it('is refused by a node that gives no access to the host', async () => {
    const denied = await open({ hostAccess: false });
    const refusal = {
      kind: 'failed_precondition',
      reason: 'HOST_ACCESS_NOT_ALLOWED',
      message: expect.stringContaining('--allow-host-access'),
    };
    await expect(denied.resolve(draftOf(task, '/bin/true'), fetching)).rejects.toMatchObject(refusal);
    await expect(denied.prepare(task)).rejects.toMatchObject(refusal);
    expect(denied.defaultLimits).toEqual({});
    await denied.close();
  });

  it('is refused by a node whose folder belongs to another', async (context) => {
    needsRoot(context);
    const nodeId = newNodeId();
    const taken = join(programs.folder, `spear-${nodeId}`);
    await mkdir(taken);
    await chown(taken, 65534, 65534);
    const unable = await open({ nodeId, temporaryFolder: programs.folder });
    await expect(unable.resolve(draftOf(task, '/bin/true'), fetching)).rejects.toMatchObject({
      kind: 'unavailable',
      reason: 'RUNTIME_UNAVAILABLE',
      message: expect.stringContaining('belongs to another'),
    });
    await unable.close();
  });
});

describe('the definition of a process task', () => {
  it('has one entry without a name', async () => {
    expect(await runtime.prepare(task)).toEqual({
      functions: [{ name: '', parameters: [], result: '', reason: '' }],
      wit: '',
    });
  });

  it('is refused where it asks for what a process cannot be given', async () => {
    const refused = (over: Partial<TaskDefinition>, name: string) =>
      expect(runtime.prepare({ ...task, ...over })).rejects.toMatchObject(field(name, /allowed is/));
    await refused({ preopens: { '/data': '/srv' } }, 'definition.preopens');
    await refused({ instancePolicy: 'reused' }, 'definition.instance_policy');
    await refused(withLimits(task, { fileSize: 100 }), 'definition.limits.file_size');
    await refused(withLimits(task, { openFiles: 2 ** 30 }), 'definition.limits.open_files');
    const container = {
      command: [],
      pull: 'missing',
      network: '',
      writableRoot: false,
      capabilities: [],
      tmpfsSize: 0,
      allowNewPrivileges: false,
    } as const;
    await refused({ container }, 'definition.container');
  });

  it('is refused where it cannot work in its folder', async () => {
    const prepare = (workingDirectory: string) => runtime.prepare({ ...task, workingDirectory });
    const name = 'definition.working_directory';
    await expect(prepare('relative')).rejects.toMatchObject(field(name, /absolute/));
    await expect(prepare(join(programs.folder, 'nowhere'))).rejects.toMatchObject(
      field(name, /does not exist/),
    );
    await expect(prepare(join(programs.folder, 'good'))).rejects.toMatchObject(field(name, /not a folder/));
    await expect(prepare(programs.folder)).resolves.toBeDefined();
  });
});

describe('the user of a task', () => {
  let root: string;
  const byRoot = () => new Identities({ uid: 0, gid: 0 }, root);
  const byAnother = () => new Identities({ uid: 1000, gid: 1000 }, root);

  beforeAll(async () => {
    root = join(programs.folder, 'root');
    await mkdir(join(root, 'etc'), { recursive: true });
    await writeFile(join(root, 'etc', 'passwd'), 'root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/:/bin/sh\n');
    await writeFile(join(root, 'etc', 'group'), 'root:x:0:\nstaff:x:50:ann\n');
  });

  it('has no privileges where none is named and the node is root', () => {
    expect(byRoot().find('')).toEqual({ uid: 61_184, gid: 61_184 });
  });

  it('is named or numbered, with a group or its own', () => {
    expect(byRoot().find('ann')).toEqual({ uid: 1000, gid: 1000 });
    expect(byRoot().find('ann:staff')).toEqual({ uid: 1000, gid: 50 });
    expect(byRoot().find('1000')).toEqual({ uid: 1000, gid: 1000 });
    expect(byRoot().find('4321')).toEqual({ uid: 4321, gid: 65534 });
    expect(byRoot().find('4321:7')).toEqual({ uid: 4321, gid: 7 });
    expect(byRoot().find('root')).toEqual({ uid: 0, gid: 0 });
  });

  it.each(['nobody-here', 'ann:nothing', 'ann:', ':staff', 'a:b:c', '4294967295', '-1'])(
    'is not %s',
    (user) => {
      expect(() => byRoot().find(user)).toThrow(expect.objectContaining(field('definition.user', /\S/)));
    },
  );

  it('is the node’s own where the node is not root', () => {
    expect(byAnother().find('')).toEqual({ uid: 1000, gid: 1000 });
    expect(byAnother().find('ann')).toEqual({ uid: 1000, gid: 1000 });
    expect(() => byAnother().find('root')).toThrow(/not root/);
    expect(() => byAnother().find('ann:staff')).toThrow(/1000:1000/);
  });

  it('is looked up when the task is registered', async () => {
    await expect(register('/bin/true', { user: 'nobody-here' })).rejects.toMatchObject(
      field('definition.user', /nobody-here/),
    );
  });
});
