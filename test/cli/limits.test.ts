import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExecutionMode } from '../../src/server/gen/spearlet/function_pb.js';
import { type LocalServer, startServer } from '../support/server.ts';
import { errorLine, run } from './spear.ts';

let server: LocalServer;

beforeAll(async () => {
  server = await startServer({ slots: '4' });
  await server.register('loop', 'misbehaving/loop.wasm');
});

afterAll(() => server.stop());

const spear = async (...args: readonly string[]) => {
  const ended = await run(args, { address: server.grpcAddress });
  return { ...ended, stdout: ended.stdout.toString(), line: () => errorLine(ended) };
};

describe('spear limits', () => {
  it('changes what is named, shows it with what runs, and clears it', async () => {
    const set = await spear(
      ...['limits', 'set', 'loop', '--concurrency', 'metadata.user=2', '--rate', 'task=600/1m:20'],
      ...[
        '--priority',
        'high',
        '--timeout',
        '2m',
        '--retry-budget',
        '0.1',
        '--restart-intensity',
        '5/1m:refuse',
      ],
    );
    expect([set.code, set.stderr]).toEqual([0, 'spear: changed loop (revision 2)\n']);
    const metadata = { user: 'ann' };
    const executionMode = ExecutionMode.ASYNC;
    const { executionId } = await server.functions.invokeFunction({ task: 'loop', metadata, executionMode });
    await expect
      .poll(async () => (await spear('limits', 'loop')).stdout.replace(/ {2,}/g, '  '))
      .toContain('\nrunning  1\n');
    const { stdout } = await spear('limits', 'loop');
    for (const line of [
      /^priority +high$/m,
      /^concurrency +key metadata\.user, limit 2$/m,
      /^rate +key task, units 600, per 1 min 0 s, burst 20$/m,
      /^retry budget +0\.1$/m,
      /^total timeout +2 min 0 s$/m,
      /^restart intensity +failures 5, within 1 min 0 s, when quarantined refuse$/m,
      /^running by metadata\.user +"ann" 1$/m,
    ]) {
      expect(stdout).toMatch(line);
    }
    await server.functions.cancelExecution({ executionId });
    await spear('limits', 'set', 'loop', '--no-concurrency', '--no-restart-intensity', '--no-timeout');
    const { task } = JSON.parse((await spear('limits', 'loop', '--json')).stdout);
    expect(task).toMatchObject({ revision: 3, definition: { priority: 'PRIORITY_HIGH' } });
    expect([task.definition.concurrency, task.definition.restartIntensity]).toEqual([[], undefined]);
    const shown = JSON.parse((await spear('limits', 'set', 'loop', '--priority', 'high', '--json')).stdout);
    expect(shown).toMatchObject({ changed: false, task: { revision: 3 } });
  });

  it('refuses what cannot be changed, and what somebody else has changed, in the words of the command', async () => {
    const [nothing, bad, late] = [
      await spear('limits', 'set', 'loop'),
      await spear('limits', 'set', 'loop', '--concurrency', 'metdata.user=1'),
      await spear('limits', 'set', 'loop', '--priority', 'low', '--expect', '1'),
    ];
    expect([nothing.code, nothing.line()]).toEqual([64, expect.stringContaining('nothing is to be changed')]);
    expect([bad.code, bad.line()]).toEqual([64, expect.stringContaining('--concurrency')]);
    expect([late.code, late.line()]).toEqual([
      75,
      expect.stringContaining('--expect: is 1, and the task has'),
    ]);
  });
});

it('a task that is quarantined says so, and goes on when it is reset', async () => {
  await server.register('breaks', 'misbehaving/trap.wasm');
  await spear('limits', 'set', 'breaks', '--restart-intensity', '1/1h:refuse');
  for (let n = 0; n < 2; n++) await server.functions.invokeFunction({ task: 'breaks' });
  const refused = await spear('invoke', 'breaks');
  expect([refused.code, refused.line()]).toEqual([
    75,
    expect.stringContaining(
      'breaks is quarantined: 2 of its attempts failed within 1 h 0 min, the last with TRAP',
    ),
  ]);
  const { stdout } = await spear('task', 'show', 'breaks');
  expect(stdout).toMatch(/^quarantined +since 2.*: 2 attempts failed, the last with TRAP/m);
  expect(stdout).toMatch(/^next try +2/m);
  expect((await spear('task', 'reset', 'breaks')).stderr).toBe('spear: breaks goes on\n');
  expect((await spear('task', 'reset', 'breaks')).stderr).toContain('was not quarantined');
  expect((await spear('invoke', 'breaks')).code).toBe(134);
});
