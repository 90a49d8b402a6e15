/**
 * What the life of an execution's actor costs: made, dispatched and ended, once with XState's interpreter and once from
 * the table of transitions. Prints microseconds of processor time for each, garbage collection included.
 *
 *     node bench/chart.ts
 */
import { createActor, fromTransition } from 'xstate';
import { compiled } from '../src/machines/compiled-chart.ts';
import { executionMachine } from '../src/machines/execution.ts';
import { median } from './table.ts';

const lives = 50_000;
const rounds = 5;
const parent = createActor(fromTransition((state: number) => state, 0)).start();
const input = {
  executionId: 'exec_1',
  totalMs: 1000,
  graceMs: 1000,
  retry: { maxAttempts: 1, initialMs: 0, factor: 1, maxMs: 0, jitter: 0, on: [] },
  recovery: { onInterrupt: 'fail', maxRecoveries: 0 },
} as const;

function live(machine: typeof executionMachine, now: number): void {
  const actor = createActor(machine, { id: `exec_${now}`, parent, input: { ...input, now } }).start();
  actor.send({ type: 'dispatch', at: now + 1 });
  actor.send({
    type: 'attemptEnded',
    at: now + 2,
    random: 0,
    end: { kind: 'completed', exitCode: 0 },
  });
  if (actor.getSnapshot().value !== 'completed') throw new Error('it did not come to its end');
}

function microseconds(machine: typeof executionMachine): number {
  const before = process.cpuUsage();
  for (let count = 0; count < lives; count++) live(machine, count);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / lives;
}

const machines = { 'XState itself': executionMachine, 'the table': compiled(executionMachine) };
for (const [name, machine] of Object.entries(machines)) {
  microseconds(machine);
  const times = Array.from({ length: rounds }, () => microseconds(machine));
  console.log(`${name}: ${median(times).toFixed(1)} µs`);
}
