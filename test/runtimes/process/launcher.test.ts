import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Launcher } from '../../../src/runtimes/containment/launcher.ts';

const execute = promisify(execFile);

describe('a launcher that is bash', () => {
  let home: string;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'spear-home-'));
    await writeFile(join(home, '.bashrc'), 'echo started; echo complained >&2\n');
  });

  afterAll(() => rm(home, { recursive: true, force: true }));

  it('does not run the startup file of its user', async () => {
    const launcher = new Launcher('/bin/bash');
    const { file, args } = launcher.command({
      joins: 0,
      wrapper: [],
      limits: { maxOutputBytes: 1, maxOutputEvents: 1 },
      program: '/bin/echo',
      args: ['hello'],
      environment: {},
    });
    // Node's pipes are sockets, which is what bash goes by. Descriptor 3 is where it tells how far it came.
    const { stdout, stderr } = await execute(
      '/bin/sh',
      ['-c', 'exec "$@" 3>/dev/null', 'sh', file, ...args],
      {
        env: { HOME: home },
      },
    );
    expect([stdout, stderr]).toEqual(['hello\n', '']);
  });
});
