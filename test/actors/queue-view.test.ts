/** What is told of the queue is what there is, whether it waits in memory or in the store. */
import { expect, test } from 'vitest';
import { settle } from '../support/fake-clock.ts';
import { crash, type SupervisorBench, supervisorBench } from './supervisor-bench.ts';

const few = { slots: 1, waiting: { live: 2, ahead: 4, aheadOfLine: 2, rows: 2 } };

/** As many as wait are told, those of each line and of each class, and a line is told once. */
function look(bench: SupervisorBench) {
  const view = bench.supervisor.queueHere();
  expect(view.waiting).toBe(bench.supervisor.queueLength);
  expect(view.running).toBe(bench.supervisor.load.running);
  for (const { waiting, classes } of view.lines) {
    expect(classes.reduce((sum, each) => sum + each.waiting, 0)).toBe(waiting);
  }
  expect(view.lines.reduce((sum, { waiting }) => sum + waiting, 0)).toBe(view.waiting);
  return view;
}

async function fill(bench: SupervisorBench, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    const cursor = await bench.start({}, n % 3 === 0 ? { fairnessKey: 'k' } : {});
    await bench.clock.advance(5);
    cursor.close('done');
    await settle();
    ids.push(cursor.executionId);
    look(bench);
  }
  return ids;
}

async function runAll(bench: SupervisorBench): Promise<void> {
  for (;;) {
    const open = bench.runtime.calls.filter((call) => !call.over);
    if (open.length === 0) return;
    for (const call of open) call.complete();
    await bench.clock.advance(10);
    look(bench);
  }
}

test('all that wait are counted in their lines, also those in the store, until the last has run', async () => {
  const bench = supervisorBench(few);
  const ids = await fill(bench, 20);
  expect(bench.supervisor.passive).toBeGreaterThan(10);
  expect(look(bench)).toMatchObject({
    ...{ slots: 1, running: 1, waiting: 19, held: 0, block: '' },
    lines: [
      { fairnessKey: '', waiting: 13, running: 0, next: { executionId: ids[1] } },
      { fairnessKey: 'k', waiting: 6, running: 1, next: { executionId: ids[3] } },
    ],
  });
  const [first] = look(bench).lines;
  expect(first?.classes).toMatchObject([{ waiting: 13, summary: 'the only slot is taken', heldBy: [] }]);
  expect(first?.next?.since).toBe((await bench.record(ids[1] ?? ''))?.createdAt);
  for (const id of [ids[2], ids[18]]) await bench.supervisor.cancel(id ?? '', 'enough');
  await settle();
  expect(look(bench).waiting).toBe(17);
  await runAll(bench);
  expect(look(bench)).toMatchObject({ running: 0, waiting: 0, lines: [] });
  await bench.leavesNothing();
});

test('after a restart they are what the store has', async () => {
  const before = supervisorBench(few);
  await fill(before, 20);
  const bench = crash(before, few);
  await bench.supervisor.recover();
  await settle();
  expect(look(bench)).toMatchObject({ waiting: bench.supervisor.queueLength, lines: [{}, {}] });
  await runAll(bench);
  expect(look(bench)).toMatchObject({ waiting: 0, lines: [] });
});
