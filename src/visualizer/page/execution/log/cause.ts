/** Which event brought an execution to its end. Pure. */
import type { Step } from './step.ts';

/**
 * The sequence number of the event that the final error code belongs to: where it began to be stopped because of it, or
 * else the end itself. Nothing while it goes on.
 */
export function causeOf(steps: readonly Step[]): number | undefined {
  const final = steps.at(-1);
  if (final === undefined || !final.isFinal) return undefined;
  let cause = final.sequence;
  for (let number = steps.length - 2; steps[number]?.to === 'running.stopping'; number -= 1) {
    const step = steps[number];
    if (step?.reasonCode === final.reasonCode) cause = step.sequence;
  }
  return cause;
}
