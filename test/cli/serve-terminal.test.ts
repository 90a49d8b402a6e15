/** The server on a terminal, as `script` makes one. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { openLog } from '../../src/telemetry/logger.ts';
import { packageVersion } from '../../src/version.ts';
import { inheritedEnvironment } from '../support/environment.ts';
import { describeWhere, script } from '../support/needs.ts';
import { launcher } from '../support/program-files.ts';
import { temporaryFolder } from './spear.ts';

describeWhere([await script()], 'on a terminal', () => {
  test('it says in two lines where it listens, with the URL of the page, and that it stops', async () => {
    const dataDir = await temporaryFolder();
    const command = `exec ${launcher} serve --grpc-address 127.0.0.1:0 --http-address 127.0.0.1:0 --data-dir ${dataDir} --allow-host-access`;
    const child = spawn('script', ['-qec', command, '/dev/null'], {
      env: { ...inheritedEnvironment(), DOCKER_HOST: 'unix:///nonexistent/docker.sock' },
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let text = '';
    child.stdout.on('data', (part: Buffer) => {
      text += part.toString();
    });
    await expect.poll(() => text).toContain('SIGTERM stops it');
    // The warning of a server that runs as root comes before them.
    const lines = text.trimEnd().split(/\r?\n/).slice(-2);
    expect(lines[0]).toMatch(/^spear \S+ listens on 127\.0\.0\.1:\d+ \(gRPC\) and keeps its data in \//);
    expect(lines[0]).toContain(packageVersion());
    const page = /http:\S+/.exec(lines[1] ?? '')?.[0] ?? '';
    expect(await (await fetch(page)).text()).toContain('<title>');
    const { origin, hash } = new URL(page);
    const signedIn = await fetch(`${origin}/api/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code: hash.replace('#code=', '') }),
    });
    expect([signedIn.status, await signedIn.json()]).toEqual([
      200,
      { token: expect.stringMatching(/^spear_page_/), expiresAt: expect.any(String) },
    ]);
    expect(text).not.toContain('{"level"');
    child.stdin.write('\u0003');
    const [code] = (await once(child, 'close')) as [number];
    expect(text).toContain('stopping: what runs has 10 s');
    expect(code).toBe(0);
  });
});

test('what goes wrong is a line that can be read', () => {
  const lines: string[] = [];
  const { logger } = openLog({ level: 'warn', format: 'pretty' }, (text) => lines.push(text));
  logger.info('not told');
  logger.warn({ allowHostAccess: false }, 'running as root');
  logger.error({ err: new Error('no space left') }, 'the store cannot be written');
  logger.error({ err: new Error('oops'), executionId: 'exec_1' }, 'bug: an attempt failed');
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(/^\d\d:\d\d:\d\dZ warn: running as root \(allowHostAccess false\)\n$/);
  expect(lines[1]).toMatch(/^\S+ error: the store cannot be written \(no space left\)\n$/);
  expect(lines[2]).toMatch(
    /^\S+ error: bug: an attempt failed \(oops, executionId "exec_1"\)\nError: oops\n +at /,
  );
});
