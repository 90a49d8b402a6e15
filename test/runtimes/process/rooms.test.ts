import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Runtime } from '../../../src/runtimes/runtime.ts';
import { describeWhere, root } from '../../support/needs.ts';
import { firstOutput, run } from '../attempt.ts';
import { openRuntime, Programs, start } from './fixtures.ts';

describeWhere([root()], 'what is outside of an instance’s folder', () => {
  let programs: Programs;
  let runtime: Runtime;

  beforeAll(async () => {
    programs = await Programs.make();
    runtime = await openRuntime();
  });

  afterAll(async () => {
    await runtime.close();
    await programs.remove();
  });

  const shared = ['/tmp', '/var/tmp', '/dev/shm', '/run/lock'].filter((folder) => existsSync(folder));

  it.each(shared)('is its own in %s, and gone with it', async (folder) => {
    const path = `${folder}/spear-left-${process.pid}`;
    const task = await programs.script('leaves-outside', 'cp /bin/sh "$1"; chmod 4755 "$1"; ls -l "$1"');
    const { stdout } = await run(runtime, { ...task, args: [path] });
    expect(stdout.toString()).toMatch(/^-rwsr-xr-x/);
    const left = existsSync(path);
    if (left) rmSync(path);
    expect(left).toBe(false);
    const looks = await programs.script('looks', 'ls "$1"');
    const { outcome } = await run(runtime, { ...looks, args: [path] });
    expect(outcome).toMatchObject({ kind: 'failed', code: 'FUNCTION_EXIT' });
  });

  it('is not seen by another that runs at the same time', async () => {
    const holder = await programs.script('holder', 'echo secret >/tmp/held; echo ready; read -r _');
    const holding = start(runtime, { ...holder, warm: { ...holder.warm } }, { input: new Uint8Array() });
    await firstOutput(holding.io, holding.running);
    const looker = await programs.script('looker', 'cat /tmp/held');
    expect((await run(runtime, looker)).stdout.toString()).toBe('');
    holding.controller.abort();
    await holding.running;
  });

  it('has no message queues, semaphores or shared memory of others', async () => {
    const own = await programs.script('ipc', 'readlink /proc/self/ns/ipc; readlink /proc/self/ns/mnt');
    const [first, second] = [await run(runtime, own), await run(runtime, own)];
    const host = execFileSync('readlink', ['/proc/self/ns/ipc']).toString().trim();
    const [ipc, mnt] = first.stdout.toString().split('\n');
    expect(ipc).toMatch(/^ipc:/);
    expect(ipc).not.toBe(host);
    expect(second.stdout.toString()).not.toContain(host);
    expect(mnt).toMatch(/^mnt:/);
  });

  it('leaves terminals to others, however many it opens', async (context) => {
    if (!existsSync('/dev/pts/ptmx')) context.skip('no pseudoterminals are mounted at /dev/pts');
    // Each open makes one.
    const takes = await programs.script(
      'takes-terminals',
      `exec perl -e 'my @t; while (open my $t, "+<", "/dev/ptmx") { push @t, $t; last if @t == 512 } print "took ", scalar(@t), "\\n"'`,
    );
    const { stdout } = await run(runtime, takes);
    expect(stdout.toString()).toBe('took 64\n');
    const uses = await programs.script('uses-terminal', 'script -qc "echo in; tty" /dev/null </dev/null');
    expect((await run(runtime, uses)).stdout.toString()).toMatch(/^in\r?\n\/dev\/pts\/0/);
  });

  it('gives no privileges', async () => {
    const task = await programs.script('status', 'cat /proc/self/status');
    const status = (await run(runtime, task)).stdout.toString();
    const field = (name: string) => new RegExp(`^${name}:\\s*(\\w+)`, 'm').exec(status)?.[1];
    expect(field('NoNewPrivs')).toBe('1');
    expect(field('CapBnd')).toMatch(/^0+$/);
    expect(field('CapEff')).toMatch(/^0+$/);
    expect(field('CapPrm')).toMatch(/^0+$/);
  });

  it('has the rights of root for a task that names root', async () => {
    const task = await programs.script('as-root', 'cat /proc/self/status', { user: 'root' });
    const status = (await run(runtime, task)).stdout.toString();
    const own = /^CapPrm:\s*(\w+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
    expect(/^CapEff:\s*(\w+)/m.exec(status)?.[1]).toBe(own);
  });
});
