import { expect, test } from 'vitest';
import { ComputeWatch, foregroundMs } from '../../../src/runtimes/containment/cells/compute-watch.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function watched() {
  const clock = new FakeClock();
  const said: boolean[] = [];
  const cpu: { us: number | undefined } = { us: 0 };
  const watch = new ComputeWatch({
    clock,
    cpuTimeUs: () => cpu.us,
    setBackground: (background) => said.push(background),
  });
  const compute = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += foregroundMs) {
      if (cpu.us !== undefined) cpu.us += foregroundMs * 1000;
      await clock.advance(foregroundMs);
    }
  };
  return { clock, said, watch, compute, cpu };
}

test('what computes for long goes to the background, until it has ended', async () => {
  const { said, watch, compute } = watched();
  watch.begin();
  await compute(2 * foregroundMs);
  expect(said).toEqual([true]);
  watch.end();
  expect(said).toEqual([true, false]);
});

test('what waits for long, for a processor or for anything else, stays where it is', async () => {
  const { said, watch, clock } = watched();
  watch.begin();
  await clock.advance(100 * foregroundMs);
  expect(said).toEqual([]);
});

test('uses that are short stay where they are, however many there are', async () => {
  const { said, watch, compute } = watched();
  for (let use = 0; use < 50; use += 1) {
    watch.begin();
    await compute(foregroundMs);
    watch.end();
  }
  expect(said).toEqual([]);
});

test('the use after a long one begins in the foreground and is looked at anew', async () => {
  const { said, watch, compute } = watched();
  watch.begin();
  await compute(2 * foregroundMs);
  watch.begin();
  expect(said).toEqual([true, false]);
  await compute(2 * foregroundMs);
  expect(said).toEqual([true, false, true]);
});

test('what prepares itself is in the background until it is used', async () => {
  const { said, watch } = watched();
  watch.background();
  watch.begin();
  expect(said).toEqual([true, false]);
});

test('where processor time is not known, and after its end, nothing is said', async () => {
  const unknown = watched();
  unknown.cpu.us = undefined;
  unknown.watch.begin();
  await unknown.compute(10 * foregroundMs);
  expect(unknown.said).toEqual([]);
  const stopped = watched();
  stopped.watch.begin();
  stopped.watch.stop();
  stopped.watch.begin();
  await stopped.compute(10 * foregroundMs);
  expect(stopped.said).toEqual([]);
});
