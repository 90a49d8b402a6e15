import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Launcher } from '../../../src/runtimes/containment/launch/launcher.ts';

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
    const { file, args } = launcher.request({
      cell: { joins: [], wrapper: [], outerWrapper: [] },
      directory: '/',
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

describe('the command line of a launcher', () => {
  const shells = ['/bin/dash', '/bin/bash', '/bin/busybox'].filter((shell) => existsSync(shell));

  it.each(shells)('has nothing of the environment in it with %s', (shell) => {
    const environments = [
      { PLAIN: 'secret-value' },
      { LANG: 'secret-value', LD_PRELOAD: 'secret-value', IFS: 'secret-value' },
      { 'with.dot': 'secret-value', SHLVL: 'secret-value', OPTIND: 'secret-value' },
    ];
    for (const environment of environments) {
      const request = new Launcher(shell).request({
        cell: { joins: ['/a', '/b'], wrapper: ['/bin/wrapper'], outerWrapper: [] },
        directory: '/',
        limits: { maxOutputBytes: 1, maxOutputEvents: 1 },
        program: '/bin/echo',
        args: ['hello'],
        environment,
      });
      expect([request.file, ...request.args].join(' ')).not.toContain('secret-value');
      // What runs before the shell does so as root, and must not act on a name of the task's.
      expect(Object.keys(request.environment).filter((name) => name in environment)).toEqual([]);
    }
  });
});
