/** Long work in short pieces, so that the page answers in between. */
import { now, onFrame } from '../../clock.ts';

/** What a frame may spend, in milliseconds: half of one, for the browser has to draw as well. */
const budget = 8;

/**
 * Calls `step` until it says that nothing is left, a few milliseconds in each frame, and `told` after each frame's
 * share. One step should be a fraction of the budget. Returns what calls it off.
 */
export function inSlices(step: () => boolean, told: () => void): () => void {
  let callOff = (): void => {};
  const slice = (): void => {
    const end = now() + budget;
    let more = true;
    while (more && now() < end) more = step();
    if (more) callOff = onFrame(slice);
    told();
  };
  slice();
  return () => callOff();
}
