import { existsSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Runtime } from '../../../src/runtimes/runtime.ts';
import { root } from '../../support/needs.ts';
import { firstOutput, run } from '../attempt.ts';
import { needsCgroups, newNodeId, openRuntime, Programs, start } from './fixtures.ts';
import { isAlive, pidOf, until } from './processes.ts';

let programs: Programs;
let runtime: Runtime;
const nodeId = newNodeId();
const scratch = join(tmpdir(), `spear-${nodeId}`);

beforeAll(async () => {
  programs = await Programs.make();
  runtime = await openRuntime({ nodeId });
});

afterAll(async () => {
  await runtime.close();
  await programs.remove();
});

describe('an instance that follows a clean one in its cell', () => {
  it('leaves nothing running in the background', async (context) => {
    needsCgroups(context, runtime);
    const clean = await programs.script('clean', ':');
    const dirty = await programs.script('dirty', 'sleep 7779 >/dev/null 2>&1 </dev/null &\necho "left $!"');
    for (let round = 0; round < 10; round += 1) {
      await run(runtime, clean);
      const { outcome, stdout } = await run(runtime, dirty);
      expect(outcome).toMatchObject({ kind: 'completed' });
      expect(isAlive(pidOf('left', stdout))).toBe(false);
    }
  });
});

describe('what an instance leaves in its folder', () => {
  it('is removed although another user owns a part of it', async (context) => {
    const missing = root();
    if (missing !== '') context.skip(missing);
    const host = await programs.script(
      'host',
      'chmod 777 .; pwd; cd ..; until [ -e "$OLDPWD/planted" ]; do sleep 0.01; done',
    );
    const hosting = start(runtime, host);
    await firstOutput(hosting.io, hosting.running);
    const folder = hosting.io.of('stdout').toString().trim();
    const guest = await programs.script(
      'guest',
      'mkdir "$1/planted" && : >"$1/planted/file" && chmod 700 "$1/planted" && id -u',
    );
    const planted = await run(runtime, { ...guest, args: [folder] });
    expect(planted.outcome).toMatchObject({ kind: 'completed' });
    expect(await hosting.running).toMatchObject({ kind: 'completed' });
    await until('the folder is gone', () => !existsSync(folder));
    // Both users are there again for the next.
    const who = await programs.script('who', 'id -u');
    const users = Number((await run(runtime, who)).stdout.toString());
    expect(users).toBeLessThanOrEqual(61_185);
  });

  it('does not keep the outcome waiting', async () => {
    const many = await programs.script(
      'many',
      'pwd; mkdir a b c; for d in a b c; do i=0; while [ $i -lt 300 ]; do : >$d/f$i; i=$((i+1)); done; done',
    );
    const { outcome, stdout } = await run(runtime, many);
    expect(outcome).toMatchObject({ kind: 'completed' });
    const folder = stdout.toString().trim();
    // It is still on its way, in a thread of its own.
    expect(existsSync(folder)).toBe(true);
    await until('it is removed', () => !existsSync(folder));
  });

  it('is gone when the node is closed in the middle of it', async () => {
    const otherId = newNodeId();
    const other = await openRuntime({ nodeId: otherId });
    await run(other, await programs.script('some', 'mkdir a b c; : >a/x'));
    await other.close();
    expect(existsSync(join(tmpdir(), `spear-${otherId}`))).toBe(false);
  });
});

describe('the node’s own folder', () => {
  it('has nothing that another user can reach', () => {
    expect(statSync(scratch).mode & 0o777).toBe(0o711);
    expect(statSync(join(scratch, 'node')).mode & 0o777).toBe(0o700);
  });
});

describe('a working directory below a temporary folder of the host', () => {
  it('is the one that the task names', async () => {
    const folder = join(programs.folder, 'working');
    await mkdir(folder);
    const task = await programs.script('here', 'pwd; ls ..', { workingDirectory: folder, user: '' });
    const { stdout } = await run(runtime, task);
    expect(stdout.toString().split('\n')[0]).toBe(folder);
    expect(stdout.toString()).toContain('here');
  });
});
