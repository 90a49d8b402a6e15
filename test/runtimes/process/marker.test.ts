import { closeSync, openSync, writeSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Runtime } from '../../../src/runtimes/runtime.ts';
import { firstOutput, run } from '../attempt.ts';
import { needsCgroups, openRuntime, Programs, start } from './fixtures.ts';
import { pidOf } from './processes.ts';

/** One who may open what its launcher has open. */
const user = process.geteuid?.() === 0 ? 'root' : '';

describe('the marker of a program', () => {
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

  it('says nothing about a later program, whoever has kept it', async (context) => {
    needsCgroups(context, runtime);
    const task = await programs.script('thief', 'echo "launcher $PPID"; exec sleep 1000');
    const thief = start(runtime, task);
    await firstOutput(thief.io, thief.running);
    const kept = openSync(`/proc/${pidOf('launcher', thief.io.of('stdout'))}/fd/2`, 'a');
    onTestFinished(() => closeSync(kept));
    thief.controller.abort();
    expect(await thief.running).toMatchObject({ kind: 'stopped' });

    writeSync(kept, 'at cell\n');
    const { outcome } = await run(runtime, await programs.script('victim', 'exit 7'));
    expect(outcome).toMatchObject({ kind: 'failed', code: 'FUNCTION_EXIT', exitCode: 7 });
  });

  it.each(['cell', 'folder', 'limits', 'program'])(
    'does not make a failed start at its %s of a program that has failed itself',
    async (stage) => {
      const lines = `echo at ${stage} >>/proc/$PPID/fd/2 || exit 3; exit 7`;
      const { outcome } = await run(runtime, await programs.script(`forges-${stage}`, lines, { user }));
      expect(outcome).toMatchObject({ kind: 'failed', code: 'FUNCTION_EXIT', exitCode: 7 });
    },
  );

  it('does not make a success of a failure by an end that the program writes', async () => {
    const task = await programs.script('ends', 'echo end 0 >>/proc/$PPID/fd/2 || exit 3; exit 7', { user });
    const { outcome } = await run(runtime, task);
    expect(outcome).toMatchObject({ kind: 'failed', code: 'FUNCTION_EXIT', exitCode: 7 });
  });

  it('does not make a failed start of a failure whose end the program kept from being written', async () => {
    const task = await programs.script('muffles', 'prlimit --pid $PPID --fsize=0:0 || exit 3; exit 7');
    const { outcome } = await run(runtime, task);
    expect(outcome).toMatchObject({ kind: 'failed', code: 'FUNCTION_EXIT', exitCode: 7 });
  });
});
