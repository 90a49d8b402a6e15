import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { makeNamespaceCells } from '../../../src/runtimes/containment/cells/namespace-cells.ts';
import type { Runtime } from '../../../src/runtimes/runtime.ts';
import { firstOutput, run } from '../attempt.ts';
import { openRuntime, Programs, start, withLimits } from './fixtures.ts';
import { processesWith } from './processes.ts';

let programs: Programs;
let runtime: Runtime;
let missing = '';

beforeAll(async () => {
  programs = await Programs.make();
  const cells = await makeNamespaceCells();
  if ('reason' in cells) missing = cells.reason;
  else runtime = await openRuntime({ withoutCgroups: true });
});

afterAll(async () => {
  if (missing === '') await runtime.close();
  await programs.remove();
});

function needsNamespaces(context: TestContext): void {
  if (missing !== '') context.skip(missing);
}

describe('a runtime that can make no cgroups', () => {
  it('runs programs all the same', async (context) => {
    needsNamespaces(context);
    const cat = await programs.script('cat', 'exec cat');
    expect((await run(runtime, cat, { input: Buffer.from('hello') })).stdout.toString()).toBe('hello');
    const exits = await run(runtime, await programs.script('exits', 'exit 7'));
    expect(exits.outcome).toMatchObject({ kind: 'failed', code: 'FUNCTION_EXIT', exitCode: 7 });
    const lost = await run(runtime, await programs.program('lost', '#!/no/such/interpreter\n'));
    expect(lost.outcome).toMatchObject({ kind: 'failed', code: 'START_FAILED' });
    const signalled = await run(runtime, await programs.script('signalled', 'kill -SEGV $$'));
    expect(signalled.outcome).toMatchObject({ kind: 'failed', code: 'SIGNALED', exitCode: 139 });
  });

  it('hands on nothing but what was given', async (context) => {
    needsNamespaces(context);
    const task = await programs.script('given', "id -u; ls /proc/$$/fd; tr '\\0' '\\n' </proc/$$/environ");
    const { stdout } = await run(runtime, task, { environment: { ONE: '1' } });
    // /proc is the host's and does not show this process by the id that it knows.
    const [uid] = stdout.toString().split('\n');
    if (process.geteuid?.() === 0) expect(Number(uid)).toBeGreaterThanOrEqual(61_184);
    else expect(uid).toBe(String(process.geteuid?.()));
  });

  it('asks a program to stop, and kills it after its grace', async (context) => {
    needsNamespaces(context);
    const obeys = start(
      runtime,
      await programs.script(
        'obeys',
        "trap 'echo cleaned; exit 0' TERM\necho ready\nwhile :; do sleep 0.01; done",
      ),
    );
    await firstOutput(obeys.io, obeys.running);
    obeys.controller.abort();
    expect(await obeys.running).toMatchObject({ kind: 'stopped', rung: 'term' });
    expect(obeys.io.of('stdout').toString()).toBe('ready\ncleaned\n');
    const ignores = start(
      runtime,
      await programs.script('ignores', "trap '' TERM\necho ready\nwhile :; do sleep 1; done", {
        graceMs: 100,
      }),
    );
    await firstOutput(ignores.io, ignores.running);
    ignores.controller.abort();
    expect(await ignores.running).toMatchObject({ kind: 'stopped', rung: 'kill' });
  });

  it('takes with a program what it left behind in other sessions', async (context) => {
    needsNamespaces(context);
    // Out of the namespace its process is known by its command line.
    const mark = `1000.${process.pid}`;
    const task = await programs.script('leaves', `setsid sleep ${mark} &\necho started`);
    const { outcome } = await run(runtime, task);
    expect(outcome).toMatchObject({ kind: 'completed' });
    expect(processesWith(mark)).toEqual([]);
  });

  it('refuses what it cannot hold a program to, and says what to do', async (context) => {
    needsNamespaces(context);
    expect(runtime.defaultLimits).toEqual({});
    const task = await programs.script('limited', ':');
    for (const [limit, field] of [
      [{ memory: 2 ** 27 }, 'memory'],
      [{ processes: 10 }, 'processes'],
      [{ cpu: 1 }, 'cpu'],
      [{ cpuTimeMs: 1000 }, 'cpu_time'],
    ] as const) {
      await expect(runtime.prepare(withLimits(task, limit))).rejects.toMatchObject({
        kind: 'invalid_argument',
        message: expect.stringContaining('delegated'),
        violations: [expect.objectContaining({ field: `definition.limits.${field}` })],
      });
    }
  });
});
