/** A chart of what a log shows, for a log that came without its machine. Pure. */

import type { Json } from '../../wire.ts';
import type { Step } from '../log/step.ts';

type Definition = { [name: string]: Json };

/** The order in which a life goes; what is not named here comes in the order of the log. */
const usual = ['pending', 'running', 'completed', 'failed', 'timedOut', 'cancelled'];

export function seenDefinition(name: string, steps: readonly Step[]): Definition {
  const paths = new Set(steps.flatMap(({ from, to }) => (from === '' ? [to] : [from, to])));
  const rank = (path: string) =>
    (usual.indexOf(path.split('.', 1)[0] ?? '') + usual.length + 1) % (usual.length + 1);
  const root: Definition = { id: name, states: {} };
  for (const path of [...paths].sort((one, other) => rank(one) - rank(other))) stateAt(root, path);
  for (const { from, to, eventType } of steps) {
    if (from === '') continue;
    const state = stateAt(root, from);
    const on = (state.on ?? {}) as Definition;
    const before = (on[eventType] ?? []) as Json[];
    const target = `#${name}.${to}`;
    if (!before.some((each) => (each as Definition).target === target))
      on[eventType] = [...before, { target }];
    state.on = on;
  }
  const last = steps.at(-1);
  if (last?.isFinal) stateAt(root, last.to).type = 'final';
  return root;
}

function stateAt(root: Definition, path: string): Definition {
  let state = root;
  for (const name of path.split('.')) {
    const states = (state.states ?? {}) as Definition;
    state.states = states;
    const child = (states[name] ?? {}) as Definition;
    states[name] = child;
    state = child;
  }
  return state;
}
