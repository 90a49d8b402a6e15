/** The life of one Spear server: starting → recovering → serving → draining → stopped. Pure. */
import { setup } from 'xstate';

export type NodeEvent =
  | { readonly type: 'started' }
  | { readonly type: 'recovered' }
  | { readonly type: 'drain' }
  | { readonly type: 'drained' }
  | { readonly type: 'failed' };

export const nodeMachine = setup({
  types: { events: {} as NodeEvent },
}).createMachine({
  id: 'node',
  initial: 'starting',
  states: {
    starting: { on: { started: 'recovering', failed: 'stopped' } },
    recovering: { on: { recovered: 'serving', drain: 'draining', failed: 'stopped' } },
    serving: { on: { drain: 'draining' } },
    draining: { on: { drained: 'stopped' } },
    stopped: { type: 'final' },
  },
});
