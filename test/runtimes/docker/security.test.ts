import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Runtime } from '../../../src/runtimes/runtime.ts';
import { imageTar } from '../../support/docker-image.ts';
import { run } from '../attempt.ts';
import { coldRuntime, docker, openRuntime, taskOf, testImageId } from './tasks.ts';
import { describeDocker, itDocker } from './where.ts';

const noCapability = '0000000000000000';
let runtime: Runtime;
let imageId: string;

beforeAll(async () => {
  imageId = await testImageId();
  runtime = coldRuntime(await openRuntime({ hostAccess: true }));
});

afterAll(() => runtime.close());

async function output(command: string[], more: Parameters<typeof taskOf>[2] = {}): Promise<string> {
  const { outcome, stdout, stderr } = await run(runtime, taskOf(imageId, command, more));
  expect(outcome, stderr.toString()).toMatchObject({ kind: 'completed' });
  return stdout.toString();
}

function status(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/^(\w+):\s+(.+)$/gm)].map(([, name = '', value = '']) => [name, value]),
  );
}

describeDocker('a task that asks for nothing', () => {
  it('runs as nobody, without a capability, and cannot get new ones', async () => {
    expect(status(await output(['security']))).toMatchObject({
      Uid: '65534\t65534\t65534\t65534',
      Gid: '65534\t65534\t65534\t65534',
      CapInh: noCapability,
      CapPrm: noCapability,
      CapEff: noCapability,
      CapBnd: noCapability,
      CapAmb: noCapability,
      NoNewPrivs: '1',
      Seccomp: '2',
    });
  });

  it('writes to /tmp and nowhere else, and runs nothing from there', async () => {
    const text = await output(['security']);
    expect(text).toContain('root 1\n');
    expect(text).toContain('tmp 0\n');
    expect(text).toMatch(/tmpfs \/tmp tmpfs rw,nosuid,nodev,noexec.*size=16384k/);
    const exec = await run(
      runtime,
      taskOf(imageId, ['sh', '-c', 'cat /bin/exit >/tmp/x; chmod 755 /tmp/x; /tmp/x']),
    );
    expect(exec.outcome).toMatchObject({ code: 'FUNCTION_EXIT', exitCode: 126 });
  });

  it('writes no more to /tmp than its size', async () => {
    const { outcome } = await run(
      runtime,
      taskOf(imageId, ['dd', 'if=/dev/zero', 'of=/tmp/file', 'bs=1M', 'count=17']),
    );
    expect(outcome).toMatchObject({ code: 'FUNCTION_EXIT', exitCode: 1 });
  });

  it('has no network but its own loopback', async () => {
    expect((await output(['ls', '/sys/class/net'])).trim()).toBe('lo');
  });

  it('sees neither the processes of the host nor its files', async () => {
    const pids = (await output(['sh', '-c', 'ls /proc | grep -cE "^[0-9]+$"'])).trim();
    expect(Number(pids)).toBeLessThan(8);
    expect((await output(['ls', '/data'])).trim()).toBe('');
  });
});

itDocker('an image that wants volumes gets them in memory, bounded, and no folder of the host', async () => {
  const repo = 'spear-test-volume';
  const imported = await docker.importImage(Readable.from([await imageTar('volume')]), {
    repo,
    changes: 'VOLUME /data',
  });
  await new Response(Readable.toWeb(Readable.from(imported)) as ReadableStream).text();
  try {
    const { Id } = await docker.getImage(repo).inspect();
    const task = taskOf(Id.replace('sha256:', ''), ['grep', ' /data ', '/proc/mounts']);
    const { stdout } = await run(runtime, task);
    expect(stdout.toString()).toMatch(/^tmpfs \/data tmpfs rw,nosuid,nodev,noexec.*size=16384k/);
  } finally {
    await docker.getImage(repo).remove({ force: true });
  }
});

describeDocker('a task gets by asking', () => {
  it('a network', async () => {
    const names = await output(['ls', '/sys/class/net'], { allowNetwork: true });
    expect(names.trim().split('\n')).toEqual(['eth0', 'lo']);
  });

  it('a user, a working folder and a writable root', async () => {
    const text = await output(['sh', '-c', 'id -u; id -g; pwd; touch file && echo wrote'], {
      user: '0:7',
      workingDirectory: '/data',
      container: { writableRoot: true },
    });
    expect(text).toBe('0\n7\n/data\nwrote\n');
  });

  it('a capability, and privileges that grow', async () => {
    const text = await output(['security'], {
      user: '0',
      container: { capabilities: ['NET_BIND_SERVICE'], allowNewPrivileges: true },
    });
    expect(status(text)).toMatchObject({
      CapEff: '0000000000000400',
      CapBnd: '0000000000000400',
      NoNewPrivs: '0',
    });
  });

  it('a folder of the host', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'spear-preopen-'));
    try {
      await output(['sh', '-c', 'echo hello >/data/file'], { user: '0', preopens: { '/data': folder } });
      expect(await readFile(join(folder, 'file'), 'utf8')).toBe('hello\n');
      expect((await stat(join(folder, 'file'))).uid).toBe(0);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('fewer open files', async () => {
    const limits = { memory: 64 * 1024 * 1024, openFiles: 50, maxOutputBytes: 1e6, maxOutputEvents: 1000 };
    expect((await output(['sh', '-c', 'ulimit -n'], { limits })).trim()).toBe('50');
  });
});

describeDocker('its program', () => {
  it('is the command with the arguments after it', async () => {
    expect(await output(['echo', 'a'], { args: ['b'] })).toBe('a b\n');
  });

  it('is the first of the arguments where the image has no entrypoint and the task no command', async () => {
    expect(await output([], { args: ['echo', 'b'] })).toBe('b\n');
  });
});
