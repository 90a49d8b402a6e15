/** `npm run demo:cluster`, as the README names it: three nodes, one is killed, and the watch goes on. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { inheritedEnvironment } from '../support/environment.ts';
import { describeWhere } from '../support/needs.ts';
import { postgres } from '../support/postgres.ts';
import { root } from './readme.ts';

describeWhere([postgres()], 'the demo of a cluster', () => {
  test('a watch goes on over the death of the node, and everything that was started completes', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['examples/demo-cluster.ts'], {
      cwd: root,
      env: inheritedEnvironment(),
    });
    expect(stdout).toMatch(/^kill +boris/m);
    expect(stdout).toMatch(/^watch +event \d+: completed, without a gap$/m);
    expect(stdout.match(/^exec_\w+ +(anna|boris|clara) +completed +[12]$/gm)).toHaveLength(9);
    expect(stdout).not.toContain('FAILED');
  });
});
